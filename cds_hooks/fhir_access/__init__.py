"""Reading from the EHR's FHIR server what it did not prefetch."""
