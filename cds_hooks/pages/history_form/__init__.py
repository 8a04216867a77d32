"""The history form (`/history-form`): the questions of the rules, for a clinician or a patient."""
