"""What the intermediate files of a replay depend on: they are gone on with only where all of it is the same."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

import cds_hooks
import mappings
import terminology
from cds_hooks.replay.export import Chunk
from cds_hooks.replay.segments import write_json

PLAN: Final = "plan.json"
"""Below the work folder."""
PARTITION_BYTES: Final = 20 * 2**20
COMPRESSED: Final = 10
"""How many times larger NDJSON is than its compressed file; only the number of partitions depends on it."""


class Plan(Struct, frozen=True):
    """What the scanned files depend on."""

    version: str
    day: str
    sample: float
    seed: int
    partitions: int
    chunks: list[Chunk]
    together: list[list[int]]
    """The numbers of the chunks that are read one after the other and spilled together."""


def together(chunks: Sequence[Chunk], most: int) -> list[list[int]]:
    """Small chunks up to `most` bytes together: most patients are in each of the small files, and a run costs per patient."""
    groups: list[list[int]] = []
    size = 0
    for number, chunk in sorted(enumerate(chunks), key=lambda pair: plain_size(pair[1])):
        size += plain_size(chunk)
        if not groups or size > most:
            groups.append([])
            size = plain_size(chunk)
        groups[-1].append(number)
    return groups


def planned(work: Path, wanted: Plan, workers: int) -> Plan:
    """The plan of the run before if it fits, else a new one; what was made by another plan is removed.

    Wanted with no partitions: as many as the size of the export asks for.
    """
    path = work / PLAN
    size = sum(map(plain_size, wanted.chunks))
    partitions = wanted.partitions or max(4 * workers, -(-size // PARTITION_BYTES))
    plan = msgspec.structs.replace(wanted, partitions=partitions)
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError):
        known = None
    fits = known is not None and msgspec.structs.replace(known, partitions=partitions) == plan
    if fits and known and (not wanted.partitions or known.partitions == partitions):
        return known
    for stale in ("scan", "medications", *(folder.name for folder in work.glob("reduce-*"))):
        shutil.rmtree(work / stale, ignore_errors=True)
    write_json(path, plan)
    return plan


def plain_size(chunk: Chunk) -> int:
    """About how many bytes of NDJSON it holds."""
    return (chunk.end - chunk.start) * (COMPRESSED if chunk.packing else 1)


@cache
def program() -> str:
    """The version of this program with a digest of its files: another state of it reads and answers otherwise."""
    digest = hashlib.sha256()
    for package in (cds_hooks, mappings, terminology):
        folder = Path(package.__file__ or "").parent
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return f"{cds_hooks.__version__} {digest.hexdigest()}"
