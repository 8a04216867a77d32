"""The first step: a chunk of the export is read once and its lines are sorted by patient into partitions."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from cds_hooks.replay import segments
from cds_hooks.replay.collector import without_collector
from cds_hooks.replay.export import Broken, Chunk, read_blocks
from cds_hooks.replay.heads import (
    MEDICATION,
    BadLineError,
    Line,
    medication_id,
    patient_in,
    read_head,
)
from cds_hooks.replay.passed_over import NOTHING, RESULT, is_plainly_of, may_wait, of_code
from cds_hooks.replay.segments import Index, Spill, partition_of, write_json
from cds_hooks.replay.settled import Settled
from cds_hooks.replay.unmapped import Unmapped, analyte_of, unmapped, unmapped_result
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.memory import LONGEST
from mappings.from_fhir.shapes import Observation, Patient

MOST_LISTED: Final = 1000
"""Bad lines that one chunk lists; all are counted."""
CARE: Final = b"+"
PLAIN: Final = b"-"
"""Flags: whether the resource says something that may not have been known on the day."""
UNMAPPED: Final = b"U-"
IDS: Final = b"I"
WANTED: Final = b"W"
"""Beside the resources: what is not known, the ids of the results kept apart, and who needs which Medication."""
MOST_SEEN: Final = 200_000
MOST_CODES: Final = 20_000
MOST_UNITS: Final = 100
"""What is remembered of a chunk, so that memory stays bounded."""


_observation: Final = msgspec.json.Decoder(Observation | Patient).decode
"""Of two types, so that the type has to be stated. What does not have the reader's shape is sorted by its head."""
UNREADABLE: Final = (*DATA_ERRORS, TypeError)


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
    found = Scanned(task.number, task.chunk.end - task.chunk.start)
    with without_collector():
        _Sorter(task, found).sort()
    write_json(result_file(Path(task.work), task.number), found)
    return found.size


class _Code(NamedTuple):
    """What is known of the code of Observations. `fine`: units, with code and system, of which nothing has to be told."""

    flag: bytes
    needs_number: bool
    analyte: str | None
    fine: set[tuple[str | None, str | None, str | None]]


class _Sorter:
    """Sorts the lines of one chunk."""

    def __init__(self, task: ScanTask, found: Scanned) -> None:
        folder = Path(task.work) / "scan"
        self._task, self._found = task, found
        self._patients = Spill(folder, f"{task.number}.p")
        self._medications = Spill(folder, f"{task.number}.m")
        self._places: dict[tuple[str, bytes], tuple[list[bytes], list[bytes]]] = {}
        """Reference to the patient and flag -> where Observations and their ids go until the next flush."""
        self._codes: dict[bytes, _Code] = {}
        self._settled = Settled(task.day)
        self._seen: set[tuple[str, object]] = set()
        self._types, self._ignored, self._unassigned = Counter[str](), Counter[str](), Counter[str]()
        self._held = 0

    def sort(self) -> None:
        """All lines; a file that breaks off is noted."""
        found = self._found
        try:
            for block in read_blocks(Path(self._task.export), self._task.chunk):
                self._block(block)
                found.rows += len(block)
                if self._held >= segments.RUN_BYTES:
                    self._flush()
        except Broken as error:
            found.broken = str(error)
        self._flush()
        found.lines += found.rows
        found.patients, found.medications = self._patients.index, self._medications.index
        found.types, found.ignored = dict(self._types), dict(self._ignored)
        found.unassigned = dict(self._unassigned)

    def _flush(self) -> None:
        self._patients.flush()
        self._medications.flush()
        self._places.clear()
        self._held = 0

    def _block(self, block: list[bytes | None]) -> None:
        """The loop that a replay spends most of its time in: nearly all lines of an export are Observations."""
        decode, codes, places = _observation, self._codes, self._places
        results = held = 0
        for row, content in enumerate(block, self._found.rows + 1):
            try:
                result = decode(content)  # type: ignore[arg-type]
                if not content.isascii():  # type: ignore[union-attr]
                    content.decode()  # type: ignore[union-attr]
            except UNREADABLE:
                result = None
            if not isinstance(result, Observation) or content is None:
                self._line(row, content)
                continue
            results += 1
            written = bytes(result.code_json)
            code = codes.get(written) or self._learn(written)
            flag = code.flag
            if not flag or not may_wait(result, code.needs_number):
                flag = PLAIN if self._settled.holds_of_result(result) else CARE
            named = result.subject or result.patient
            reference = named.reference if named else ""
            try:
                contents, ids = places[reference, flag]
            except KeyError:
                if (place := self._place(reference, flag)) is None:
                    continue
                contents, ids = places[reference, flag] = place
            contents.append(content)
            ids.append(result.id.encode())
            held += len(content)
            sent = result.value_quantity
            if code.analyte != "" and (not sent or (sent.unit, sent.code, sent.system) not in code.fine):
                self._note_unknown(result, reference, written, code)
        self._held += held
        if results:
            self._types["Observation"] += results

    def _learn(self, written: bytes) -> _Code:
        if len(self._codes) >= MOST_CODES:
            self._codes.clear()
        code = _Code(*of_code(written), analyte_of(written), set())
        if len(written) <= LONGEST:
            self._codes[written] = code
        return code

    def _place(self, reference: str, flag: bytes) -> tuple[list[bytes], list[bytes]] | None:
        patient = patient_in(reference)
        apart = flag in (RESULT, NOTHING)
        if apart and not is_plainly_of(reference, patient):
            flag, apart = CARE, False
        lines = self._lines_of(b"O" + flag, patient)
        ids = self._lines_of(IDS + flag, patient) if apart else []
        if lines is None or ids is None:
            self._leave_out("Observation", patient)
            return None
        return lines, ids

    def _note_unknown(self, result: Observation, reference: str, written: bytes, code: _Code) -> None:
        sent = result.value_quantity
        if unknown := unmapped_result(code.analyte, written, bytes(result.category_json), sent):
            self._note(patient_in(reference), unknown)
        elif sent and code.analyte and len(code.fine) < MOST_UNITS:
            code.fine.add((sent.unit, sent.code, sent.system))

    def _line(self, row: int, content: bytes | None) -> None:
        """What is no Observation in the shape that it should have."""
        if content is None:
            self._bad(row, "too long")
        elif not content.strip():
            self._found.lines -= 1
        else:
            try:
                line = read_head(content)
            except BadLineError as error:
                self._bad(row, str(error))
            else:
                self._other(line, content)

    def _bad(self, row: int, why: str) -> None:
        self._found.bad += 1
        if len(self._found.listed) < MOST_LISTED:
            self._found.listed.append((row, why))

    def _other(self, line: Line, content: bytes) -> None:
        if line.type == "Medication" and line.id:
            self._types[line.type] += 1
            self._medication(MEDICATION, line.id, content)
            return
        if not line.kind:
            self._ignored[line.type] += 1
            return
        self._types[line.type] += 1
        flag = PLAIN if self._settled.holds(line, content) else CARE
        lines = self._lines_of(line.kind + flag, line.patient)
        if lines is None:
            self._leave_out(line.type, line.patient)
            return
        lines.append(content)
        self._held += len(content)
        if line.head is not None and line.kind in b"ORS":
            if wanted := medication_id(line.head):
                if self._is_new(line.patient, wanted):
                    self._medication(WANTED, wanted, line.patient.encode())
            elif unknown := unmapped(line.head):
                self._note(line.patient, unknown)

    def _lines_of(self, tag: bytes, patient: str) -> list[bytes] | None:
        """Where the lines of a patient go; None if of nobody, or of one who is not in the sample."""
        task = self._task
        if not patient or "\n" in patient or (task.sample < 1 and not _is_sampled(patient, task)):
            return None
        return self._patients.lines_of(partition_of(patient, task.partitions), tag + patient.encode())

    def _leave_out(self, type_: str, patient: str) -> None:
        if not patient or "\n" in patient:
            self._unassigned[type_] += 1

    def _medication(self, kind: bytes, id_: str, content: bytes) -> None:
        """A Medication, or who wants it: by its id."""
        if "\n" not in id_:
            place = partition_of(id_, self._task.partitions)
            self._medications.lines_of(place, kind + id_.encode()).append(content)
            self._held += len(content)

    def _note(self, patient: str, unknown: Unmapped) -> None:
        """Spill what is not known."""
        lines = self._lines_of(UNMAPPED, patient) if self._is_new(patient, unknown) else None
        if lines is not None:
            lines.append(msgspec.json.encode(unknown))

    def _is_new(self, patient: str, said: object) -> bool:
        """Whether this was not said of the patient in this chunk yet, as far as that is remembered."""
        if len(self._seen) > MOST_SEEN:
            self._seen.clear()
        before = len(self._seen)
        self._seen.add((patient, said))
        return len(self._seen) > before


def _is_sampled(patient: str, task: ScanTask) -> bool:
    """By the id alone, so that every resource of a patient is in or out."""
    drawn = hashlib.blake2b(f"{task.seed}/{patient}".encode(), digest_size=4).digest()
    return int.from_bytes(drawn) < task.sample * 2**32
