"""Properties of one result: more abnormal is never less severe, and a unit changes nothing away from a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mappings.assess.assess import assess
from mappings.assess.limits import limit_in
from mappings.assessment import Assessment
from mappings.facts import LabResult, Limits, Patient, PatientFacts
from mappings.knowledge import load_knowledge
from terminology.quantity import UnitError, analytes, convert

Adult = Callable[..., PatientFacts]
KNOWLEDGE = load_knowledge()
TODAY = date(2026, 3, 1)
LABS = sorted(KNOWLEDGE.analytes)
INDICATORS = {"none": 0, "info": 1, "warning": 2, "critical": 3}
SIDES = [
    (name, side)
    for name, rule in KNOWLEDGE.analytes.items()
    for side in ("low", "high")
    if getattr(rule.bands, side)
]
FEWER = settings(max_examples=15)
"""For tests that run once per analyte and unit."""
FLAGS = {"low": ("N", "L", "LL"), "high": ("N", "H", "HH")}
ALBUMIN = LabResult("albumin", Decimal(43), "g/L", TODAY, resource="Observation/albumin")


def judged(facts: PatientFacts) -> Assessment:
    return assess(facts, KNOWLEDGE, TODAY)


def ranking(answer: Assessment) -> Any:
    """What is ranked, in its order, and what is flagged."""
    return (
        answer.silent_reason,
        answer.indicator,
        [(c.id, c.tier) for c in answer.contributors],
        [flag.id for flag in answer.red_flags],
        [(item.id, item.tier) for item in answer.safety],
    )


def severity(answer: Assessment, resource: str) -> tuple[int, int]:
    """How grave the answer is: by its indicator, and by the best tier that rests on this result; more is graver."""
    places = [
        KNOWLEDGE.ranking.tiers.index(item.tier)
        for item in (*answer.contributors, *answer.safety)
        if any(proof.resource == resource for proof in item.evidence)
    ]
    return INDICATORS[answer.indicator], -min(places, default=len(KNOWLEDGE.ranking.tiers))


def values(analyte: str, unit: str, side: str = "") -> st.SearchStrategy[Decimal]:
    """Values this analyte can have in this unit, at and beside the limits often; of one side: from the middle outwards."""
    low, high = analytes()[analyte].units[unit]
    if side:
        low, high = (low, middle(analyte, unit)) if side == "low" else (middle(analyte, unit), high)
    edges = sorted({edge for limit in limits(analyte, unit) for edge in around(limit) if low <= edge <= high})
    anywhere = st.decimals(low, high, places=2)
    return st.sampled_from(edges) | anywhere if edges else anywhere


def around(limit: Decimal) -> tuple[Decimal, ...]:
    step = Decimal("0.01")
    return limit - step, limit, limit + step


@cache
def limits(analyte: str, unit: str, *sides: str) -> frozenset[Decimal]:
    """Every limit of an analyte that is stated in this unit, or only in another and converted."""
    rule = KNOWLEDGE.analytes[analyte]
    chosen = sides or ("low", "high")
    stated = [
        getattr(band, bound)
        for side in chosen
        for band in getattr(rule.bands, side)
        for bound in ("below", "at_most", "above", "at_least")
    ]
    stated += [getattr(kind, side) for kind in (rule.reference, rule.pregnancy) if kind for side in chosen]
    return frozenset(
        found for limit in stated if limit and (found := limit_in(analyte, limit, unit)) is not None
    )


@cache
def middle(analyte: str, unit: str) -> Decimal:
    """A value between the limits of both sides."""
    bottom, top = analytes()[analyte].units[unit]
    low = max(limits(analyte, unit, "low"), default=bottom)
    return ((low + min(limits(analyte, unit, "high"), default=top)) / 2).quantize(Decimal("0.001"))


@pytest.mark.parametrize(("analyte", "side"), SIDES)
@FEWER
@given(data=st.data())
def test_a_more_abnormal_value_is_never_less_severe(
    analyte: str, side: str, adult: Adult, data: st.DataObject
) -> None:
    unit = data.draw(st.sampled_from(sorted(analytes()[analyte].units)), label="unit")
    pair = st.tuples(values(analyte, unit, side), values(analyte, unit, side))
    inner, outer = sorted(data.draw(pair, label="values"), reverse=side == "low")
    interval = data.draw(st.none() | ranges(analyte, unit), label="the laboratory's interval")
    mild, grave = sorted(
        data.draw(st.tuples(*[st.sampled_from([*FLAGS[side], ""])] * 2), label="flags"), key=flag_rank
    )
    assume(interval is not None or (mild == "") == (grave == ""))
    pregnant = data.draw(st.booleans(), label="pregnant")

    def answer(value: Decimal, flag: str) -> tuple[int, int]:
        result = LabResult(
            analyte,
            value,
            unit,
            TODAY,
            range=interval,
            interpretation=flag,
            resource="Observation/it",  # type: ignore[arg-type]
        )
        companions = () if analyte == "albumin" else (ALBUMIN,)
        patient = Patient("p", (date(1980, 1, 1),) * 2, pregnant=pregnant)
        return severity(judged(adult(result, *companions, patient=patient)), "Observation/it")

    assert answer(outer, grave) >= answer(inner, mild)


@st.composite
def ranges(draw: st.DrawFn, analyte: str, unit: str) -> Limits:
    """A laboratory's interval around the middle."""
    bottom, top = analytes()[analyte].units[unit]
    low = draw(st.none() | st.decimals(bottom, middle(analyte, unit), places=2))
    high = draw(st.none() | st.decimals(middle(analyte, unit), top, places=2))
    return Limits(low, high)


def flag_rank(flag: str) -> int:
    return {"": 0, "N": 0, "L": 1, "H": 1, "LL": 2, "HH": 2}[flag]


def conversions() -> Iterator[tuple[str, str, str]]:
    for analyte in LABS:
        units = list(analytes()[analyte].units)
        for one, other in combinations(units, 2):
            with suppress(UnitError):  # the urea and theophylline of some units stand alone
                convert(analyte, Decimal(1), one, other)
                yield analyte, one, other


@pytest.mark.parametrize(("analyte", "unit", "other"), list(conversions()))
@FEWER
@given(data=st.data())
def test_a_change_of_unit_never_changes_the_verdict_away_from_the_limit(
    analyte: str, unit: str, other: str, adult: Adult, data: st.DataObject
) -> None:
    value = data.draw(values(analyte, unit))
    same = convert(analyte, value, unit, other)
    bottom, top = analytes()[analyte].units[other]
    assume(bottom <= same <= top)
    far = Decimal("0.01")
    for number, name in ((value, unit), (same, other)):
        assume(all(abs(number - limit) > far * limit for limit in limits(analyte, name)))
    companions = () if analyte == "albumin" else (ALBUMIN,)
    found = [
        judged(adult(LabResult(analyte, number, name, TODAY, resource="Observation/it"), *companions))
        for number, name in ((value, unit), (same, other))
    ]
    assert ranking(found[0]) == ranking(found[1])
