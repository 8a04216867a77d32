"""`twitching-cds doctor`: examines one installation and says what to fix."""
