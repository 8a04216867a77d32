"""Calcium from what the laboratory measured: ionised, adjusted, or total with albumin.

Ionised decides when it is there; an unadjusted total stands on its own inside the trusted albumin range; outside it
total and adjusted must agree, otherwise calcium is unknown and ionised calcium is the next test. High calcium goes by
the adjusted value (NICE NG132).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from mappings.assess.limits import interval_in, limit_in
from mappings.assess.readings import Reading, shown, unit_limits
from mappings.facts import DataGap, LabResult
from mappings.knowledge import Knowledge
from terminology.quantity import UnitError, convert

PLACES = {"mmol/L": Decimal("0.01"), "mg/dL": Decimal("0.1")}


def derive_calcium(readings: Mapping[str, Reading], knowledge: Knowledge, *, pregnant: bool) -> Reading:
    """The reading named `calcium`; `direction` unknown, with the sentence why, when it cannot be told."""
    rule = knowledge.calcium
    measured = [readings[name] for name in (rule.ionised, rule.adjusted, rule.total) if name in readings]
    usable = [reading for reading in measured if reading.answered and reading.direction != "unknown"]
    if not usable:
        return _unknown(knowledge, next(iter(measured), None))
    newest = max(reading.on() or date.min for reading in usable)
    ionised, adjusted, total = (
        next((r for r in usable if r.analyte == name), None)
        for name in (rule.ionised, rule.adjusted, rule.total)
    )
    if ionised and ionised.on() == newest:
        return _named(ionised)
    if adjusted and adjusted.on() == newest:
        return _named(adjusted)
    assert total is not None  # noqa: S101 - usable holds nothing else
    derived = _from_total(total, readings.get(rule.albumin), knowledge, pregnant=pregnant)
    if derived.direction != "unknown":
        return derived
    older = ionised or adjusted
    return _named(older) if older else derived


def _from_total(total: Reading, albumin: Reading | None, knowledge: Knowledge, *, pregnant: bool) -> Reading:
    rule, result = knowledge.calcium, total.result
    assert result is not None  # noqa: S101
    if albumin is None or not albumin.answered or albumin.result is None:
        return _without_albumin(total, knowledge)
    value = albumin.result
    low, high = interval_in(rule.albumin, rule.trusted_albumin, value.unit)
    adjusted = _adjust(result, value, knowledge)
    if adjusted is None or low is None or high is None:
        return _without_albumin(total, knowledge)
    judged = unit_limits(knowledge, rule.total, result.unit).judge(
        replace(result, value=adjusted, interpretation=""), pregnant=pregnant
    )
    says = knowledge.wording["calcium_adjusted"].format(
        adjusted=adjusted,
        unit=result.unit,
        albumin=shown(value.value, None),
        albumin_unit=value.unit,
    )
    if low <= value.value <= high:
        return _named(total, says)
    floor = limit_in(rule.albumin, rule.adjustable_albumin_at_least, value.unit)
    adjustable = floor is not None and value.value >= floor
    if judged.direction == "high" and adjustable:
        return replace(
            _named(total, knowledge.wording["calcium_adjusted_decides"].format(adjusted=says)),
            direction="high",
            band=judged.band,
            limit=judged.limit,
            limit_source=judged.source,
        )
    if judged.direction == total.direction:
        milder = judged.band if total.band == "critical" else total.band
        return replace(_named(total, says), band=milder)
    side = "low" if "low" in (total.direction, judged.direction) else "high"
    text = knowledge.wording["calcium_disagree"].format(
        side=side,
        total=shown(result.value, None),
        adjusted=adjusted,
        unit=result.unit,
        albumin=shown(value.value, None),
        albumin_unit=value.unit,
    )
    return _unknown(knowledge, total, DataGap(rule.id, "conflicting", text, result.resource))


def _without_albumin(total: Reading, knowledge: Knowledge) -> Reading:
    """Without albumin a total cannot clear calcium; a critical one is still reported as it stands."""
    result = total.result
    assert result is not None  # noqa: S101
    text = knowledge.wording["calcium_without_albumin"].format(
        total=f"{result.comparator}{shown(result.value, None)}",
        unit=result.unit,
        date=result.date.isoformat(),
    )
    if total.band == "critical":
        return _named(total, text)
    return _unknown(knowledge, total, DataGap("calcium", "companion-missing", text, result.resource))


def _adjust(total: LabResult, albumin: LabResult, knowledge: Knowledge) -> Decimal | None:
    """The adjusted total in its own unit; the formula of the canonical unit serves units without one."""
    rule = knowledge.calcium
    if total.comparator or albumin.comparator:
        return None
    unit = total.unit if total.unit in rule.factor else next(iter(rule.factor))
    try:
        grams = convert(rule.albumin, albumin.value, albumin.unit, rule.albumin_unit[unit])
        value = convert(rule.total, total.value, total.unit, unit)
        adjusted = value + rule.factor[unit] * (rule.albumin_reference[unit] - grams)
        return convert(rule.total, adjusted, unit, total.unit).quantize(
            PLACES.get(total.unit, Decimal("0.01"))
        )
    except UnitError:
        return None


def _named(reading: Reading, says: str = "") -> Reading:
    return replace(reading, analyte="calcium", says=says)


def _unknown(knowledge: Knowledge, newest: Reading | None, gap: DataGap | None = None) -> Reading:
    rule = knowledge.calcium
    if newest is None:
        return Reading(rule.id, rule.title)
    return Reading(
        analyte=rule.id,
        title=rule.title,
        result=newest.result,
        age_days=newest.age_days,
        gap=gap or newest.gap,
    )
