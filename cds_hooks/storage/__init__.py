"""What is kept between calls, in SQLite or PostgreSQL. Never a patient's identifier, a token or free text."""
