"""`assess(facts, knowledge, today)`: pure, no clock, no network, no FHIR."""
