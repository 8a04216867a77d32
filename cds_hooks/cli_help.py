"""Examples below the help of a command."""

from __future__ import annotations

LITERAL = "\b"
"""Tells click not to wrap the paragraph that follows."""


def examples(*lines: str) -> str:
    """The epilogue of a command's help: each line is a comment (`# …`) or the command without its first word."""
    shown = [f"  {line}" if line.startswith("#") else f"  twitching-cds {line}" for line in lines]
    return "\n".join([LITERAL, "Examples:", *shown])
