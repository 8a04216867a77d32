"""The first step: a chunk of the export is read once and its lines are sorted by patient into partitions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from cds_hooks.replay.export import Broken, Chunk, read_lines
from cds_hooks.replay.heads import MEDICATION, BadLineError, Head, Line, medication_id, newest_day, read_head
from cds_hooks.replay.segments import Index, Spill, partition_of, write_json
from cds_hooks.replay.unmapped import unmapped

MOST_LISTED: Final = 1000
"""Bad lines that one chunk lists; all are counted."""
UNMAPPED: Final = b"U"
WANTED: Final = b"W"
"""Kinds of records beside the resources: what is not known, and who needs which Medication."""
CARE: Final = b"+"
PLAIN: Final = b"-"
"""Flags: whether the resource says something that may not have been known on the day."""
DECEASED: Final = b'"deceased'


class ScanTask(Struct, frozen=True):
    """All that a worker needs; `day` is empty when there are several days."""

    export: str
    work: str
    number: int
    chunk: Chunk
    partitions: int
    day: str
    sample: float
    seed: int


class Scanned(Struct):
    """What a chunk held; `lines` without blank ones, bad lines by their number within the chunk."""

    number: int
    size: int
    rows: int = 0
    """Rows of the file, blank ones included."""
    lines: int = 0
    bad: int = 0
    listed: list[tuple[int, str]] = []
    broken: str = ""
    types: dict[str, int] = {}
    ignored: dict[str, int] = {}
    unassigned: dict[str, int] = {}
    patients: Index = {}
    medications: Index = {}


def result_file(work: Path, number: int) -> Path:
    """Where a chunk's `Scanned` is kept."""
    return work / "scan" / f"{number}.json"


def scan(task: ScanTask) -> int:
    """Read one chunk; the result is on disk when this returns. The size is returned for the progress bar."""
    work = Path(task.work)
    found = Scanned(task.number, task.chunk.end - task.chunk.start)
    types, ignored, unassigned = Counter[str](), Counter[str](), Counter[str]()
    patients = Spill(work / "scan", f"{task.number}.p")
    medications = Spill(work / "scan", f"{task.number}.m")
    seen: set[tuple[str, object]] = set()
    for content in _lines(task, found):
        try:
            line = _read(content)
        except BadLineError as error:
            found.bad += 1
            if len(found.listed) < MOST_LISTED:
                found.listed.append((found.rows, str(error)))
            continue
        if line.type == "Medication" and line.id and content:
            types[line.type] += 1
            medications.add(
                partition_of(line.id, task.partitions),
                b"%s%s\t%s\n" % (MEDICATION, line.id.encode(), content),
            )
            continue
        if not line.kind:
            ignored[line.type] += 1
            continue
        types[line.type] += 1
        if not line.patient or "\t" in line.patient or "\n" in line.patient:
            unassigned[line.type] += 1
            continue
        if task.sample < 1 and not _is_sampled(line.patient, task):
            continue
        partition, patient = partition_of(line.patient, task.partitions), line.patient.encode()
        patients.add(
            partition, b"%s%s%s\t%s\n" % (line.kind, _flag(line, content or b"", task.day), patient, content)
        )
        if line.head is not None and line.kind in b"ORS":
            _note(line.head, line.patient, (patients, medications), seen, task.partitions)
    patients.flush()
    medications.flush()
    found.patients, found.medications = patients.index, medications.index
    found.types, found.ignored, found.unassigned = dict(types), dict(ignored), dict(unassigned)
    write_json(result_file(work, task.number), found)
    return found.size


def _lines(task: ScanTask, found: Scanned) -> Iterator[bytes | None]:
    """The lines that are not blank; a file that breaks off is noted."""
    try:
        for content in read_lines(Path(task.export), task.chunk):
            found.rows += 1
            if content is None or content.strip():
                found.lines += 1
                yield content
    except Broken as error:
        found.broken = str(error)


def _read(content: bytes | None) -> Line:
    if content is None:
        raise BadLineError("too long")
    return read_head(content)


def _is_sampled(patient: str, task: ScanTask) -> bool:
    """By the id alone, so that every resource of a patient is in or out."""
    drawn = hashlib.blake2b(f"{task.seed}/{patient}".encode(), digest_size=4).digest()
    return int.from_bytes(drawn) < task.sample * 2**32


def _flag(line: Line, content: bytes, day: str) -> bytes:
    """PLAIN when the resource is known on `day` as it stands."""
    head = line.head
    if not day or head is None:
        return CARE
    if line.kind == b"T":
        return CARE if DECEASED in content else PLAIN
    if line.kind in b"RS" and head.status != "active":
        return CARE
    newest = newest_day(head)
    return PLAIN if newest and newest[:10] <= day and line.kind != b"E" else CARE


def _note(
    head: Head, patient: str, spills: tuple[Spill, Spill], seen: set[tuple[str, object]], partitions: int
) -> None:
    """Spill, once per chunk and patient, which Medication is wanted and what is not known."""
    patients, medications = spills
    if len(seen) > 200_000:
        seen.clear()
    if wanted := medication_id(head):
        if (patient, wanted) not in seen and "\t" not in wanted and "\n" not in wanted:
            seen.add((patient, wanted))
            record = b"%s%s\t%s\n" % (WANTED, wanted.encode(), patient.encode())
            medications.add(partition_of(wanted, partitions), record)
    elif (unknown := unmapped(head)) and (patient, unknown) not in seen:
        seen.add((patient, unknown))
        record = b"%s%s%s\t%s\n" % (UNMAPPED, PLAIN, patient.encode(), msgspec.json.encode(unknown))
        patients.add(partition_of(patient, partitions), record)
