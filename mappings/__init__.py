"""From FHIR to facts, from facts to contributors, from contributors to tests."""
