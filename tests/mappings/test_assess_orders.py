"""Tests to order: not again while one counts, never called up to date when unknown, as urgent as the gravest reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from mappings import assessment
from mappings.assessment import Assessment
from mappings.facts import DataGap, Finding, LabResult, Order, Problem

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
TODAY = date(2026, 3, 1)
ALS = Problem(("als",), "ALS", onset=date(2024, 1, 1), resource="Condition/als")


def advice(answer: Assessment, name: str) -> assessment.TestAdvice:
    return next(test for test in answer.tests if test.id == name)


def requested(*tests: str, days: int = 1, status: Any = "pending") -> Order:
    on = TODAY - timedelta(days=days)
    return Order(tests, status, tests[0], on, f"ServiceRequest/{tests[0]}-{days}")


def test_what_was_never_measured_is_not_up_to_date(judge: Judge, lab: Make) -> None:
    answer = judge(lab("potassium", "4.1"), problems=[ALS])
    assert [(test.id, test.status) for test in answer.tests] == [("potassium", "up-to-date")]


def test_suggested_come_before_requested_and_those_before_answered(judge: Judge, lab: Make) -> None:
    answer = judge(lab("potassium", "4.1"), orders=(requested("calcium_albumin"),))
    statuses = [test.status for test in answer.tests]
    assert statuses == ["suggested"] * 4 + ["already-ordered", "up-to-date"]


def test_the_gravest_of_several_reasons_makes_the_urgency(judge: Judge, lab: Make, drug: Make) -> None:
    critical = lab("magnesium", "0.35", date=date(2026, 2, 10))
    answer = judge(
        critical, medications=(drug("furosemide 40 mg", "loop_diuretic", start=date(2026, 2, 20)),)
    )
    again = advice(answer, "magnesium")
    assert "is older than the start of furosemide 40 mg" in again.reason
    assert again.reason.startswith("the last magnesium is critical")
    assert again.urgency == "immediate"


def test_a_requested_test_is_shown_whole(judge: Judge, lab: Make) -> None:
    answer = judge(lab("potassium", "2.3"), orders=(requested("potassium"),))
    again = advice(answer, "potassium")
    assert replace(again, evidence=()) == assessment.TestAdvice(
        "potassium", "Serum potassium", "already-ordered", "already requested (2026-02-28)", "immediate"
    )
    assert [item.resource for item in again.evidence] == ["Observation/potassium"]


def test_a_level_without_a_therapeutic_range_still_answers(judge: Judge, lab: Make, drug: Make) -> None:
    taken = drug("theophylline 200 mg", "theophylline", start=date(2025, 1, 1))
    assert advice(judge(medications=(taken,)), "theophylline_level").status == "suggested"
    known = judge(lab("theophylline", "15", "mg/L"), medications=(taken,))
    assert advice(known, "theophylline_level").status == "up-to-date"


@pytest.mark.parametrize(("days", "text"), [(0, "2026-03-01"), (30, "2026-01-30")])
def test_an_examination_counts_from_the_day_it_was_done(days: int, text: str, judge: Judge) -> None:
    wasting = Finding("muscle_atrophy", True, True, "wasting", TODAY, resource="Observation/w")
    answer = judge(findings=(wasting,), orders=(requested("emg_ncs", days=days, status="done"),))
    done = advice(answer, "emg_ncs")
    assert done.status == "up-to-date"
    assert text in done.reason


class TestRequests:
    """How long a request counts, and which."""

    def test_one_that_was_carried_out_does_not_hide_one_that_waits(self, judge: Judge) -> None:
        answer = judge(orders=(requested("sodium", days=0, status="done"), requested("potassium", days=3)))
        assert advice(answer, "potassium").status == "already-ordered"

    @pytest.mark.parametrize("name", ["potassium", "calcium_albumin"])
    @pytest.mark.parametrize(("days", "status"), [(90, "already-ordered"), (91, "suggested")])
    def test_to_the_last_day_of_its_validity(self, name: str, days: int, status: str, judge: Judge) -> None:
        assert advice(judge(orders=(requested(name, days=days),)), name).status == status

    @pytest.mark.parametrize(
        ("days", "parts"), [(90, ("calcium_total",)), (91, ("calcium_total", "albumin"))]
    )
    def test_a_part_counts_as_long_as_its_test(self, days: int, parts: tuple[str, ...], judge: Judge) -> None:
        answer = judge(orders=(requested("albumin", days=days),))
        assert advice(answer, "calcium_albumin").parts == parts


class TestWhyAgain:
    """Why the last result does not answer."""

    def test_it_leaves_open_whether_it_is_abnormal(self, judge: Judge, lab: Make, reason: Make) -> None:
        answer = judge(lab("potassium", "4.0", comparator="<"))
        why = "potassium <4.0 mmol/L (2026-03-01) neither shows nor excludes an abnormal value"
        assert reason(answer, "potassium") == why
        assert answer.gaps == (DataGap("potassium", "uncertain-comparator", why, "Observation/potassium"),)

    def test_it_is_too_old(self, judge: Judge, lab: Make, reason: Make) -> None:
        answer = judge(lab("magnesium", "0.9", date=date(2025, 9, 1)))
        assert reason(answer, "magnesium") == "last result is 6 months old"
        assert answer.gaps == (
            DataGap(
                "magnesium",
                "stale",
                "last magnesium is 6 months old (0.9 mmol/L, 2025-09-01) and was not used",
                "Observation/magnesium",
            ),
        )

    def test_it_lies_in_the_future(self, judge: Judge, lab: Make) -> None:
        sooner, later = (
            lab("potassium", value, date=TODAY + timedelta(days=days), resource=f"Observation/{value}")
            for value, days in (("4.0", 5), ("3.9", 9))
        )
        for given in ((sooner, later), (later, sooner)):
            (gap,) = judge(*given).gaps
            assert (gap.reason, gap.resource) == ("future-date", "Observation/3.9")


def test_too_old_for_nothing_that_matters_here_is_not_named(judge: Judge, lab: Make) -> None:
    assert judge(lab("phosphate", "1.0", date=date(2025, 1, 1))).gaps == ()
    assert [gap.what for gap in judge(lab("sodium", "140", date=date(2025, 1, 1))).gaps] == ["sodium"]


def test_of_one_day_without_times_a_preliminary_result_gives_way(
    judge: Judge, lab: Callable[..., LabResult]
) -> None:
    final = lab("potassium", "4.0", resource="Observation/final")
    early = lab("potassium", "2.4", preliminary=True, resource="Observation/early")
    for given in ((final, early), (early, final)):
        assert judge(*given).contributors == ()


@pytest.mark.parametrize(
    ("value", "shown"),
    [("0.3999", "0.3999"), ("0.29999", "0.300"), ("0.00004", "0.00004"), ("0.0100", "0.0100")],
)
def test_a_value_is_shown_as_reported_unless_its_tail_is_noise(
    value: str, shown: str, judge: Judge, lab: Make
) -> None:
    (why,) = [c.why for c in judge(lab("tsh", value, "m[IU]/L")).considered if "TSH" in c.why] or [
        c.evidence[0].text for c in judge(lab("tsh", value, "m[IU]/L")).contributors
    ]
    assert f"TSH {shown} m[IU]/L" in why
