"""Single results and how they combine: units, comparators, flags, calcium, specimens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mappings.assess.assess import assess
from mappings.assess.evidence import of_reading
from mappings.assess.readings import Reading, age_text
from mappings.assessment import Assessment
from mappings.facts import DataGap, LabResult, Limits, PatientFacts, Problem
from mappings.knowledge import Knowledge

Judge = Callable[..., Assessment]
ALBUMIN = "albumin 43 g/L"


@pytest.fixture
def result(today: date) -> Callable[..., LabResult]:
    """`potassium 2.9 mmol/L` of today, or of `days` ago."""

    def make(line: str, days: int = 0, **more: Any) -> LabResult:
        analyte, value, unit = line.split()
        number = value.lstrip("<>=")
        more = {"comparator": value.removesuffix(number), "resource": f"Observation/{analyte}-{days}"} | more
        return LabResult(analyte, Decimal(number), unit, today - timedelta(days=days), **more)

    return make


@pytest.fixture
def judge(adult: Callable[..., PatientFacts], knowledge: Knowledge, today: date) -> Judge:
    def run(*labs: LabResult, **more: Any) -> Assessment:
        return assess(adult(*labs, **more), knowledge, today)

    return run


def ranked(answer: Assessment) -> list[str]:
    return [f"{c.id} {c.tier}" for c in answer.contributors]


def gap(answer: Assessment, what: str) -> str:
    return next((f"{g.reason}: {g.text}" for g in answer.gaps if g.what == what), "")


def status(answer: Assessment, test: str) -> str:
    return next((f"{t.status}: {t.reason}" for t in answer.tests if t.id == test), "")


def test_a_theophylline_in_a_unit_without_a_limit_is_unread_not_normal(
    judge: Judge, result: Callable[..., LabResult]
) -> None:
    answer = judge(result("theophylline 300 umol/L"))
    assert gap(answer, "theophylline").startswith("unknown-unit: theophylline level 300 umol/L")


def test_there_the_laboratory_s_own_judgement_counts_all_the_same(
    judge: Judge, result: Callable[..., LabResult]
) -> None:
    own = Limits(Decimal(55), Decimal(110))
    normal = judge(result("theophylline 60 umol/L", range=own))
    assert (normal.indicator, gap(normal, "theophylline")) == ("info", "")
    grave = judge(result("theophylline 300 umol/L", range=own, interpretation="HH"))
    assert grave.indicator == "critical"
    assert "Infinity" not in str(grave)


def test_high_calcium_in_meq_is_adjusted_like_in_any_other_unit(
    judge: Judge, result: Callable[..., LabResult]
) -> None:
    assert ranked(judge(result("calcium_total 6.07 meq/L"), result(ALBUMIN))) == ["hypercalcaemia C1"]
    assert ranked(judge(result("calcium_total 3.035 mmol/L"), result(ALBUMIN))) == ["hypercalcaemia C1"]


def test_a_range_of_another_unit_shows_that_the_unit_is_wrong(
    judge: Judge, result: Callable[..., LabResult]
) -> None:
    answer = judge(result("calcium_total 9.5 mmol/L", range=Limits(Decimal("8.5"), Decimal("10.2"))))
    assert gap(answer, "calcium_total").startswith("unit-contradicts-range: ")
    assert ranked(answer) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("potassium <2.0 mmol/L", ["hypokalaemia A"]),
        ("potassium <=2.5 mmol/L", ["hypokalaemia A"]),
        ("potassium <3.0 mmol/L", ["hypokalaemia C1"]),
        ("potassium <4.0 mmol/L", []),
        ("tsh <0.01 m[IU]/L", ["thyrotoxicosis C2"]),
    ],
)
def test_a_comparator_counts_for_what_it_proves(
    line: str, expected: list[str], judge: Judge, result: Callable[..., LabResult]
) -> None:
    assert ranked(judge(result(line))) == expected


def test_a_comparator_that_leaves_it_open_is_a_gap(judge: Judge, result: Callable[..., LabResult]) -> None:
    answer = judge(result("potassium <4.0 mmol/L"))
    assert gap(answer, "potassium").startswith("uncertain-comparator: ")
    assert status(answer, "potassium").startswith("suggested: ")


def test_above_a_critical_limit_is_critical(judge: Judge, result: Callable[..., LabResult]) -> None:
    answer = judge(result("potassium >7.0 mmol/L"))
    assert answer.indicator == "critical"
    assert [item.id for item in answer.safety] == ["safety:hyperkalaemia"]


def test_a_flag_without_an_interval_is_the_laboratorys_own_judgement(
    judge: Judge, result: Callable[..., LabResult]
) -> None:
    low = judge(result("potassium 3.6 mmol/L", interpretation="L"))
    assert ranked(low) == ["hypokalaemia C2"]
    assert "flagged by the laboratory" in low.contributors[0].evidence[0].text
    assert ranked(judge(result("potassium 3.4 mmol/L", interpretation="N"))) == []
    assert ranked(judge(result("potassium 3.4 mmol/L", interpretation="LL"))) == ["hypokalaemia A"]
    assert ranked(judge(result("bicarbonate 25 mmol/L", interpretation="N"))) == []


def test_the_newest_of_one_day_counts_and_the_final_one_before_a_preliminary(
    judge: Judge, result: Callable[..., LabResult]
) -> None:
    morning = result("potassium 2.4 mmol/L", moment="2026-03-01T08:00", resource="Observation/1")
    noon = result("potassium 4.0 mmol/L", moment="2026-03-01T12:00", resource="Observation/2")
    early_word = result(
        "potassium 2.4 mmol/L", moment="2026-03-01T12:00", preliminary=True, resource="Observation/3"
    )
    assert ranked(judge(morning, noon)) == []
    assert ranked(judge(noon, early_word)) == []
    assert ranked(judge(early_word)) == ["hypokalaemia A"]


def test_results_of_one_day_without_a_time_are_taken_at_their_gravest(
    judge: Judge, result: Callable[..., LabResult]
) -> None:
    one = result("potassium 2.4 mmol/L", resource="Observation/1")
    other = result("potassium 4.0 mmol/L", resource="Observation/2")
    assert ranked(judge(one, other)) == ranked(judge(other, one)) == ["hypokalaemia A"]


def test_a_result_of_next_week_is_not_believed(judge: Judge, result: Callable[..., LabResult]) -> None:
    assert gap(judge(result("potassium 2.4 mmol/L", days=-7)), "potassium").startswith("future-date: ")


class TestCalcium:
    """Ionised, adjusted, and total with albumin."""

    @pytest.mark.parametrize("albumin", ["", "albumin <20 g/L", "albumin 43 mmol/L"])
    def test_a_total_without_a_usable_albumin_is_unknown(
        self, albumin: str, judge: Judge, result: Callable[..., LabResult]
    ) -> None:
        labs = [result("calcium_total 2.05 mmol/L"), *([result(albumin)] if albumin else [])]
        answer = judge(*labs)
        assert ranked(answer) == []
        assert gap(answer, "calcium").startswith("companion-missing: calcium total 2.05 mmol/L")

    def test_an_albumin_in_a_unit_that_does_not_convert_adjusts_nothing(
        self, judge: Judge, result: Callable[..., LabResult]
    ) -> None:
        albumin = result("albumin 0.6 mmol/L", range=Limits(Decimal("0.5"), Decimal("0.8")))
        answer = judge(result("calcium_total 2.05 mmol/L"), albumin)
        assert gap(answer, "calcium").startswith("companion-missing: ")

    def test_a_critical_total_is_said_without_albumin_too(
        self, judge: Judge, result: Callable[..., LabResult]
    ) -> None:
        answer = judge(result("calcium_total 1.60 mmol/L"))
        assert ranked(answer) == ["hypocalcaemia A"]
        assert "without a usable albumin" in answer.contributors[0].evidence[0].text

    def test_high_calcium_shows_by_the_adjusted_value(
        self, judge: Judge, result: Callable[..., LabResult]
    ) -> None:
        assert ranked(judge(result("calcium_total 2.50 mmol/L"), result("albumin 28 g/L"))) == [
            "hypercalcaemia C2"
        ]

    def test_total_and_adjusted_that_disagree_decide_nothing(
        self, judge: Judge, result: Callable[..., LabResult]
    ) -> None:
        answer = judge(result("calcium_total 2.00 mmol/L"), result("albumin 28 g/L"))
        assert ranked(answer) == []
        assert gap(answer, "calcium").startswith("conflicting: ")
        assert status(answer, "calcium_ionised").startswith("suggested: ")

    def test_below_the_floor_a_high_adjusted_value_decides_nothing(
        self, judge: Judge, result: Callable[..., LabResult]
    ) -> None:
        answer = judge(result("calcium_total 2.50 mmol/L"), result("albumin 20 g/L"))
        assert ranked(answer) == []
        assert gap(answer, "calcium").startswith("conflicting: ")

    def test_an_older_ionised_calcium_decides_where_a_newer_total_cannot(
        self, judge: Judge, result: Callable[..., LabResult]
    ) -> None:
        labs = result("calcium_total 2.05 mmol/L"), result("calcium_ionised 1.00 mmol/L", days=3)
        assert ranked(judge(*labs)) == ["hypocalcaemia C1"]

    def test_an_adjusted_calcium_of_the_laboratory_decides(
        self, judge: Judge, result: Callable[..., LabResult]
    ) -> None:
        assert ranked(judge(result("calcium_adjusted 2.00 mmol/L"))) == ["hypocalcaemia C1"]


EDTA = ("potassium 6.8 mmol/L", "calcium_total 1.50 mmol/L", "magnesium 0.30 mmol/L", ALBUMIN)


@pytest.mark.parametrize(
    ("specimens", "believed"),
    [(("s1", "s1", "s1"), False), (("s1", "s2", "s2"), True), (("", "s2", ""), False)],
)
def test_contamination_is_suspected_in_one_specimen_only(
    specimens: tuple[str, ...], believed: bool, judge: Judge, result: Callable[..., LabResult]
) -> None:
    labs = [result(line, specimen=name) for line, name in zip(EDTA, (*specimens, ""), strict=True)]
    answer = judge(*labs)
    assert ("hypocalcaemia A" in ranked(answer)) is believed
    assert ("safety:spurious_result" in [item.id for item in answer.safety]) is not believed


def test_a_result_that_is_not_believed_is_named_as_a_gap_of_its_own(
    judge: Judge, result: Callable[..., LabResult]
) -> None:
    labs = [result(line, specimen="s1") for line in EDTA[:3]]
    (gap,) = [gap for gap in judge(*labs).gaps if gap.what == "potassium" and gap.reason == "spurious"]
    sent = next(lab for lab in labs if lab.analyte == "potassium")
    assert (gap.resource, gap.on) == (sent.resource, sent.date)


@pytest.mark.parametrize(
    ("flag", "tier"), [("L", ["hypokalaemia C2"]), ("LL", ["hypokalaemia A"]), ("N", []), ("H", [])]
)
def test_the_laboratorys_own_flag_decides_where_it_states_no_interval(
    flag: str, tier: list[str], judge: Judge, result: Callable[..., LabResult]
) -> None:
    assert ranked(judge(result("potassium 3.4 mmol/L", interpretation=flag))) == tier


def test_a_low_potassium_in_a_haemolysed_specimen_is_real(
    judge: Judge, result: Callable[..., LabResult]
) -> None:
    answer = judge(result("potassium 2.9 mmol/L", specimen_problem="haemolysed"))
    assert ranked(answer) == ["hypokalaemia C1"]
    assert any("may be under-stated" in note for note in answer.notes)


def test_a_known_motor_neuron_disease_does_not_silence_a_potassium_that_cannot_be_read(judge: Judge) -> None:
    als = Problem(("als",), "ALS", resource="Condition/als")
    assert judge(problems=[als]).silent_reason == "known-mnd"
    unread = DataGap("potassium", "no-unit", "potassium 2.1 has no unit", "Observation/1", date(2026, 3, 1))
    answer = judge(problems=[als], gaps=(unread,))
    assert answer.silent_reason is None
    assert status(answer, "potassium") == "suggested: potassium 2.1 has no unit"
    minor = DataGap("vitamin_d_25oh", "no-unit", "vitamin D 20 has no unit", "Observation/2")
    assert judge(problems=[als], gaps=(minor,)).silent_reason == "known-mnd"


def test_a_result_without_any_limit_is_shown_as_it_is(
    result: Callable[..., LabResult], knowledge: Knowledge
) -> None:
    unjudged = Reading("ft4", "free T4", result=result("ft4 15 pmol/L"), answered=True)
    assert of_reading(unjudged, knowledge).text == "free T4 15 pmol/L (2026-03-01)"
    missing = Reading("ft4", "free T4")
    assert of_reading(missing, knowledge).text == "free T4"
    told = Reading("ft4", "free T4", gap=DataGap("ft4", "no-unit", "free T4 15 has no unit"))
    assert of_reading(told, knowledge).text == "free T4 15 has no unit"


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0, "0 days"),
        (1, "1 day"),
        (60, "60 days"),
        (76, "2 months"),
        (137, "5 months"),
        (61, "2 months"),
        (91, "3 months"),
        (714, "23 months"),
        (730, "2 years"),
        (1079, "2 years"),
        (1095, "3 years"),
    ],
)
def test_an_age_is_said_as_a_clinician_says_it(days: int, text: str) -> None:
    assert age_text(days) == text
