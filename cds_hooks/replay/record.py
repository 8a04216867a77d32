"""The record of one patient as the lines of the export have it, and as it would have been sent on a day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct

from cds_hooks.envelope import Member
from cds_hooks.replay.dated import Dated, dated, start_of
from cds_hooks.replay.destinations import UNMAPPED
from cds_hooks.replay.heads import KINDS, MEDICATION
from cds_hooks.replay.lines import Lines
from cds_hooks.replay.passed_over import NOTHING, ORDERS, UNREAD, are_unheard
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
NONE: Final = frozenset[bytes]()
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


class _Identified(Struct):
    id: str = ""


_encounter: Final = msgspec.json.Decoder(_Encounter)
_identified: Final = msgspec.json.Decoder(_Identified)


class Record:
    """The lines of one patient, read when they are asked for."""

    def __init__(self, lines: Lines, setup: Setup) -> None:
        self._lines, self._setup = lines, setup
        self._tags: dict[bytes, list[bytes]] = {}
        """By kind: the kind with each flag under which there are any."""
        for tag in sorted(lines.tags()):
            self._tags.setdefault(tag[:1], []).append(tag)
        self._histories: dict[bytes, list[Dated]] = {}
        self._moment: Moment | None = None
        self._sent: dict[frozenset[bytes], dict[str, Member]] = {}
        """What was sent at that moment, by the tags left out: both sides are sent the same."""
        self._may_wait: dict[bytes, frozenset[bytes]] = {}

    def patient(self) -> list[bytes]:
        """The resources of the patient."""
        return [content for tag in self._tags.get(b"T", ()) for content in self._lines.of(tag)]

    def history(self, kind: bytes) -> Iterator[Dated]:
        """The resources of a kind, with what they say of their past."""
        for tag in self._tags.get(kind, ()):
            yield from self._history(tag)

    def _history(self, tag: bytes) -> list[Dated]:
        known = self._histories.get(tag)
        if known is None:
            stands = self._stands(tag)
            known = [
                Dated(content, ALWAYS) if stands(content) else dated(tag[:1], content)
                for content in self._lines.of(tag)
            ]
            self._histories[tag] = known
        return known

    def _stands(self, tag: bytes) -> Callable[[bytes], bool]:
        """Tells of a line under this tag whether it is known as it stands, so that its history need not be read."""
        if self._setup.mode != "as-of" or tag[1:2] == CARE:
            return lambda _: False
        if tag[1:2] == PLAIN:
            return lambda _: True
        settled = settled_on(self._setup.day.isoformat())
        return settled.holds_of_line if tag[:1] == b"O" else lambda _: False

    def _known(self, kind: bytes, moment: Moment, apart: frozenset[bytes] = NONE) -> list[bytes]:
        """The resources of a kind as they stood on the day, without those under the tags `apart`."""
        known: list[bytes] = []
        for tag in self._tags.get(kind, ()):
            if tag in apart:
                continue
            if tag[1:2] == PLAIN and self._setup.mode == "as-of":
                known += self._lines.of(tag)
                continue
            for resource in self._history(tag):
                content = resource.on(moment.day, exactly=moment.exactly)
                if content is not None:
                    known.append(content)
        return known

    def may_wait(self, side: Side) -> frozenset[bytes]:
        """The tags of what changes nothing unless twitching is documented; see `passed_over`."""
        if self._setup.gate != "documented":
            return NONE
        flags = UNREAD if made(side).desk.order_codes else UNREAD + NOTHING
        if flags not in self._may_wait:
            self._may_wait[flags] = frozenset(self._apart(flags))
        return self._may_wait[flags]

    def says_nothing(self, side: Side) -> bool:
        """Whether what is left without what may wait is one Patient resource, and problems that make no difference."""
        if len(self.patient()) != 1:
            return False
        apart, heard = self.may_wait(side), _heard(side)
        return all(tag in apart or tag == UNMAPPED or are_unheard(tag, heard) for tag in self._lines.tags())

    def _apart(self, flags: bytes) -> Iterator[bytes]:
        """The tags with these flags, where none is another version of what has to be read.

        None if a medicine or an order has to be: it may be another version too, and beside a medicine that is being ordered
        results are read.
        """
        orders = [tag for kind in (*ORDERS, MEDICATION) for tag in self._tags.get(kind, ())]
        if not all(tag[1:] == UNREAD for tag in orders):
            return
        yield from orders
        waiting = [tag for tag in self._tags.get(b"O", ()) if tag[1:] in flags]
        if waiting and self._stand_alone(waiting):
            yield from waiting

    def _stand_alone(self, waiting: Sequence[bytes]) -> bool:
        """Whether no result under these tags is another version of an Observation under others."""
        others: set[str] = set()
        for tag in self._tags[b"O"]:
            if tag in waiting:
                continue
            if tag[1:] in UNREAD + NOTHING:
                others |= self._lines.ids(tag)
                continue
            for content in self._lines.of(tag):
                id_ = _id_of(content)
                if id_ is None or "\n" in id_:
                    return False
                others.add(id_)
        others.discard("")
        return not others or all(others.isdisjoint(self._lines.ids(tag)) for tag in waiting)

    def prefetch(self, moment: Moment, apart: frozenset[bytes] = NONE) -> dict[str, Member]:
        """The record as it stood on the day, under the keys of the services. A type that the export lacks has no key.

        What stands under the tags `apart` is left out.
        """
        if moment is not self._moment:
            self._moment = moment
            self._sent.clear()
        sent = self._sent.get(apart)
        if sent is None:
            sent = self._sent[apart] = self._prefetch(moment, apart)
        return sent

    def _prefetch(self, moment: Moment, apart: frozenset[bytes]) -> dict[str, Member]:
        found: dict[str, Member] = {}
        for key, kind in _keys(self._setup.types):
            known = self._known(kind, moment, apart) if kind in self._tags else []
            if kind == b"R":
                for tag in self._tags.get(MEDICATION, ()):
                    known += self._lines.of(tag) if tag not in apart else ()
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
        known = self._known(b"E", moment) if b"E" in self._tags else []
        return [content for content in known if about_encounter(content).status.strip().lower() in UNDER_WAY]


@cache
def _heard(side: Side) -> frozenset[str]:
    heard: frozenset[str] = made(side).desk.knowledge.gate.heard
    return heard


@cache
def _keys(types: frozenset[str]) -> list[tuple[str, bytes]]:
    held = {KINDS[type_] for type_ in types if type_ in KINDS}
    return [(key, kind) for key, kind in KEYS.items() if kind in held]


def _id_of(resource: bytes) -> str | None:
    """Empty if it has none, None if that cannot be read."""
    try:
        return _identified.decode(resource).id
    except DATA_ERRORS:
        return None


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
