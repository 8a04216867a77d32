"""Advice that was overridden as not applying to a patient stays quiet for a while, where a site wants that."""
