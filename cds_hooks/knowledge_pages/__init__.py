"""The knowledge for readers: a terminal page per rule, one document, and FHIR artifacts."""
