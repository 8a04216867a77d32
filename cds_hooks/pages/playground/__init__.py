"""The playground (`/`): made-up patients, the real service, and why it says what it says."""
