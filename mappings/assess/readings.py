"""One reading per analyte: the latest valid result, judged; or why there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import Struct

from mappings.assess.limits import Direction, UnitLimits
from mappings.facts import DataGap, LabResult
from mappings.knowledge import Knowledge
from mappings.limit_rules import AnalyteRule

CLOCK_SKEW = timedelta(days=1)
"""A result of tomorrow is today's, seen from another time zone."""


class Reading(Struct, frozen=True):
    """What is known of one analyte now. `direction` is `unknown` unless a usable result says otherwise."""

    analyte: str
    title: str
    direction: Direction = "unknown"
    band: str = ""
    result: LabResult | None = None
    """The result it rests on, or the newest unusable one when `direction` is unknown."""
    age_days: int = 0
    limit: Decimal | None = None
    limit_source: Literal["", "lab", "guideline", "default"] = ""
    answered: bool = False
    """A current result exists, even where no limit decides whether it is normal."""
    gap: DataGap | None = None
    says: str = ""
    """How it was derived, when that needs saying (albumin adjustment)."""

    def on(self) -> date | None:
        return self.result.date if self.result else None


class Readings:
    """All readings of one patient, and the gaps found while reading them."""

    def __init__(self, by_analyte: Mapping[str, Reading], gaps: list[DataGap]) -> None:
        self.by_analyte = by_analyte
        self.gaps = gaps

    def __getitem__(self, analyte: str) -> Reading:
        return self.by_analyte.get(analyte) or _no_reading(analyte)


@lru_cache(maxsize=256)
def _no_reading(analyte: str) -> Reading:
    return Reading(analyte, analyte.replace("_", " "))


@lru_cache(maxsize=1024)
def unit_limits(knowledge: Knowledge, analyte: str, unit: str) -> UnitLimits:
    """The compiled limits of an analyte in a unit."""
    return UnitLimits(knowledge.analytes[analyte], unit)


def read_results(
    labs: Iterable[LabResult], knowledge: Knowledge, today: date, *, pregnant: bool
) -> dict[str, Reading]:
    """A reading for every analyte that has a result and a rule; stale or undecidable ones are `unknown`."""
    results: dict[str, list[LabResult]] = defaultdict(list)
    for result in labs:
        if result.analyte in knowledge.analytes:
            results[result.analyte].append(result)
    return {
        analyte: _read(knowledge, knowledge.analytes[analyte], found, today, pregnant=pregnant)
        for analyte, found in results.items()
    }


def _read(
    knowledge: Knowledge, rule: AnalyteRule, results: list[LabResult], today: date, *, pregnant: bool
) -> Reading:
    until = today + CLOCK_SKEW
    if len(results) == 1 and results[0].date <= until:
        return _judge(knowledge, rule, results[0], today, pregnant=pregnant)
    past = [result for result in results if result.date <= until]
    if not past:
        newest = max(results, key=lambda result: (result.date, result.resource))
        return _unusable(knowledge, rule, newest, "future-date", "future_date", today)
    newest_day = max(result.date for result in past)
    of_day = [result for result in past if result.date == newest_day]
    readings = [_judge(knowledge, rule, result, today, pregnant=pregnant) for result in _latest(of_day)]
    return max(
        readings, key=lambda reading: (SEVERITY[reading.direction], _depth(rule, reading), _key(reading))
    )


def _latest(of_day: list[LabResult]) -> list[LabResult]:
    """The newest of one day; all of them when a time is missing, because the order is then unknown."""
    if len(of_day) == 1 or not all(result.moment for result in of_day):
        final = [result for result in of_day if not result.preliminary]
        return final or of_day
    newest = max(result.moment for result in of_day)
    same = [result for result in of_day if result.moment == newest]
    return [result for result in same if not result.preliminary] or same


SEVERITY = {"unknown": 0, "normal": 1, "high": 2, "low": 2}


def _depth(rule: AnalyteRule, reading: Reading) -> int:
    """How severe the band is: the first of a side is the deepest."""
    if reading.direction not in ("low", "high"):
        return 0
    names = [band.name for band in getattr(rule.bands, reading.direction)]
    return len(names) - names.index(reading.band) if reading.band in names else 0


def _key(reading: Reading) -> tuple[Decimal, str, bytes]:
    """Of equal results always the same one: copies of one result may differ in what is said of the specimen."""
    result = reading.result
    assert result is not None  # noqa: S101 - a judged reading has its result
    return result.value, result.resource, msgspec.json.encode(result)


def _judge(
    knowledge: Knowledge, rule: AnalyteRule, result: LabResult, today: date, *, pregnant: bool
) -> Reading:
    age = (today - result.date).days
    if age > rule.usable_days:
        return _unusable(knowledge, rule, result, "stale", "stale", today)
    limits = unit_limits(knowledge, rule.id, result.unit)
    if result.range and limits.contradicts(result.range):
        return _unusable(knowledge, rule, result, "unit-contradicts-range", "unit_contradicts_range", today)
    verdict = limits.judge(result, pregnant=pregnant)
    if verdict.direction == "unknown" and not limits.stated:
        return _unusable(knowledge, rule, result, "unknown-unit", "no_limit_in_unit", today)
    if verdict.direction == "unknown" and result.comparator and verdict.limit is not None:
        return _unusable(knowledge, rule, result, "uncertain-comparator", "uncertain_comparator", today)
    return Reading(
        analyte=rule.id,
        title=rule.title,
        direction=verdict.direction,
        band=verdict.band,
        result=result,
        age_days=max(age, 0),
        limit=verdict.limit,
        limit_source=verdict.source,
        answered=True,
    )


def _unusable(
    knowledge: Knowledge,
    rule: AnalyteRule,
    result: LabResult,
    reason: Literal["stale", "future-date", "unit-contradicts-range", "uncertain-comparator", "unknown-unit"],
    wording: str,
    today: date,
) -> Reading:
    text = knowledge.wording[wording].format(
        analyte=rule.title,
        value=f"{result.comparator}{shown(result.value, None)} {result.unit}",
        date=result.date.isoformat(),
        age=age_text((today - result.date).days),
    )
    return Reading(
        analyte=rule.id,
        title=rule.title,
        result=result,
        age_days=(today - result.date).days,
        gap=DataGap(rule.id, reason, text, result.resource),
    )


def shown(value: Decimal, limit: Decimal | None) -> str:
    """The value as reported; a tail of more than three decimals is cut, unless that would move it to the limit."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -4:
        rounded = value.quantize(Decimal("0.001"))
        if rounded not in (limit, 0):
            return f"{rounded:f}"
    return f"{value:f}"


def age_text(days: int) -> str:
    """`3 days`, `14 months`, `2 years`: an age as a clinician says it."""
    if days < 61:
        return f"{days} day{'s' if days != 1 else ''}"
    months = (days * 12 + 182) // 365
    if months < 24:
        return f"{months} months"
    return f"{months // 12} years"
