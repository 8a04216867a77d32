"""Printing for a person: as wide as the terminal, but not wider than can be read, and no blanks at the ends of lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

WIDEST = 110


def console() -> Console:
    """Standard output. Colour only at a terminal, and not if the variable NO_COLOR is set."""
    made = Console(highlight=False, emoji=False)
    made.width = min(made.width, WIDEST)
    return made


@contextmanager
def trimmed(to: Console) -> Iterator[None]:
    """What the block prints, without the blanks that fill up lines: they spoil what is piped or copied."""
    with to.capture() as captured:
        yield
    to.file.write("\n".join(line.rstrip() for line in captured.get().split("\n")))
    to.file.flush()
