"""What a record says and does not say: the gate, onset, findings, medicines, requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from mappings.assess.assess import assess
from mappings.assess.record_words import stated_dose_mg
from mappings.assessment import Assessment
from mappings.facts import (
    Answer,
    DataGap,
    Finding,
    LabResult,
    Measure,
    Medication,
    Order,
    PatientFacts,
    Problem,
)
from mappings.knowledge import Knowledge

Judge = Callable[..., Assessment]
TODAY = date(2026, 3, 1)
THIAZIDE = Medication("hydrochlorothiazide 25 mg", ("thiazide",), by="text", resource="MedicationRequest/1")


@pytest.fixture
def judge(adult: Callable[..., PatientFacts], knowledge: Knowledge, today: date) -> Judge:
    def run(**facts: Any) -> Assessment:
        labs = facts.pop("labs", ())
        return assess(adult(*labs, **facts), knowledge, today)

    return run


def advice_on(answer: Assessment, name: str) -> Any:
    return next((test for test in answer.tests if test.id == name), None)


class TestGate:
    """Whether anything is said at all."""

    @pytest.fixture
    def undocumented(self, adult: Callable[..., PatientFacts]) -> PatientFacts:
        return replace(adult(), problems=())

    def test_a_problem_list_that_could_not_be_read_is_not_silence(
        self, undocumented: PatientFacts, knowledge: Knowledge, today: date
    ) -> None:
        gap = DataGap("Condition", "not-readable", "the problem list could not be read")
        answer = assess(replace(undocumented, gaps=(gap,)), knowledge, today)
        assert answer.silent_reason is None
        assert gap in answer.gaps

    def test_a_medicine_that_would_worsen_a_result_is_named_without_twitching(
        self, undocumented: PatientFacts, knowledge: Knowledge, today: date
    ) -> None:
        low = LabResult("potassium", Decimal("3.2"), "mmol/L", today, resource="Observation/k")
        facts = replace(undocumented, medications=(replace(THIAZIDE, status="draft"),), labs=(low,))
        answer = assess(facts, knowledge, today)
        assert [(p.id, p.indicator) for p in answer.proposals] == [("drug:thiazide", "warning")]
        harmless = assess(replace(facts, labs=()), knowledge, today)
        assert harmless.silent_reason == "twitching-not-documented"
        child = replace(facts.patient, birth_date=(date(2015, 1, 1), date(2015, 1, 1)))
        assert assess(replace(facts, patient=child), knowledge, today).proposals == ()

    def test_nothing_is_said_of_the_dead(
        self, adult: Callable[..., PatientFacts], knowledge: Knowledge, today: date
    ) -> None:
        facts = adult()
        dead = replace(facts, patient=replace(facts.patient, deceased=True))
        assert assess(dead, knowledge, today).silent_reason == "deceased"


def test_the_answered_onset_goes_before_the_recorded_one(judge: Judge) -> None:
    eyelid = replace(Problem(("eyelid_myokymia",), "Eyelid twitch", resource="Condition/2"), site="eyelid")
    normal = Finding(
        "neuro_exam_normal", present=True, objective=True, text="Neurological examination normal", date=TODAY
    )
    recent = Answer("first-noticed", "2026-02-25", "25 February", TODAY)
    garbled = Answer("first-noticed", "2026-spring", "in spring", TODAY)

    def notes(*answers: Answer) -> str:
        return " ".join(judge(problems=[eyelid], findings=(normal,), answers=answers).notes)

    assert "recent eyelid twitch" in notes(recent, garbled)
    assert "recent eyelid twitch" not in notes(garbled)


@pytest.mark.parametrize(("reported", "flags"), [(False, ["muscle_wasting"]), (True, [])])
def test_a_finding_answered_by_a_clinician_is_objective(
    reported: bool, flags: list[str], judge: Judge
) -> None:
    wasting = Answer("wasting", "true", "yes", TODAY, reported=reported)
    assert [flag.id for flag in judge(answers=(wasting,)).red_flags] == flags


def test_a_finding_that_was_looked_for_and_absent_does_not_count(judge: Judge) -> None:
    absent = Finding("muscle_atrophy", present=False, objective=True, text="no wasting")
    assert judge(findings=(absent,)).red_flags == ()


def test_a_medicine_that_begins_tomorrow_is_not_taken_yet(judge: Judge) -> None:
    later = replace(THIAZIDE, start=TODAY + timedelta(days=1))
    assert [c.id for c in judge(medications=(later,)).contributors] == []
    assert [c.id for c in judge(medications=(THIAZIDE,)).contributors] == ["drug:thiazide"]


def test_a_medicine_without_a_rule_is_named(judge: Judge) -> None:
    unknown = Medication("snake oil 5 mL", resource="MedicationRequest/2")
    assert any("snake oil 5 mL" in note for note in judge(medications=(unknown,)).notes)


def test_a_reported_symptom_is_told_as_reported(judge: Judge) -> None:
    weak = Measure("reported_symptom", "weak grip in the morning", date=TODAY, resource="Observation/1")
    assert any("felt but not found" in note for note in judge(measures=(weak,)).notes)


def test_evidence_that_only_the_patient_reports_says_so(judge: Judge) -> None:
    clonus = Finding("weakness_reported", present=True, objective=False, text="weak legs", date=TODAY)
    answer = judge(findings=(clonus,))
    assert any("felt but not found" in note for note in answer.notes)


class TestRequests:
    """Requested tests are not suggested again while the request counts."""

    def test_the_newest_request_is_named(self, judge: Judge) -> None:
        orders = (
            Order(("potassium",), "pending", "Potassium", date(2026, 2, 1), "ServiceRequest/1"),
            Order(("potassium",), "pending", "Potassium", date(2026, 2, 20), "ServiceRequest/2"),
            Order(("potassium",), "draft", "Potassium", None, "ServiceRequest/3"),
        )
        for given in (orders, orders[::-1]):
            advice = advice_on(judge(orders=given), "potassium")
            assert (advice.status, advice.reason) == ("already-ordered", "already requested (2026-02-20)")

    def test_an_undated_request_counts(self, judge: Judge) -> None:
        order = Order(("tsh",), "draft", "TSH", None, "ServiceRequest/1")
        assert advice_on(judge(orders=(order,)), "tsh").reason == "already requested"

    def test_a_request_older_than_its_validity_does_not(self, judge: Judge) -> None:
        order = Order(("potassium",), "pending", "Potassium", date(2025, 1, 1), "ServiceRequest/1")
        assert advice_on(judge(orders=(order,)), "potassium").status == "suggested"

    def test_a_panel_covers_its_members_but_never_magnesium(self, judge: Judge) -> None:
        panel = Order(("cmp_panel",), "pending", "CMP", TODAY, "ServiceRequest/1")
        answer = judge(orders=(panel,))
        assert {
            name: advice_on(answer, name).status for name in ("potassium", "calcium_albumin", "magnesium")
        } == {
            "potassium": "already-ordered",
            "calcium_albumin": "already-ordered",
            "magnesium": "suggested",
        }

    def test_of_a_test_in_parts_only_the_missing_part_is_suggested(self, judge: Judge) -> None:
        part = Order(("albumin",), "pending", "Albumin", TODAY, "ServiceRequest/1")
        advice = advice_on(judge(orders=(part,)), "calcium_albumin")
        assert (advice.status, advice.parts) == ("suggested", ("calcium_total",))

    def test_a_test_that_was_carried_out_is_no_request(self, judge: Judge) -> None:
        done = Order(("potassium",), "done", "Potassium", TODAY, "ServiceRequest/1")
        assert advice_on(judge(orders=(done,)), "potassium").status == "suggested"


@pytest.mark.parametrize(
    ("text", "dose"),
    [
        ("biotin 10 mg tablet", "10"),
        ("biotin 10,000 mcg", "10"),
        ("biotin 2,5 mg", "2.5"),
        ("biotin 1 g", "1000"),
        ("biotin", "0"),
        ("biotin 1.000.000 mg", "0"),
        ("B complex 5 mg and 2.5 mg", "5"),
    ],
)
def test_the_largest_stated_strength_is_read(text: str, dose: str) -> None:
    assert stated_dose_mg(text) == Decimal(dose)
