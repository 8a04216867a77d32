"""What one site changes: one YAML file, checked strictly, re-read while the service runs (docs/site-profile.md)."""
