"""What the words of the rules mean at their edges: days, places, agents, answers, and the benign label by exclusion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from mappings.assessment import Assessment, Evidence
from mappings.facts import Answer, DataGap, Finding, LabResult, Limits, Problem

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
TODAY = date(2026, 3, 1)


def ids(answer: Assessment) -> list[str]:
    return [c.id for c in answer.contributors]


class TestBenign:
    """The benign label: only with a recent normal examination and every first-line result known and normal."""

    @pytest.fixture
    def first_line(self, lab: Make) -> list[LabResult]:
        return [
            lab("potassium", "4.1"),
            lab("sodium", "140"),
            lab("egfr", "92", "mL/min/{1.73_m2}"),
            lab("calcium_ionised", "1.20"),
            lab("magnesium", "0.85"),
            lab("tsh", "2.0", "m[IU]/L"),
        ]

    @pytest.fixture
    def examined(self) -> Callable[[int], tuple[Finding, ...]]:
        """A normal neurological examination of some days ago; the twitching is two months old."""
        return lambda days: (
            Finding("neuro_exam_normal", True, True, "normal examination", TODAY - timedelta(days=days)),
        )

    @pytest.mark.parametrize(("days", "benign"), [(0, True), (90, True), (91, False)])
    def test_the_examination_counts_for_90_days(
        self, days: int, benign: bool, judge: Judge, first_line: list[LabResult], examined: Make
    ) -> None:
        older = Problem(("fasciculation",), "Fasciculation", onset=date(2025, 6, 1), resource="Condition/2")
        answer = judge(*first_line, findings=examined(days), problems=[older])
        assert ("benign_fasciculation" in ids(answer)) is benign

    @pytest.mark.parametrize(("days", "benign"), [(59, True), (60, False)])
    def test_the_examination_counts_from_the_day_the_twitching_began(
        self, days: int, benign: bool, judge: Judge, first_line: list[LabResult], examined: Make
    ) -> None:
        assert ("benign_fasciculation" in ids(judge(*first_line, findings=examined(days)))) is benign

    def test_one_unknown_result_leaves_it_open_and_that_is_said(
        self, judge: Judge, first_line: list[LabResult], examined: Make
    ) -> None:
        def said(*labs: LabResult) -> list[str]:
            answer = judge(*labs, findings=examined(1))
            return [c.why for c in answer.considered if c.id == "benign_fasciculation"]

        assert said(*first_line) == []
        assert said(*first_line[1:]) == [
            "normal examination (2026-02-28): Not asserted until all first-line tests are known and normal."
        ]
        assert said(replace(first_line[0], value=Decimal("3.4")), *first_line[1:]) == []

    @pytest.mark.parametrize(
        ("what", "reason", "benign"),
        [
            ("Condition", "not-readable", False),
            ("Condition", "incomplete", False),
            ("Observation", "not-readable", False),
            ("QuestionnaireResponse", "not-readable", False),
            ("muscle_weakness", "status-not-usable", False),
            ("medication", "medication-not-resolved", False),
            ("Condition", "wrong-patient", True),
            ("ServiceRequest", "not-readable", True),
            ("anxiety", "not-readable", True),
        ],
    )
    def test_what_could_not_be_read_and_may_speak_against_it_leaves_it_open(
        self,
        what: str,
        reason: Any,
        benign: bool,
        judge: Judge,
        first_line: list[LabResult],
        examined: Make,
    ) -> None:
        gap = DataGap(what, reason, "one of them could not be read")
        answer = judge(*first_line, findings=examined(1), gaps=(gap,))
        assert ("benign_fasciculation" in ids(answer)) is benign
        assert gap in answer.gaps

    @pytest.mark.parametrize(("days", "counts"), [(100, True), (400, False)])
    def test_a_medicine_without_a_name_that_ended_long_ago_is_of_no_account(
        self, days: int, counts: bool, judge: Judge, first_line: list[LabResult], examined: Make
    ) -> None:
        gap = DataGap("medication", "medication-not-resolved", "not named", on=TODAY - timedelta(days=days))
        answer = judge(*first_line, findings=examined(1), gaps=(gap,))
        assert ("benign_fasciculation" in ids(answer)) is not counts
        assert (gap in answer.gaps) is counts

    @pytest.mark.parametrize(("days", "counts"), [(365, True), (366, False)])
    def test_the_unread_words_of_an_emg_count_for_a_year(
        self, days: int, counts: bool, judge: Judge, first_line: list[LabResult], examined: Make
    ) -> None:
        gap = DataGap("emg_abnormality", "not-readable", "not understood", on=TODAY - timedelta(days=days))
        answer = judge(*first_line, findings=examined(1), gaps=(gap,))
        assert ("benign_fasciculation" in ids(answer)) is not counts

    def test_an_examination_of_a_day_to_come_takes_back_no_abnormal_one(
        self, judge: Judge, first_line: list[LabResult], examined: Make
    ) -> None:
        abnormal = Finding("neuro_exam_abnormal", True, True, "abnormal", TODAY)
        answer = judge(*first_line, findings=(*examined(-20), abnormal))
        assert ids(answer) == []
        assert any("is not normal" in note for note in answer.notes)

    def test_a_normal_examination_that_the_patient_reports_takes_back_no_weakness(self, judge: Judge) -> None:
        weak = Problem(
            ("muscle_weakness",), "Muscle weakness", onset=date(2026, 1, 1), resource="Condition/w"
        )
        reported = Finding("neuro_exam_normal", True, False, "normal, says the patient", TODAY)
        answer = judge(problems=[weak], findings=(reported,))
        assert [flag.id for flag in answer.red_flags] == ["objective_weakness"]

    @pytest.mark.parametrize(
        ("creatinine", "egfr", "benign"), [("80", "92", True), ("80", "50", False), ("150", "92", False)]
    )
    def test_of_two_results_for_one_test_both_must_be_normal(
        self,
        creatinine: str,
        egfr: str,
        benign: bool,
        judge: Judge,
        lab: Make,
        first_line: list[LabResult],
        examined: Make,
    ) -> None:
        kidney = (
            lab("egfr", egfr, "mL/min/{1.73_m2}"),
            lab("creatinine", creatinine, "umol/L", range=Limits(Decimal(60), Decimal(110))),
        )
        others = [result for result in first_line if result.analyte != "egfr"]
        answer = judge(*others, *kidney, findings=examined(1))
        assert ("benign_fasciculation" in ids(answer)) is benign


@pytest.mark.parametrize(("days", "tier", "older"), [(7, "A", False), (8, "C1", True)])
def test_a_critical_result_is_an_emergency_for_seven_days(
    days: int, tier: str, older: bool, judge: Judge, lab: Make
) -> None:
    (found,) = judge(lab("calcium_ionised", "0.85", date=TODAY - timedelta(days=days))).contributors
    assert (found.id, found.tier) == ("hypocalcaemia", tier)
    assert ("A critical result that was not repeated; repeat it." in found.says) is older


@pytest.mark.parametrize(("days", "blamed"), [(-1, True), (0, True), (1, False)])
def test_a_stimulant_begun_after_the_twitching_is_not_blamed(
    days: int, blamed: bool, judge: Judge, drug: Make
) -> None:
    start = date(2026, 1, 1) + timedelta(days=days)
    answer = judge(medications=(drug("methylphenidate 10 mg", "methylphenidate", start=start),))
    assert ("drug:methylphenidate" in ids(answer)) is blamed


@pytest.mark.parametrize(("days", "asked"), [(90, True), (89, False), (None, True)])
def test_a_long_course_is_long_from_its_ninetieth_day_or_when_nobody_knows(
    days: int | None, asked: bool, judge: Judge, drug: Make
) -> None:
    start = None if days is None else TODAY - timedelta(days=days)
    course = drug("omeprazole 20 mg", "ppi", start=start)
    assert ("drug:ppi" in ids(judge(medications=(course,)))) is asked


def test_one_agent_in_two_strengths_is_one_agent(judge: Judge, drug: Make) -> None:
    low = drug("sertraline 50 mg", "ssri_snri", ingredients=("sertraline",), resource="MedicationRequest/1")
    high = replace(low, text="sertraline 100 mg", resource="MedicationRequest/2")
    other = replace(high, text="citalopram 20 mg", ingredients=("citalopram",))
    assert ids(judge(medications=(low, high))) == ["drug:ssri_snri"]
    assert ids(judge(medications=(low, other))) == ["serotonin_toxicity_risk"]


@pytest.mark.parametrize(
    ("question", "value", "flagged"),
    [
        ("episode-length", "continuous", True),
        ("episode-length", "seconds", False),
        ("same-muscle", "continuous", False),
    ],
)
def test_an_answer_counts_for_its_question_and_value(
    question: str, value: str, flagged: bool, judge: Judge
) -> None:
    stiff = Finding("muscle_stiffness", True, True, "stiff", TODAY, resource="Observation/s")
    told = Answer(question, value, "all the time", TODAY, resource="QuestionnaireResponse/1")
    flags = judge(findings=(stiff,), answers=(told,)).red_flags
    assert [flag.id for flag in flags] == (["continuous_activity_in_sleep"] if flagged else [])
    for flag in flags:
        label = "Continuous, also in sleep"
        assert flag.evidence[0] == Evidence(
            label, f"{label} (2026-03-01)", "QuestionnaireResponse/1", date=TODAY
        )


@pytest.mark.parametrize(("site", "asked"), [("leg", True), ("Leg", True), ("left arm", False), ("", False)])
def test_the_place_of_a_weakness_on_the_problem_list_chooses_the_imaging(
    site: str, asked: bool, judge: Judge
) -> None:
    weak = Problem(("muscle_weakness",), "Weakness", site=site, resource="Condition/w")
    assert ("mri_l_spine" in {test.id for test in judge(problems=[weak]).tests}) is asked


@pytest.mark.parametrize(
    ("medicine", "test", "why"),
    [
        (("isoniazid 300 mg", "isoniazid"), "plp_b6", "isoniazid lowers vitamin B6"),
        (("metformin 1 g", "metformin"), "vit_b12", "long-term metformin lowers vitamin B12"),
    ],
)
def test_a_result_that_a_medicine_lowers_is_asked_for_with_the_reason(
    medicine: tuple[str, str], test: str, why: str, judge: Judge, drug: Make
) -> None:
    taken = drug(*medicine, start=date(2023, 1, 1))
    (asked,) = [advice for advice in judge(medications=(taken,)).tests if advice.id == test]
    assert (asked.status, asked.reason) == ("suggested", f"{why}; not known while on {medicine[0]}")
    assert [item.resource for item in asked.evidence] == [taken.resource]


def test_of_several_entries_two_are_named(judge: Judge, lab: Make) -> None:
    entries = [
        Problem(("hypokalemia",), "Hypokalaemia", recorded=date(2024, 1, day), resource=f"Condition/{day}")
        for day in (3, 1, 2)
    ]
    assert next(c.why for c in judge(lab("potassium", "4.0"), problems=entries).considered) == (
        "Hypokalaemia (2024-01-01); Hypokalaemia (2024-01-02): "
        "On the problem list, but the current potassium is normal."
    )
