"""From what an EHR sends to `PatientFacts`: lenient, typed, one broken resource at a time."""
