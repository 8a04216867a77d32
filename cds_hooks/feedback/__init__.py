"""What users did with the cards: taking it in, keeping it, reporting on it (CDS Hooks 2.0, Feedback)."""
