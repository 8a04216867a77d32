"""What is asked of the first step, and what it found."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from cds_hooks.replay.export import Chunk
from cds_hooks.replay.segments import Index


class ScanTask(Struct, frozen=True):
    """All that a worker needs; `day` is empty when there are several days."""

    export: str
    work: str
    chunks: list[tuple[int, Chunk]]
    """Each with its number. They are spilled together."""
    partitions: int
    day: str
    sample: float
    seed: int

    @property
    def name(self) -> str:
        """Of its files."""
        return str(self.chunks[0][0])

    @property
    def size(self) -> int:
        """Bytes, as they lie on disk."""
        return sum(chunk.end - chunk.start for _, chunk in self.chunks)


class Scanned(Struct):
    """What a chunk held; `lines` without blank ones, bad lines by their number within the chunk.

    Where lines were spilled is said with the last chunk of a task.
    """

    number: int
    rows: int = 0
    """Rows of the file, blank ones included."""
    lines: int = 0
    bad: int = 0
    listed: list[tuple[int, str]] = []
    broken: str = ""
    types: dict[str, int] = {}
    ignored: dict[str, int] = {}
    unassigned: dict[str, int] = {}
    deletions: int = 0
    """Resources that were deleted, as Bundles say (Bulk Data Access, `deleted`); they are not taken out."""
    patients: Index = {}
    medications: Index = {}


def result_file(work: Path, name: str) -> Path:
    """Where the `Scanned` of the chunks of a task are kept."""
    return work / "scan" / f"{name}.json"
