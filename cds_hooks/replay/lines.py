"""The lines of one patient from all runs: each once, in one order, whatever order they came in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cds_hooks.replay.segments import Kept, Waiting, read_waiting


class Lines:
    """Lines by kind and flag. Results that wait are read from the disk when they are asked for, not before."""

    __slots__ = ("_lines", "_waiting", "_work")

    def __init__(self, work: Path, parts: Iterable[tuple[str, Kept]]) -> None:
        """`parts`: what the runs hold of this patient, each with its file; it is used up."""
        self._work = work
        mine: dict[bytes, list[bytes]] = {}
        apart: dict[bytes, list[tuple[str, Waiting]]] = {}
        for file, kept in parts:
            if mine.keys().isdisjoint(kept.lines):
                mine.update(kept.lines)
            else:
                for tag, lines in kept.lines.items():
                    mine.setdefault(tag, []).extend(lines)
            for tag, waiting in kept.waiting.items():
                apart.setdefault(tag, []).append((file, waiting))
        self._lines, self._waiting = mine, apart

    def tags(self) -> set[bytes]:
        """The kinds and flags of which there are any."""
        return {*self._lines, *self._waiting}

    def of(self, tag: bytes) -> list[bytes]:
        """The lines of a kind and flag. Raises DamagedError."""
        found = self._lines.get(tag, [])
        for file, waiting in self._waiting.get(tag, ()):
            found = found + read_waiting(self._work, file, waiting)
        return sorted(set(found)) if len(found) > 1 else found

    def ids(self, tag: bytes) -> set[str]:
        """The ids of the results of a kind and flag that wait."""
        return {id_ for _, waiting in self._waiting.get(tag, ()) for id_ in waiting.ids.split("\n")}
