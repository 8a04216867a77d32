"""The first step: chunks of the export are read once and their lines are sorted by patient into partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from cds_hooks.replay.collector import without_collector
from cds_hooks.replay.destinations import Destinations, Places, is_named
from cds_hooks.replay.export import Broken, Chunk, read_blocks
from cds_hooks.replay.heads import (
    MEDICATION,
    BadLineError,
    Line,
    deletions_in,
    is_utf_8,
    line_of,
    medication_id,
    patient_in,
    read_head,
)
from cds_hooks.replay.passed_over import (
    NOTHING,
    ORDERS,
    UNREAD,
    is_plain_order,
    names_in,
)
from cds_hooks.replay.results import MOST_REMEMBERED, Code, Codes
from cds_hooks.replay.scanned import Scanned, ScanTask, result_file
from cds_hooks.replay.segments import write_json
from cds_hooks.replay.settled import Settled, is_over
from cds_hooks.replay.tidy import HEADS, NO_QUANTITY, Result, decode, passing_over
from cds_hooks.replay.unmapped import unmapped, unmapped_result
from mappings.from_fhir.bundle import TYPE_NAME
from mappings.from_fhir.datatypes import Quantity
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.memory import LONGEST
from mappings.from_fhir.shapes import Observation, Patient

MOST_LISTED: Final = 1000
"""Bad lines that one chunk lists; all are counted."""
CARE: Final = b"+"
PLAIN: Final = b"-"
"""Flags: whether the resource says something that may not have been known on the day."""
TOGETHER: Final = 64
FEW: Final = 8
"""Lines that are decoded together, and so few that one that is not tidy is looked for line by line."""
ONLY_RESULTS: Final = frozenset({Result})
MOST_TYPES: Final = 100
"""That are learnt to be passed over."""


_observation: Final = msgspec.json.Decoder(Observation | Patient).decode
"""Of two types, so that the type has to be stated. What does not have the reader's shape is sorted by its head."""
UNREADABLE: Final = (*DATA_ERRORS, TypeError)


def scan(task: ScanTask) -> int:
    """Read the chunks; the result is on disk when this returns. The size is returned for the progress bar."""
    folder = Path(task.work) / "scan"
    destinations = Destinations(folder, task.name, task.partitions, task.sample, task.seed)
    found = []
    with without_collector():
        for number, chunk in task.chunks:
            found.append(Scanned(number))
            _Sorter(task, chunk, found[-1], destinations).sort()
        destinations.flush()
    found[-1].patients, found[-1].medications = destinations.patients.index, destinations.medications.index
    write_json(result_file(Path(task.work), task.name), found)
    return task.size


_Unit = tuple[str | None, str | None, str | None]
"""As written, as a code, and the system of that."""
NO_UNIT: Final = (NO_QUANTITY.unit, NO_QUANTITY.code, NO_QUANTITY.system)
"""Of a result without quantity."""


class _Sorter:
    """Sorts the lines of one chunk."""

    def __init__(self, task: ScanTask, chunk: Chunk, found: Scanned, destinations: Destinations) -> None:
        self._export, self._chunk = Path(task.export), chunk
        self._found, self._destinations = found, destinations
        self._waiting = {flag: Places(flag, self._destinations) for flag in (UNREAD, NOTHING)}
        for places in self._waiting.values():
            places.together = tuple(self._waiting.values())
        self._places: dict[tuple[bytes, bytes, _Unit], Places] = {}
        """Where results go that wait: by their code, by their category if the code is not known, and by their unit."""
        self._plain: dict[bytes, tuple[*_Unit, Places]] = {}
        """The same of a known code, with the unit that was learnt last."""
        self._codes = Codes()
        self._decode, self._passed = decode, dict[type[Any], str]()
        """The shapes of types that are not read, by name, as they were met."""
        self._settled = Settled(task.day)
        self._types, self._ignored, self._unassigned = Counter[str](), Counter[str](), Counter[str]()

    def sort(self) -> None:
        """All lines; a file that breaks off is noted."""
        found = self._found
        try:
            for block in read_blocks(self._export, self._chunk):
                for start in range(0, len(block), TOGETHER):
                    self._lines(found.rows + start + 1, block[start : start + TOGETHER])
                found.rows += len(block)
                if self._destinations.are_full:
                    self._flush()
        except Broken as error:
            found.broken = str(error)
        found.lines += found.rows
        found.types, found.ignored = dict(self._types), dict(self._ignored)
        found.unassigned = dict(self._unassigned)

    def _flush(self) -> None:
        self._destinations.flush()
        for places in (*self._waiting.values(), *self._places.values()):
            places.clear()

    def _lines(self, row: int, lines: list[Any]) -> None:
        """Lines that follow each other, None for one that is too long: nearly all are tidy, and nearly all are results."""
        try:
            read = list(map(self._decode, lines))
            if not (all(map(bytes.isascii, lines)) or is_utf_8(b"".join(lines))):
                raise BadLineError("not UTF-8")
        except UNREADABLE:
            if len(lines) > FEW:
                middle = len(lines) // 2
                self._lines(row, lines[:middle])
                self._lines(row + middle, lines[middle:])
            else:
                for number, line in enumerate(lines, row):
                    self._untidy(number, line)
            return
        if not ONLY_RESULTS.issuperset(map(type, read)):
            pairs = list(zip(lines, read, strict=True))
            for line, head in pairs:
                if type(head) in self._passed:
                    self._ignored[self._passed[type(head)]] += 1
                elif not isinstance(head, Result):
                    self._other(line_of(HEADS[type(head)], head), line.rstrip(b"\n"))
            lines = [line for line, result in pairs if isinstance(result, Result)]
            read = [result for result in read if isinstance(result, Result)]
        self._results(lines, read)

    def _results(self, lines: Sequence[bytes], results: Sequence[Result]) -> None:
        """The loop that a replay spends most of its time in."""
        plain, any_unit = self._plain, self._places
        others: list[tuple[Result, bytes]] = []
        for line, result in zip(lines, results, strict=True):
            sent = result.value_quantity
            if (sent.value or sent is NO_QUANTITY) and not (
                result.component or result.has_member or result.value_string or result.value_codeable_concept
            ):
                code = b"" + result.code_json  # in half the time that bytes() takes
                try:
                    unit, unit_code, system, places = plain[code]
                    if unit != sent.unit or unit_code != sent.code or system != sent.system:
                        places = any_unit[code, b"", (sent.unit, sent.code, sent.system)]
                    place = places[result.subject.reference]
                except KeyError:
                    others.append((result, line))
                else:
                    place += line, result.id
            else:
                others.append((result, line))
        if quick := len(results) - len(others):
            self._types["Observation"] += quick
            self._destinations.grow(sum(map(len, lines)) - sum(len(line) for _, line in others))
        for result, line in others:
            if result.value_quantity.value or result.value_quantity is NO_QUANTITY:
                self._result(result, line)
            else:  # as a binary number it is 0; what it is in the reader's decimals, if anything, they know
                self._by_reader(line)

    def _by_reader(self, line: bytes) -> None:
        """A line that is not tidy, or may not be. Raises BadLineError."""
        try:
            result = _observation(line)
            if not (line.isascii() or is_utf_8(line)):
                result = None
        except UNREADABLE:
            result = None
        if isinstance(result, Observation):
            self._result(result, line)
        else:
            self._other(read_head(line), line.rstrip(b"\n"))

    def _result(self, result: Observation, line: bytes) -> None:
        """A result that is not known to be plain."""
        self._types["Observation"] += 1
        written = b"" + result.code_json
        code = self._codes[written]
        named = result.subject or result.patient
        reference = named.reference if named else ""
        sent = None if result.value_quantity is NO_QUANTITY else result.value_quantity
        waits = self._codes.may_wait(result, code)
        if waits and self._destinations.plainly_named(reference):
            place = self._place(code, written, result, sent)[reference]
            place += line, result.id
            self._destinations.grow(len(line))
            return
        patient = patient_in(reference)
        held = self._destinations[patient]
        if held is None:
            if not is_named(patient):
                self._unassigned["Observation"] += 1
            return
        self._destinations.grow(len(line))
        if unknown := unmapped_result(code.analyte, written, result.category_json, sent):
            self._destinations.note(patient, unknown)
        settled = not waits and self._settled.holds_of_result(result)
        held.of(b"O" + (PLAIN if settled else CARE)).append(line.rstrip(b"\n"))

    def _place(self, code: Code, written: bytes, result: Observation, sent: Quantity | None) -> Places:
        """Where results like this one wait."""
        category = b"" if code.analyte is not None else b"" + result.category_json
        unit = (sent.unit or "", sent.code or "", sent.system or "") if sent else NO_UNIT
        sort = (written, category, unit)
        if sort in self._places:
            return self._places[sort]
        unknown = unmapped_result(code.analyte, written, result.category_json, sent)
        places = Places(code.flag, self._destinations, unknown) if unknown else self._waiting[code.flag]
        if len(written) + len(category) <= LONGEST:
            if len(self._places) >= MOST_REMEMBERED:
                self._places.clear()
                self._plain.clear()
            self._places[sort] = places
            if code.suffices and code.analyte is not None:
                self._plain[written] = (*unit, places)
        return places

    def _untidy(self, row: int, line: bytes | None) -> None:
        if line is None:
            self._bad(row, "too long")
        elif not line.strip():
            self._found.lines -= 1
        else:
            try:
                self._by_reader(line)
            except BadLineError as error:
                self._bad(row, str(error))

    def _bad(self, row: int, why: str) -> None:
        self._found.bad += 1
        if len(self._found.listed) < MOST_LISTED:
            self._found.listed.append((row, why))

    def _ignore(self, line: Line, content: bytes) -> None:
        self._ignored[line.type] += 1
        if line.type == "Bundle":
            self._found.deletions += deletions_in(content)
            return
        is_shaped = line.type in HEADS.values()  # a Medication without id
        if TYPE_NAME.fullmatch(line.type) and not is_shaped and len(self._passed) < MOST_TYPES:
            self._decode, self._passed = passing_over(frozenset({*self._passed.values(), line.type}))

    def _flag(self, line: Line, content: bytes) -> bytes:
        """Of a resource that is no result; empty if it may be left out."""
        if line.kind in ORDERS and is_plain_order(line, content):
            return UNREAD
        settled = self._settled.holds(line, content)
        if settled and is_over(line):
            return b""
        return (PLAIN if settled else CARE) + names_in(line, content)

    def _other(self, line: Line, content: bytes) -> None:
        """What is no Observation, or one that has not the reader's shape."""
        if line.type == "Medication" and line.id:
            self._types[line.type] += 1
            self._destinations.medication(line.id, MEDICATION, content)
            return
        if not line.kind:
            self._ignore(line, content)
            return
        self._types[line.type] += 1
        held = self._destinations[line.patient]
        if held is None:
            if not is_named(line.patient):
                self._unassigned[line.type] += 1
            return
        self._destinations.grow(len(content))
        if flag := self._flag(line, content):
            held.of(line.kind + flag).append(content)
        if line.head is not None and line.kind in b"ORS":
            if wanted := medication_id(line.head):
                self._destinations.wanted(wanted, line.patient)
            elif unknown := unmapped(line.type, line.head):
                self._destinations.note(line.patient, unknown)
