"""Replays the rules over a FHIR Bulk Data export: how often the cards would have fired, on whom, and what a change changes."""
