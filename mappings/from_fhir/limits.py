"""The laboratory's own reference interval for this patient, and its own word on the result."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from mappings.facts import Limits
from mappings.from_fhir.datatypes import WRITTEN_NUMBER, CodeableConcept, Quantity, number
from mappings.from_fhir.shapes import RangeAge, ReferenceRange
from mappings.from_fhir.vocabulary import (
    INTERPRETATION_CODES,
    INTERPRETATION_SYSTEM,
    INTERPRETATION_TEXTS,
    POPULATIONS,
    RANGE_TYPES,
    Interpretation,
    plain,
)
from terminology import quantity

Interval = tuple[Decimal | None, Decimal | None]

_NUMBER: Final = f"({WRITTEN_NUMBER})"
_INTERVAL: Final = re.compile(rf"{_NUMBER}\s*(?:-|\u2013|to)\s*{_NUMBER}\s*(\S*)")
_ONE_SIDED: Final = re.compile(rf"([<>]=?|[≤≥])\s*{_NUMBER}\s*(\S*)")
_YEARS: Final = frozenset({"a", "y", "yr", "yrs", "year", "years"})


class Person(NamedTuple):
    """What decides which interval applies."""

    sex: str = ""
    birth_date: tuple[date, date] | None = None
    pregnant: bool = False


class Reported(NamedTuple):
    """The result an interval is for, as reported and as understood."""

    analyte: str
    value: Decimal
    unit_as_sent: str
    unit: str
    on: date


def limits(ranges: Sequence[ReferenceRange], reported: Reported, person: Person) -> Limits | None:
    """The one interval that applies to this person, in the unit of the result; None if none or several do.

    Not used: 0-0, low above or equal to high, another unit than the result's, text that is not plainly an
    interval, an interval for somebody else. Public records hold all of these.
    """
    if len(ranges) == 1:
        fits = _fit(ranges[0], person, reported.on) is not None
        only = _interval(ranges[0], reported) if fits else None
        return Limits(*only) if only else None
    best = 0
    candidates: set[Interval] = set()
    for range_ in ranges:
        fit = _fit(range_, person, reported.on)
        if fit is None or fit < best:
            continue
        interval = _interval(range_, reported)
        if interval is None:
            continue
        if fit > best:
            best, candidates = fit, set()
        candidates.add(interval)
    if len(candidates) != 1:
        return None
    low, high = candidates.pop()
    return Limits(low, high)


def _fit(range_: ReferenceRange, person: Person, on: date) -> int | None:
    """How particularly the interval is meant for this person; None if it is not."""
    if range_.type and not _is_normal(range_.type):
        return None
    fit = 0
    for population in range_.applies_to:
        meanings = {POPULATIONS.get(plain(name)) for name in _names(population)} - {None}
        if not meanings & {"adult", person.sex, "pregnant" if person.pregnant else ""}:
            return None
        fit += meanings != {"adult"}
    if range_.age:
        if not _in_age(range_.age, person.birth_date, on):
            return None
        fit += 1
    return fit


def _is_normal(meaning: CodeableConcept) -> bool:
    for coding in meaning.coding:
        if coding.code in RANGE_TYPES:
            return True
    return any(plain(name) in RANGE_TYPES for name in _names(meaning))


def _names(concept: CodeableConcept) -> list[str]:
    return [concept.text, *(name for c in concept.coding for name in (c.display, c.code) if name)]


def _in_age(age: RangeAge, birth_date: tuple[date, date] | None, on: date) -> bool:
    if birth_date is None or any(
        limit and (limit.code or limit.unit) not in _YEARS for limit in (age.low, age.high)
    ):
        return False
    ages = [on.year - born.year - ((on.month, on.day) < (born.month, born.day)) for born in birth_date]
    low = age.low.value if age.low else None
    high = age.high.value if age.high else None
    return all((low is None or years >= low) and (high is None or years <= high) for years in ages)


def _interval(range_: ReferenceRange, reported: Reported) -> Interval | None:
    low, high = range_.low, range_.high
    if low is None and high is None:
        return _from_text(range_.text, reported)
    if (low and not _same_unit(low, reported)) or (high and not _same_unit(high, reported)):
        return None
    return _checked(low.value if low else None, high.value if high else None)


def _checked(low: Decimal | None, high: Decimal | None) -> Interval | None:
    if (low is not None and not low.is_finite()) or (high is not None and not high.is_finite()):
        return None
    if (low is None and not high) or (low is not None and high is not None and low >= high):
        return None
    return low, high


def _from_text(text: str, reported: Reported) -> Interval | None:
    text = text.strip()
    if text[:1] + text[-1:] in ("()", "[]"):
        text = text[1:-1].strip()
    if both := _INTERVAL.fullmatch(text):
        unit, low, high = both[3], number(both[1]), number(both[2])
        return _checked(low, high) if _same_unit(Quantity(unit=unit or None), reported) else None
    if one := _ONE_SIDED.fullmatch(text):
        limit = number(one[2])
        if _same_unit(Quantity(unit=one[3] or None), reported):
            return _checked(None, limit) if one[1] in ("<", "<=", "≤") else _checked(limit, None)
    return None


def _same_unit(limit: Quantity, reported: Reported) -> bool:
    sent = limit.code or limit.unit
    if not sent or sent == reported.unit_as_sent:
        return True
    read = quantity.read(
        reported.analyte, reported.value, unit=limit.unit, code=limit.code, system=limit.system
    )
    return isinstance(read, quantity.Quantity) and read.unit == reported.unit


def interpretation(concepts: Sequence[CodeableConcept]) -> Interpretation:
    """LL, L, N, H or HH as the laboratory says; empty for everything else and for contradictions."""
    said = {_meaning(concept) for concept in concepts}
    said.discard("")
    if len(said) > 1:
        said -= {mild for severe, mild in (("LL", "L"), ("HH", "H")) if severe in said}
    return said.pop() if len(said) == 1 else ""


@lru_cache(maxsize=64)
def _is_hl7s(system: str | None) -> bool:
    return not system or bool(INTERPRETATION_SYSTEM.search(system))


def _meaning(concept: CodeableConcept) -> Interpretation:
    for coding in concept.coding:
        code = INTERPRETATION_CODES.get(coding.code or "")
        if code and _is_hl7s(coding.system):
            return code
    for name in (concept.text, *(coding.display for coding in concept.coding)):
        if name and (meaning := INTERPRETATION_TEXTS.get(plain(name))):
            return meaning
    return ""
