"""The second step: Medications that stand in files of their own are handed to the patients whose orders name them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec
from msgspec import Struct

from cds_hooks.replay import segments
from cds_hooks.replay.destinations import UNMAPPED, WANTED
from cds_hooks.replay.heads import MEDICATION, read_head
from cds_hooks.replay.passed_over import UNREAD, has_shape
from cds_hooks.replay.scan import PLAIN
from cds_hooks.replay.segments import Index, Spill, Stretch, partition_of, read_json, read_stretch, write_json
from cds_hooks.replay.unmapped import unmapped


class MedicationTask(Struct, frozen=True):
    """One partition of Medications and of the references to them."""

    work: str
    partition: int
    partitions: int
    stretches: list[Stretch]


def result_file(work: Path, partition: int) -> Path:
    """Where the index of what was handed out is kept."""
    return work / "medications" / f"{partition}.json"


def hand_out(task: MedicationTask) -> int:
    """Write each Medication once for each patient who needs it; the result is on disk when this returns."""
    work = Path(task.work)
    wanted: defaultdict[bytes, set[bytes]] = defaultdict(set)
    known: defaultdict[bytes, set[bytes]] = defaultdict(set)
    for stretch in task.stretches:
        for name, kept in read_stretch(work, stretch).items():
            known[name].update(kept.lines.get(MEDICATION, ()))
            wanted[name].update(kept.lines.get(WANTED, ()))
    spill = Spill(work / "medications", str(task.partition))
    held = 0
    for name, patients in wanted.items():
        contents = sorted(known[name])
        if not (patients and contents):
            continue
        flag = UNREAD if all(map(has_shape, contents)) else PLAIN
        heads = [read_head(content).head for content in contents]
        unknown = {found for head in heads if head and (found := unmapped("Medication", head))}
        for patient in sorted(patients):
            of_patient = spill.held(partition_of(patient.decode(), task.partitions), patient)
            held += sum(map(len, contents)) + segments.KEY_BYTES
            of_patient.of(MEDICATION + flag).extend(contents)
            if unknown:
                of_patient.of(UNMAPPED).extend(map(msgspec.json.encode, unknown))
            if held >= segments.RUN_BYTES:
                spill.flush()
                held = 0
    spill.flush()
    write_json(result_file(work, task.partition), spill.index)
    return sum(stretch.length for stretch in task.stretches)


def read_index(work: Path, partition: int) -> Index:
    """What `hand_out` wrote. Raises DamagedError."""
    return read_json(result_file(work, partition), Index)
