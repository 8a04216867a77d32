"""The vignette file of each contributor: a case where it counts, one where it does not, one at the limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from mappings.assessment import Assessment
from mappings.knowledge import conditions, load_knowledge
from mappings.rules import ContributorRule

HERE = Path(__file__).parent
BOUNDS = ("below", "at_most", "above", "at_least")


def cases_of(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.load(
        (HERE / f"{name.replace(':', '_')}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
    )
    return found


def shown(rule: ContributorRule, answer: Assessment) -> bool:
    """It counts: ranked, shown for safety or as an explanation; for what is never ranked: considered."""
    if rule.never_ranked:
        return rule.id in {item.id for item in answer.considered}
    ranked = {item.id for item in answer.contributors} | {item.id for item in answer.safety}
    explaining = {name for item in answer.contributors for name in item.explained_by}
    return rule.id in ranked or rule.id.removeprefix("drug:") in explaining


@pytest.mark.parametrize("name", sorted(load_knowledge().contributors))
def test_every_contributor_has_a_case_where_it_does_and_one_where_it_does_not(
    name: str, assessed: Callable[[dict[str, Any]], Assessment]
) -> None:
    rule = load_knowledge().contributors[name]
    cases = cases_of(name)
    assert {shown(rule, assessed(case)) for case in cases} == {True, False}


def judged_by() -> list[Any]:
    """Each contributor that is ranked by a result, with the analytes whose limits it is ranked by."""
    rules, calcium = (
        load_knowledge().contributors.values(),
        ("calcium_total", "calcium_adjusted", "calcium_ionised"),
    )
    return [
        pytest.param(rule.id, calcium if analyte == "calcium" else (analyte,), id=f"{rule.id}: {analyte}")
        for rule in rules
        for analyte in sorted(
            {
                str(when.lab)
                for tier in rule.tiers
                for _, when in conditions(tier.when)
                if when.lab and when.is_ in ("low", "high")
            }
        )
    ]


@pytest.mark.parametrize(("name", "analytes"), judged_by())
def test_every_contributor_ranked_by_a_result_has_a_case_at_a_limit(
    name: str, analytes: tuple[str, ...], stated: Callable[[dict[str, Any]], Iterator[Any]]
) -> None:
    results = [result for case in cases_of(name) for result in stated(case) if result.analyte in analytes]
    assert any(result.value in result.limits | ours(result.analyte, result.unit) for result in results)


def ours(analyte: str, unit: str) -> frozenset[Decimal]:
    """Every limit of the rules for an analyte in this unit."""
    rule = load_knowledge().analytes[analyte]
    bands = [getattr(band, bound) for band in (*rule.bands.low, *rule.bands.high) for bound in BOUNDS]
    sides = [side for kind in (rule.reference, rule.pregnancy) if kind for side in (kind.low, kind.high)]
    return frozenset(limit[unit] for limit in (*bands, *sides) if unit in limit)
