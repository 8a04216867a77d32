"""Who calls: the JSON Web Token of the CDS client (CDS Hooks 2.0, Trusting CDS Clients)."""
