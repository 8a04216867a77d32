"""The record of one patient as the lines of the export have it, and as it would have been sent on a day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct

from cds_hooks.envelope import Member
from cds_hooks.replay.dated import Dated, dated, start_of
from cds_hooks.replay.heads import KINDS, MEDICATION, read_head
from cds_hooks.replay.lines import Lines
from cds_hooks.replay.passed_over import NOTHING, RESULT
from cds_hooks.replay.scan import CARE, PLAIN
from cds_hooks.replay.sent import bundle
from cds_hooks.replay.settled import settled_on
from cds_hooks.replay.sides import Gate, Mode, Side, made
from mappings.from_fhir.dates import When
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.problems import UNDER_WAY

KEYS: Final = {
    "conditions": b"C",
    "labs": b"O",
    "medications": b"R",
    "statements": b"S",
    "orders": b"V",
    "procedures": b"P",
    "answers": b"Q",
}
"""Where the resources of a kind go. All Observations go under one of their keys: the reader sorts them by what they are."""
TAGS: Final = {
    kind: frozenset(kind + flag for flag in (CARE, PLAIN, RESULT, NOTHING)) for kind in KINDS.values()
}
"""Kind -> what its lines stand under."""
ALWAYS: Final = When(date.min, date.min, "")


class Setup(Struct, frozen=True):
    """How the export is replayed, and by which one or two sides."""

    mode: Mode
    day: date
    since: date | None
    gate: Gate
    sides: tuple[Side, ...]
    types: frozenset[str] = frozenset()
    """The resource types that the export holds."""


class Moment(NamedTuple):
    """A day on which the patient's record is looked at, and the encounter that starts."""

    day: date
    exactly: bool
    """A day in the past: what cannot be placed in time does not count."""
    encounter: str = ""
    encounter_content: bytes = b""


class _Encounter(Struct):
    id: str = ""
    status: str = ""


_encounter: Final = msgspec.json.Decoder(_Encounter)


class Record:
    """The lines of one patient, read when they are asked for."""

    def __init__(self, lines: Lines, setup: Setup) -> None:
        self._lines, self._tags, self._setup = lines, lines.tags(), setup
        self._kinds = {tag[:1] for tag in self._tags}
        self._histories: dict[bytes, list[Dated]] = {}
        self._moment: Moment | None = None
        self._sent: dict[bytes, dict[str, Member]] = {}
        """What was sent at that moment, by the flags left out: both sides are sent the same."""
        self._may_wait: dict[bytes, bool] = {}

    def history(self, kind: bytes) -> Iterator[Dated]:
        """The resources of a kind, with what they say of their past."""
        for tag in self._held(kind):
            yield from self._history(tag)

    def _held(self, kind: bytes) -> list[bytes]:
        """The kind with each flag under which there are any."""
        return sorted(self._tags & TAGS[kind])

    def _history(self, tag: bytes) -> list[Dated]:
        known = self._histories.get(tag)
        if known is None:
            stands = self._stands(tag[1:])
            known = [
                Dated(content, ALWAYS) if stands(content) else dated(tag[:1], content)
                for content in self._lines.of(tag)
            ]
            self._histories[tag] = known
        return known

    def _stands(self, flag: bytes) -> Callable[[bytes], bool]:
        """Tells of a line with this flag whether it is known as it stands, so that its history need not be read."""
        if self._setup.mode != "as-of" or flag == CARE:
            return lambda _: False
        return (lambda _: True) if flag == PLAIN else settled_on(self._setup.day.isoformat()).holds_of_line

    def _known(self, kind: bytes, moment: Moment, apart: bytes = b"") -> list[bytes]:
        """The resources of a kind as they stood on the day, without those of the flags `apart`."""
        known: list[bytes] = []
        for tag in self._held(kind):
            flag = tag[1:]
            if flag in apart:
                continue
            if flag == PLAIN and self._setup.mode == "as-of":
                known += self._lines.of(tag)
                continue
            for resource in self._history(tag):
                content = resource.on(moment.day, exactly=moment.exactly)
                if content is not None:
                    known.append(content)
        return known

    def may_wait(self, side: Side) -> bytes:
        """The flags of results that change nothing unless twitching is documented; see `passed_over`."""
        if self._setup.gate != "documented":
            return b""
        apart = RESULT if made(side).desk.order_codes else RESULT + NOTHING
        if apart not in self._may_wait:
            self._may_wait[apart] = self._stands_alone(apart)
        return apart if self._may_wait[apart] else b""

    def _stands_alone(self, apart: bytes) -> bool:
        """Whether there are such results and none is another version of an Observation that has to be read."""
        held = [tag[1:] for tag in self._held(b"O")]
        waiting = [flag for flag in held if flag in apart]
        kept = [flag for flag in held if flag not in apart]
        if not (waiting and kept):
            return bool(waiting)
        others: set[str] = set()
        for flag in kept:
            if flag in (RESULT, NOTHING):
                others |= self._lines.ids(b"O" + flag)
                continue
            for content in self._lines.of(b"O" + flag):
                line = read_head(content)
                if line.head is None or "\n" in line.id:
                    return False
                others.add(line.id)
        others.discard("")
        return all(others.isdisjoint(self._lines.ids(b"O" + flag)) for flag in waiting)

    def prefetch(self, moment: Moment, apart: bytes = b"") -> dict[str, Member]:
        """The record as it stood on the day, under the keys of the services. A type that the export lacks has no key."""
        if moment is not self._moment:
            self._moment = moment
            self._sent.clear()
        sent = self._sent.get(apart)
        if sent is None:
            sent = self._sent[apart] = self._prefetch(moment, apart)
        return sent

    def _prefetch(self, moment: Moment, apart: bytes) -> dict[str, Member]:
        found: dict[str, Member] = {}
        for key, kind in _keys(self._setup.types):
            known = self._known(kind, moment, apart) if kind in self._kinds else []
            if kind == b"R":
                known += self._lines.of(MEDICATION + PLAIN)
            found[key] = bundle(known)
        if patient := self._known(b"T", moment):
            if moment.exactly and any((start_of(e) or date.min) >= moment.day for e in self.history(b"E")):
                patient = [_alive(content) for content in patient]
            found["patient"] = Raw(patient[0]) if len(patient) == 1 else bundle(patient)
        held = [moment.encounter_content] if moment.encounter else self._under_way(moment)
        if held:
            found["encounter"] = Raw(held[0]) if len(held) == 1 else bundle(held)
        return found

    def _under_way(self, moment: Moment) -> list[bytes]:
        """The encounters of which a chart that is opened on this day may be a part."""
        known = self._known(b"E", moment) if b"E" in self._kinds else []
        return [content for content in known if about_encounter(content).status.strip().lower() in UNDER_WAY]


@cache
def _keys(types: frozenset[str]) -> list[tuple[str, bytes]]:
    held = {KINDS[type_] for type_ in types if type_ in KINDS}
    return [(key, kind) for key, kind in KEYS.items() if kind in held]


def about_encounter(encounter: bytes) -> _Encounter:
    """Its id and status, empty where they cannot be read."""
    try:
        return _encounter.decode(encounter)
    except DATA_ERRORS:
        return _Encounter()


def _alive(patient: bytes) -> bytes:
    """Somebody who has an encounter later has not died yet, whatever an undated flag says today."""
    if b'"deceasedBoolean"' not in patient:
        return patient
    try:
        resource = json.loads(patient)
    except DATA_ERRORS:
        return patient
    return json.dumps({name: value for name, value in resource.items() if name != "deceasedBoolean"}).encode()
