"""Speed as a ratio against a floor measured in the same run. Not part of the distribution."""
