"""The CDS Hooks protocol and every edge of the service."""

__version__ = "0.1.0"
