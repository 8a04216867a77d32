"""When a resource became known, and what it said before it last changed: no future may leak into the past.

An export holds the last version of each resource. What follows from its own dates is undone (an end, a resolution,
a death after the day); what changed without a date cannot be, and docs/replay.md says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

import msgspec
from msgspec import Struct

from mappings.from_fhir.dates import When, when
from mappings.from_fhir.details import DATA_ERRORS

KNOWN_FROM: Final[dict[bytes, tuple[tuple[str, ...], ...]]] = {
    b"O": (
        ("issued",),
        ("effectiveDateTime", "effectiveInstant", "effectivePeriod.end", "effectivePeriod.start"),
    ),
    b"R": (("authoredOn", "dateWritten", "dispenseRequest.validityPeriod.start"),),
    b"S": (("dateAsserted", "effectiveDateTime", "effectivePeriod.start"),),
    b"C": (
        ("recordedDate", "assertedDate", "dateRecorded", "onsetDateTime", "onsetPeriod.start", "onsetString"),
    ),
    b"E": (("period.start", "actualPeriod.start"),),
    b"V": (("authoredOn", "occurrenceDateTime"),),
    b"P": (
        (
            "performedDateTime",
            "performedPeriod.end",
            "performedPeriod.start",
            "occurrenceDateTime",
            "occurrencePeriod.end",
            "performedString",
        ),
    ),
    b"Q": (("authored",),),
}
"""By kind: groups of elements. Of each group the first that can be read counts, and of all groups the latest day."""

MEDICINE_ENDS: Final = ("statusChanged", "effectivePeriod.end", "dispenseRequest.validityPeriod.end")
ENDS: Final[dict[bytes, tuple[str, ...]]] = {
    b"R": MEDICINE_ENDS,
    b"S": MEDICINE_ENDS,
    b"C": ("abatementDateTime", "abatementPeriod.start", "abatementPeriod.end", "abatementString"),
    b"E": ("period.end", "actualPeriod.end"),
    b"T": ("deceasedDateTime",),
}
_decode: Final = msgspec.json.Decoder().decode
ENDED_MEDICINE: Final = frozenset({"stopped", "completed"})


class Dated(Struct, frozen=True):
    """One resource and its history, as far as it tells it. Days are the first on which a state was known."""

    content: bytes
    known: When | None = None
    """None: it states no time."""
    updated: date | None = None
    """`meta.lastUpdated`, asked only of what states no time."""
    changed: date | None = None
    before: bytes = b""
    """What it said before `changed`."""

    def on(self, day: date, *, exactly: bool) -> bytes | None:
        """The resource as it stood on `day`; None when it was not known.

        `exactly`: of a partial date the last day it allows counts, and what has no date at all was not known.
        """
        if self.known:
            if (self.known.latest if exactly else self.known.earliest) > day:
                return None
        elif (exactly and self.updated is None) or (self.updated and self.updated > day):
            return None
        return self.before if self.changed and self.changed > day else self.content


def dated(kind: bytes, content: bytes) -> Dated:
    """Read the times of one resource. What is out of shape states none."""
    try:
        resource = _read(content)
    except DATA_ERRORS:
        return Dated(content)
    if kind == b"T":
        known: When | None = When(date.min, date.min, "")
    else:
        stated = [found for group in KNOWN_FROM.get(kind, ()) if (found := _first(resource, group))]
        known = max(stated, key=_latest, default=None)
    updated = None if known else _first(resource, ("meta.lastUpdated",))
    ends = _ends(kind, resource)
    changed = max((time.earliest for time in _all(resource, ends)), default=None) if ends else None
    before = _before(kind, resource) if changed else b""
    return Dated(content, known, updated.earliest if updated else None, changed if before else None, before)


def _read(content: bytes) -> Any:
    """The quicker decoder refuses what the other allows, half of a surrogate pair for instance. Raises `DATA_ERRORS`."""
    try:
        return _decode(content)
    except DATA_ERRORS:
        return json.loads(content)


def start_of(encounter: Dated) -> date | None:
    """The first day of an encounter."""
    return encounter.known.earliest if encounter.known else None


def _ends(kind: bytes, resource: Any) -> tuple[str, ...]:
    if kind == b"R" and isinstance(resource, dict) and resource.get("statusChanged"):
        return ("statusChanged",)
    return ENDS.get(kind, ())


def _before(kind: bytes, resource: Any) -> bytes:
    """The resource without its end; empty when nothing had changed."""
    if kind == b"C":
        kept = {name: value for name, value in resource.items() if not name.startswith("abatement")}
        kept["clinicalStatus"] = {"coding": [{"code": "active"}]}
    elif kind == b"T":
        kept = {name: value for name, value in resource.items() if not name.startswith("deceased")}
    elif kind == b"E":
        kept = resource | {"status": "in-progress"}
    elif str(resource.get("status", "")).strip().lower() in ENDED_MEDICINE:
        kept = {name: value for name, value in resource.items() if name != "statusChanged"}
        kept["status"] = "active"
    else:
        return b""
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _latest(time: When) -> tuple[date, date]:
    return time.latest, time.earliest


def _first(resource: Any, names: Iterable[str]) -> When | None:
    for name in names:
        if time := _time(resource, name):
            return time
    return None


def _all(resource: Any, names: Iterable[str]) -> Iterator[When]:
    return filter(None, (_time(resource, name) for name in names))


def _time(resource: Any, name: str) -> When | None:
    value = resource
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return when(value) if isinstance(value, str) else None
