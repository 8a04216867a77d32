"""Total calcium with albumin: where the total stands, where both must agree, and what is told when they do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from mappings.assessment import Assessment
from mappings.facts import DataGap, LabResult

Judge = Callable[..., Assessment]
Make = Callable[..., LabResult]
TODAY = date(2026, 3, 1)


@pytest.fixture
def with_albumin(judge: Judge, lab: Make) -> Judge:
    """Assesses a total calcium (mmol/L) with an albumin (g/L); `of_total=` says more of the total."""

    def run(
        total: str, albumin: str, of_total: dict[str, Any] | None = None, **of_albumin: Any
    ) -> Assessment:
        calcium = lab("calcium_total", total, **(of_total or {}))
        return judge(calcium, lab("albumin", albumin, "g/L", **of_albumin))

    return run


def told(answer: Assessment) -> list[str]:
    return [f"{item.id} {item.tier}" for item in (*answer.contributors, *answer.safety)]


@pytest.mark.parametrize(
    ("total", "albumin", "expected"),
    [
        ("2.55", "35", []),
        ("2.55", "34.9", ["hypercalcaemia C2"]),
        ("2.65", "50", ["hypercalcaemia C2"]),
        ("2.65", "50.1", []),
        ("2.05", "35", ["hypocalcaemia C1"]),
        ("2.05", "34", []),
    ],
)
def test_an_albumin_of_35_to_50_lets_the_total_stand(
    total: str, albumin: str, expected: list[str], with_albumin: Judge
) -> None:
    assert told(with_albumin(total, albumin)) == expected


@pytest.mark.parametrize(
    ("total", "albumin", "expected"),
    [
        ("1.70", "34", ["hypocalcaemia A"]),
        ("1.88", "33", ["hypocalcaemia C1"]),
    ],
)
def test_low_both_ways_is_as_grave_as_both_say(
    total: str, albumin: str, expected: list[str], with_albumin: Judge
) -> None:
    assert told(with_albumin(total, albumin)) == expected


@pytest.mark.parametrize(
    ("total", "albumin", "expected"),
    [
        ("3.10", "30", ["hypercalcaemia C1"]),
        ("3.40", "30", ["safety:hypercalcaemia_severe A"]),
        ("3.60", "30", ["safety:hypercalcaemia_severe A"]),
        ("3.60", "55", ["hypercalcaemia C1"]),
        ("3.10", "55", ["hypercalcaemia C2"]),
        ("3.40", "24", ["hypercalcaemia C1"]),
    ],
)
def test_high_is_as_grave_as_the_adjusted_value_unless_albumin_is_too_low_to_adjust(
    total: str, albumin: str, expected: list[str], with_albumin: Judge
) -> None:
    assert told(with_albumin(total, albumin)) == expected


def test_a_flag_on_the_total_says_nothing_of_the_adjusted_value(with_albumin: Judge) -> None:
    assert told(with_albumin("2.50", "28", {"interpretation": "N"})) == ["hypercalcaemia C2"]


def test_high_by_the_adjusted_value_is_shown_with_both_values_and_the_limit(with_albumin: Judge) -> None:
    (shown,) = with_albumin("2.50", "28").contributors[0].evidence
    assert shown.text == (
        "total calcium 2.50 mmol/L (2026-03-01); upper limit 2.6, default limit, the laboratory gave none; "
        "albumin-adjusted 2.74 mmol/L (albumin 28 g/L), which decides when calcium is high"
    )
    assert shown.limit == "2.6 mmol/L"


def test_mass_units_are_adjusted_by_their_own_formula(judge: Judge, lab: Make) -> None:
    answer = judge(lab("calcium_total", "9.8", "mg/dL"), lab("albumin", "2.8", "g/dL"))
    assert told(answer) == ["hypercalcaemia C2"]
    assert "albumin-adjusted 10.8 mg/dL (albumin 2.8 g/dL)" in answer.contributors[0].evidence[0].text


def test_an_albumin_that_is_too_old_is_not_used(with_albumin: Judge) -> None:
    answer = with_albumin("2.50", "28", date=TODAY - timedelta(days=400))
    assert told(answer) == []
    assert [gap for gap in answer.gaps if gap.what == "calcium"] == [
        DataGap(
            "calcium",
            "companion-missing",
            "calcium total 2.50 mmol/L (2026-03-01) without a usable albumin",
            "Observation/calcium_total",
        )
    ]


def test_what_disagrees_is_named_with_both_values(with_albumin: Judge) -> None:
    (gap,) = with_albumin("2.65", "50.1").gaps
    assert (gap.what, gap.reason, gap.resource) == ("calcium", "conflicting", "Observation/calcium_total")
    assert "total 2.65 mmol/L; albumin-adjusted 2.45 mmol/L (albumin 50.1 g/L)" in gap.text


def test_a_calcium_that_is_too_old_is_the_reason_to_measure_it_again(
    judge: Judge, lab: Make, reason: Callable[[Assessment, str], str]
) -> None:
    old = date(2025, 1, 1)
    answer = judge(lab("calcium_total", "2.40", date=old), lab("albumin", "43", "g/L"))
    assert reason(answer, "calcium_albumin") == "last result is 14 months old"


def test_an_ionised_calcium_is_shown_as_it_is(judge: Judge, lab: Make) -> None:
    (shown,) = judge(lab("calcium_ionised", "1.05")).contributors[0].evidence
    assert shown.text == (
        "ionised calcium 1.05 mmol/L (2026-03-01); lower limit 1.12, default limit, the laboratory gave none"
    )


def test_a_calcium_that_is_open_is_named_where_a_medicine_would_move_it(
    judge: Judge, lab: Make, drug: Callable[..., Any]
) -> None:
    new = drug("furosemide 40 mg", "loop_diuretic", status="draft")
    (proposal,) = judge(lab("calcium_total", "2.05"), medications=(new,)).proposals
    assert [effect.text for effect in proposal.effects if effect.lab == "calcium"] == [
        "may lower calcium: no current result"
    ]
