"""FHIR date, dateTime and instant, as written: partial, without seconds, with or without a zone."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime
from typing import NamedTuple

from mappings.from_fhir.datatypes import Period
from mappings.from_fhir.memory import remember

PARTIAL = re.compile(r"(\d{4})(?:-(\d\d))?")
DAY_FIRST = re.compile(r"(\d{4}-\d\d-\d\d)(?:\D|$)")
UNSET = ("0001", "9999")
"""The years in which a date that was never set lies in .NET and Go, and in which an open end lies in databases."""


class When(NamedTuple):
    """A stated time: the first and the last day it allows, and an instant to sort by."""

    earliest: date
    latest: date
    moment: str
    """ISO 8601 in UTC, sorts as text; empty if no time of day was stated."""


@remember
def when(text: str) -> When | None:
    """Read a FHIR time; None if there is none, if it was never set or no calendar day can be read from it.

    The day is the day as written: a zone moves the instant, never the day.
    """
    text = text.strip()
    if is_unset(text):
        return None
    if partial := PARTIAL.fullmatch(text):
        return _partial(int(partial[1]), int(partial[2] or 0))
    written = DAY_FIRST.match(text)
    if not written:
        return None
    try:
        day = date.fromisoformat(written[1])
    except ValueError:
        return None
    return When(day, day, _moment(text))


def is_unset(text: str) -> bool:
    """Whether a time says nothing: it is absent, or in the first or last year, as programs write an unset one."""
    return not text or text.startswith(UNSET)


def _partial(year: int, month: int) -> When | None:
    try:
        first = date(year, month or 1, 1)
    except ValueError:
        return None
    last = date(year, month or 12, monthrange(year, month or 12)[1])
    return When(first, last, "")


def _moment(text: str) -> str:
    if len(text) <= len("2026-03-01"):
        return ""
    try:
        stated = datetime.fromisoformat(text)
        moment = stated.astimezone(UTC) if stated.tzinfo else stated
    except ValueError:
        return ""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")


def first_readable(*texts: str) -> When | None:
    """The first of these times that can be read."""
    for text in texts:
        if text and (stated := when(text)):
            return stated
    return None


def end_or_start(period: Period | None) -> tuple[str, str]:
    """A period's end, then its start: when what it describes was complete."""
    return (period.end, period.start) if period else ("", "")
