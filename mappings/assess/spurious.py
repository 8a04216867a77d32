"""Results that must not be believed: haemolysis, EDTA contamination, assay interference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from msgspec.structs import replace

from mappings.assess import evidence
from mappings.assess.case import Case
from mappings.assess.compiled import Compiled
from mappings.assess.limits import bounds_in, span_of
from mappings.assess.readings import Reading
from mappings.assessment import SafetyItem
from mappings.facts import DataGap
from mappings.rules import SpuriousResult, SpuriousRule

ITEM = "safety:spurious_result"


class Doubts(NamedTuple):
    """The readings that are still believed, what is shown, the tests to repeat for which pattern, and remarks."""

    readings: dict[str, Reading]
    items: list[SafetyItem]
    repeats: dict[str, SpuriousRule]
    notes: list[str]


def doubt(case: Case, rules: Compiled, readings: Mapping[str, Reading]) -> Doubts:
    """What the patterns make of these readings."""
    found = Doubts(dict(readings), [], {}, [])
    for rule, exposed in rules.spurious:
        if exposed is not None and exposed(case) is None:
            continue
        matched = _matched(rule, readings)
        if matched is None:
            continue
        proof = tuple(evidence.of_reading(reading, rules.knowledge) for reading in matched)
        for name in rule.invalidates:
            if name in found.readings and _same(rule, found.readings[name], matched):
                found.readings[name] = _doubted(found.readings[name], rule)
        if rule.invalidates:
            item = SafetyItem(ITEM, rule.title, proof, rule.says, "C1", rule.indicator, rule.references)
            found.items.append(item)
        else:
            found.notes.append("; ".join((*(item.text for item in proof), rule.says)))
        found.repeats.update(dict.fromkeys(rule.repeat, rule))
    return found


def _matched(rule: SpuriousRule, readings: Mapping[str, Reading]) -> list[Reading] | None:
    """The readings that make up the pattern; None when it is not there."""
    needed: list[list[Reading]] = []
    for part in rule.results:
        if not (candidates := _candidates(part, rule, readings)):
            return None
        needed.append(candidates)
    if not needed:
        return None
    optional = [reading for part in rule.any_of for reading in _candidates(part, rule, readings)]
    anchor = needed[0][0]
    together = [
        next((r for r in group if not rule.same_specimen or _one_specimen(anchor, r)), None)
        for group in needed
    ]
    if rule.any_of:
        together.append(
            next((r for r in optional if not rule.same_specimen or _one_specimen(anchor, r)), None)
        )
    found = [reading for reading in together if reading is not None]
    return found if len(found) == len(together) else None


def _candidates(part: SpuriousResult, rule: SpuriousRule, readings: Mapping[str, Reading]) -> list[Reading]:
    found = []
    for name in part.labs:
        reading = readings.get(name)
        if reading is None or reading.result is None:
            continue
        if rule.haemolysed and reading.result.specimen_problem != "haemolysed":
            continue
        if not _is(part, reading):
            continue
        found.append(reading)
    return found


def _is(part: SpuriousResult, reading: Reading) -> bool:
    wanted = {"abnormal": ("low", "high"), "known": ("low", "normal", "high")}.get(
        str(part.is_), (str(part.is_),)
    )
    if reading.direction not in wanted or reading.result is None:
        return False
    if part.limit is None:
        return True
    result = reading.result
    return bounds_in(reading.analyte, part.limit, result.unit).hold(span_of(result.value, result.comparator))


def _one_specimen(first: Reading, second: Reading) -> bool:
    """The same specimen, or, when either is unnamed, the same day."""
    one, other = first.result, second.result
    assert one is not None  # noqa: S101 - a pattern is made of results
    assert other is not None  # noqa: S101
    if one.specimen and other.specimen:
        return one.specimen == other.specimen
    return one.date == other.date


def _same(rule: SpuriousRule, reading: Reading, matched: Iterable[Reading]) -> bool:
    return not rule.same_specimen or any(_one_specimen(reading, other) for other in matched)


def _doubted(reading: Reading, rule: SpuriousRule) -> Reading:
    resource = reading.result.resource if reading.result else ""
    on: date | None = reading.on()
    return replace(
        reading,
        direction="unknown",
        band="",
        answered=False,
        gap=DataGap(
            reading.analyte,
            "spurious",
            f"{reading.title}: {rule.title[:1].lower()}{rule.title[1:]}",
            resource,
            on,
        ),
    )
