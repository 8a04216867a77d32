"""The second step: Medications that stand in files of their own are handed to the patients whose orders name them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec
from msgspec import Struct

from cds_hooks.replay import segments
from cds_hooks.replay.heads import MEDICATION, read_head
from cds_hooks.replay.scan import PLAIN, UNMAPPED
from cds_hooks.replay.segments import Index, Spill, Stretch, groups, partition_of, write_json
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
    for key, lines in groups(work, task.stretches):
        (known if key[:1] == MEDICATION else wanted)[key[1:]].update(lines.split(b"\n"))
    spill = Spill(work / "medications", str(task.partition))
    held = 0
    for name in wanted.keys() & known.keys():
        contents = sorted(known[name])
        heads = [read_head(content).head for content in contents]
        unknown = {found for head in heads if head and (found := unmapped(head))}
        for patient in sorted(wanted[name]):
            place = partition_of(patient.decode(), task.partitions)
            held += sum(map(len, contents))
            spill.lines_of(place, MEDICATION + PLAIN + patient).extend(contents)
            if unknown:
                spill.lines_of(place, UNMAPPED + patient).extend(map(msgspec.json.encode, unknown))
            if held >= segments.RUN_BYTES:
                spill.flush()
                held = 0
    spill.flush()
    write_json(result_file(work, task.partition), spill.index)
    return sum(stretch.length for stretch in task.stretches)


def read_index(work: Path, partition: int) -> Index:
    """What `hand_out` wrote."""
    return msgspec.json.decode(result_file(work, partition).read_bytes(), type=Index)
