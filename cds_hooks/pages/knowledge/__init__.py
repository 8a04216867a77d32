"""The rules, for a reader in a browser (`/knowledge`)."""
