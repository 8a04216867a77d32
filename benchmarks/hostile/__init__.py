"""Hostile requests and what must never come of them. Not part of the distribution."""
