"""The third step: the patients of one partition are put together, asked about, and counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any, Final
from zlib import crc32

import msgspec
from msgspec import Struct

from cds_hooks.replay.collector import without_collector
from cds_hooks.replay.destinations import UNMAPPED
from cds_hooks.replay.lines import Lines
from cds_hooks.replay.patient import KeptBack, Outcome, Silent, replay_patient
from cds_hooks.replay.record import Moment, Record, Setup
from cds_hooks.replay.segments import Kept, Stretch, atomic, read_json, read_stretch, write_json
from cds_hooks.replay.tally import Counts, Tally
from cds_hooks.replay.unmapped import Unmapped
from mappings.from_fhir.meaning import recognise_orders

HELD_BYTES: Final = 40 * 2**20
"""A larger partition is read in several passes, each with a part of its patients."""


class ReduceTask(Struct, frozen=True):
    """One partition, its records and what to ask; `rows` asks for a line per patient who was spoken of."""

    work: str
    folder: str
    """Below `work`: where results of this set-up are kept."""
    partition: int
    stretches: list[Stretch]
    setup: Setup
    days: tuple[date, ...]
    rows: bool


class Reduced(Struct):
    """The counts of one partition. `digest` is the hexadecimal sum over all answers."""

    partition: int
    size: int
    patients: int
    moments: int
    without_resource: int
    digest: str
    counts: Counts


class Row(Struct, frozen=True):
    """One answer about one patient, for use inside the hospital only."""

    patient: str
    day: date
    encounter: str
    rules: str
    cards: tuple[tuple[str, str], ...]
    contributors: tuple[str, ...]
    red_flags: tuple[str, ...]
    tests: tuple[str, ...]
    failed: str
    kept_back: tuple[KeptBack, ...]


def result_file(work: Path, folder: str, partition: int, kind: str = "json") -> Path:
    """Where a partition's result is: `json` its counts, `unmapped` and `rows` the rest."""
    return work / folder / f"{partition}.{kind}"


def reduce(task: ReduceTask) -> tuple[int, int]:
    """Bytes and patients of the partition; the result is on disk when this returns."""
    try:
        with without_collector():
            return _reduce(task)
    finally:
        recognise_orders({})


def _reduce(task: ReduceTask) -> tuple[int, int]:
    work = Path(task.work)
    size = sum(stretch.length for stretch in task.stretches)
    passes = max(1, -(-size // HELD_BYTES))
    tally, unmapped, silent = Tally(), Counter[bytes](), Silent()
    with atomic(result_file(work, task.folder, task.partition, "rows")) as rows:
        for number in range(passes):
            for patient, lines in _patients(work, task.stretches, number, passes):
                name = patient.decode()
                unmapped.update(lines.of(UNMAPPED))
                record = Record(lines, task.setup)
                answers = replay_patient(name, record, task.days, task.setup, silent)
                said = tally.add(name, record.patient(), answers)
                if task.rows:
                    _write_rows(rows, name, said)
    with atomic(result_file(work, task.folder, task.partition, "unmapped")) as file:
        for item, patients in sorted((_unmapped.decode(item), n) for item, n in unmapped.items()):
            file.write(msgspec.json.encode((item, patients)) + b"\n")
    found = Reduced(
        task.partition,
        size,
        tally.patients,
        tally.moments,
        tally.without_resource,
        f"{tally.digest:064x}",
        tally.counts,
    )
    content = msgspec.structs.asdict(found) | {
        "counts": [(cell, *numbers) for cell, numbers in sorted(found.counts.items())]
    }
    write_json(result_file(work, task.folder, task.partition), content)
    return size, tally.patients


_unmapped: Final = msgspec.json.Decoder(Unmapped)


def read_reduced(work: Path, folder: str, partition: int) -> Reduced:
    """What `reduce` wrote about a partition. Raises DamagedError."""
    content = read_json(result_file(work, folder, partition), dict[str, Any])
    content["counts"] = {tuple(cell): (patients, moments) for cell, patients, moments in content["counts"]}
    return Reduced(**content)


def _patients(
    work: Path, stretches: list[Stretch], number: int, passes: int
) -> Iterator[tuple[bytes, Lines]]:
    """Each patient of this pass with all lines."""
    found: defaultdict[bytes, list[tuple[str, Kept]]] = defaultdict(list)
    for stretch in stretches:
        for patient, kept in read_stretch(work, stretch).items():
            if passes == 1 or crc32(patient, 1) % passes == number:
                found[patient].append((stretch.file, kept))
    for patient in sorted(found):
        yield patient, Lines(work, found.pop(patient))


def _write_rows(file: IO[bytes], patient: str, said: list[tuple[Moment, tuple[Outcome, ...]]]) -> None:
    for moment, outcomes in said:
        for number, outcome in enumerate(outcomes):
            found = outcome.assessment if outcome.cards else None
            row = Row(
                patient,
                moment.day,
                moment.encounter,
                str(number),
                outcome.cards,
                tuple(cause.id for cause in found.contributors) if found else (),
                tuple(flag.id for flag in found.red_flags) if found else (),
                tuple(test.id for test in found.tests if test.status == "suggested") if found else (),
                outcome.failed,
                outcome.kept_back,
            )
            file.write(msgspec.json.encode(row) + b"\n")
