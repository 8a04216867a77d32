"""On a limit, one step beside it, and what a result proves that is only known to lie above or below."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mappings.assessment import Assessment
from mappings.facts import LabResult, Limits, Patient

Judge = Callable[..., Assessment]
EXPECTING = Patient("p", (date(1990, 1, 1),) * 2, pregnant=True)


@pytest.fixture
def told(judge: Judge, lab: Callable[..., LabResult]) -> Callable[..., str]:
    """What a result such as `potassium >=6.5 mmol/L` makes of an adult; `open` when it decides nothing."""

    def run(line: str, patient: Patient | None = None, **more: Any) -> str:
        analyte, value, unit = line.split()
        number = value.lstrip("<>=")
        result = lab(analyte, number, unit, comparator=value.removesuffix(number), **more)
        answer = judge(result, **({"patient": patient} if patient else {}))
        found = [f"{item.id} {item.tier}" for item in (*answer.contributors, *answer.safety)]
        said = [f"{item.id} said" for item in answer.considered if item.id.startswith("safety:")]
        unsure = ["open" for gap in answer.gaps if gap.reason == "uncertain-comparator"]
        return ", ".join(found + said + unsure)

    return run


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("potassium >6.5 mmol/L", "safety:hyperkalaemia A"),
        ("potassium >=6.5 mmol/L", "safety:hyperkalaemia A"),
        ("potassium >=6.4 mmol/L", "safety:hyperkalaemia C1"),
        ("potassium >5.4 mmol/L", "safety:hyperkalaemia said"),
        ("potassium >=5.4 mmol/L", "open"),
        ("potassium >4.0 mmol/L", "open"),
        ("potassium >=4.0 mmol/L", "open"),
        ("potassium <=4.0 mmol/L", "open"),
        ("potassium <=3.5 mmol/L", "open"),
        ("potassium <3.5 mmol/L", "hypokalaemia C2"),
        ("potassium <=2.9 mmol/L", "hypokalaemia C1"),
        ("calcium_adjusted >3.5 mmol/L", "safety:hypercalcaemia_severe A"),
        ("calcium_adjusted >=3.5 mmol/L", "hypercalcaemia C1"),
        ("calcium_adjusted <1.90 mmol/L", "hypocalcaemia A"),
        ("calcium_adjusted <=1.90 mmol/L", "hypocalcaemia C1"),
    ],
)
def test_above_and_below_prove_what_they_prove(line: str, expected: str, told: Callable[..., str]) -> None:
    assert told(line) == expected


@pytest.mark.parametrize(
    ("line", "flag", "expected"),
    [
        ("potassium 2.8 mmol/L", "L", "hypokalaemia C1"),
        ("potassium 6.2 mmol/L", "H", "safety:hyperkalaemia C1"),
        ("bicarbonate 28 mmol/L", "H", "metabolic_alkalosis C2"),
        ("bicarbonate 36 mmol/L", "N", ""),
        ("potassium 5.0 mmol/L", "HH", "safety:hyperkalaemia A"),
    ],
)
def test_a_flag_decides_that_it_is_abnormal_and_the_value_how_far(
    line: str, flag: str, expected: str, told: Callable[..., str]
) -> None:
    assert told(line, interpretation=flag) == expected


@pytest.mark.parametrize(
    ("own", "value", "expected"),
    [
        (("3.5", "5.0"), "3.3", ""),
        (("3.5", "5.0"), "3.2", ""),
        (("3.5", "5.0"), "3.1", "hypokalaemia C2"),
        (("3.0", "5.0"), "3.1", ""),
        (("3.0", "5.0"), "2.9", "hypokalaemia C1"),
        (("", "5.0"), "3.3", ""),
        (("3.3", ""), "3.1", "hypokalaemia C2"),
    ],
)
def test_in_pregnancy_the_wider_of_its_own_and_the_laboratorys_limit_counts(
    own: tuple[str, str], value: str, expected: str, told: Callable[..., str]
) -> None:
    limits = Limits(*(Decimal(limit) if limit else None for limit in own))
    assert told(f"potassium {value} mmol/L", EXPECTING, range=limits) == expected


@pytest.mark.parametrize(("value", "expected"), [("1.6", ""), ("1.4", "hypomagnesaemia C1")])
def test_the_limit_of_pregnancy_holds_in_other_units(
    value: str, expected: str, told: Callable[..., str]
) -> None:
    assert told(f"magnesium {value} mg/dL", EXPECTING) == expected


@pytest.mark.parametrize(
    ("own", "expected"), [(("3.7", ""), "hypokalaemia C2"), (("", "5.0"), ""), (("3.6", ""), "")]
)
def test_a_laboratory_may_state_one_limit_only(
    own: tuple[str, str], expected: str, told: Callable[..., str]
) -> None:
    limits = Limits(*(Decimal(limit) if limit else None for limit in own))
    assert told("potassium 3.6 mmol/L", range=limits) == expected


def test_a_level_without_a_therapeutic_range_is_known_but_not_judged(
    judge: Judge, lab: Callable[..., LabResult]
) -> None:
    answer = judge(lab("theophylline", "15", "mg/L"))
    assert (answer.contributors, answer.gaps) == ((), ())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("3.2", "2.4", "2.9"), "hypokalaemia A"),
        (("3.2", "2.9"), "hypokalaemia C1"),
        (("5.6", "6.6", "6.1"), "safety:hyperkalaemia A"),
        (("5.6", "6.1"), "safety:hyperkalaemia C1"),
        (("4.1", "5.6"), ""),
    ],
)
def test_of_one_day_without_times_the_gravest_counts(
    values: tuple[str, ...], expected: str, judge: Judge, lab: Callable[..., LabResult]
) -> None:
    labs = [lab("potassium", value, resource=f"Observation/{value}") for value in values]
    for given in (labs, labs[::-1]):
        answer = judge(*given)
        found = [f"{item.id} {item.tier}" for item in (*answer.contributors, *answer.safety)]
        assert ", ".join(found) == expected


@pytest.mark.parametrize(("value", "flag"), [("3.4", "LL"), ("2.4", "LL"), ("2.4", "HH")])
def test_a_critical_result_says_whether_a_limit_or_the_laboratorys_flag_makes_it_so(
    value: str, flag: str, judge: Judge, lab: Callable[..., LabResult]
) -> None:
    own = Limits(Decimal("3.5"), Decimal("5.1"))
    (low,) = judge(lab("potassium", value, interpretation=flag, range=own)).contributors
    assert (low.id, low.tier) == ("hypokalaemia", "A")
    by_limit, shown = value == "2.4", low.evidence[0]
    limit = "critical limit 2.5, guideline limit" if by_limit else "flagged as critical by the laboratory"
    assert shown.text.endswith(f"; {limit}")
    assert (shown.limit, shown.limit_source) == (("2.5 mmol/L", "guideline") if by_limit else ("", "lab"))
