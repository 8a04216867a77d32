"""What the people who run the service see: log lines, metrics, readiness. Nothing here is about a patient."""
