"""What a code, a unit or a drug name means. Knows nothing of patients."""
