"""How often cards fire, are accepted and overridden, and what the EHR does not send (`/dashboard`)."""
