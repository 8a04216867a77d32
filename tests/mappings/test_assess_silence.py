"""When nothing is said, and why: each reason, and what breaks each silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from mappings.assess.assess import assess
from mappings.assessment import Assessment
from mappings.facts import DataGap, Finding, LabResult, Medication, Order, Patient, PatientFacts, Problem
from mappings.knowledge import Knowledge

Judge = Callable[..., Assessment]
Make = Callable[..., LabResult]
TODAY = date(2026, 3, 1)
ALL_REQUESTED = tuple(
    Order((test,), "pending", test, TODAY - timedelta(days=1), f"ServiceRequest/{test}")
    for test in ("calcium_albumin", "magnesium", "potassium", "renal_function", "sodium", "tsh")
)
ALS = Problem(("als",), "ALS", onset=date(2024, 1, 1), resource="Condition/als")


@pytest.fixture
def undocumented(knowledge: Knowledge) -> Judge:
    """Assesses an adult whose record documents no twitching."""

    def run(*labs: LabResult, **facts: Any) -> Assessment:
        patient = facts.pop("patient", Patient("p", (date(1980, 1, 1), date(1980, 1, 1))))
        read = frozenset({"Condition", "Observation", "MedicationRequest", "ServiceRequest"})
        return assess(PatientFacts(patient, labs, read=read, **facts), knowledge, TODAY)

    return run


class TestNothingToAdd:
    """Everything is requested already and nothing speaks."""

    def test_no_card_repeats_what_is_requested(self, judge: Judge) -> None:
        answer = judge(orders=ALL_REQUESTED)
        assert (answer.silent_reason, answer.indicator) == ("nothing-to-add", "none")
        assert {test.status for test in answer.tests} == {"already-ordered"}

    def test_one_missing_test_speaks(self, judge: Judge) -> None:
        answer = judge(orders=ALL_REQUESTED[1:])
        assert answer.silent_reason is None
        assert [test.id for test in answer.tests if test.status == "suggested"] == ["calcium_albumin"]

    def test_a_contributor_speaks(self, judge: Judge) -> None:
        stress = Problem(("stress",), "Stress", onset=date(2025, 12, 1))
        assert judge(orders=ALL_REQUESTED, problems=[stress]).silent_reason is None

    def test_a_red_flag_speaks(self, judge: Judge) -> None:
        sign = Finding("babinski", True, True, "extensor plantar response", TODAY, resource="Observation/b")
        assert judge(orders=ALL_REQUESTED, findings=[sign]).silent_reason is None

    def test_a_safety_item_speaks(self, judge: Judge, lab: Make) -> None:
        answer = judge(lab("potassium", "6.4"), orders=ALL_REQUESTED)
        assert answer.silent_reason is None
        assert answer.safety

    @pytest.mark.parametrize(
        ("gap", "silent"),
        [
            (DataGap("potassium", "no-unit", "potassium 3 has no unit", "Observation/1"), False),
            (DataGap("Observation", "not-provided", "the EHR sent no Observation", "labs"), False),
            (DataGap("Procedure", "not-provided", "the EHR sent no Procedure", "procedures"), True),
        ],
    )
    def test_what_could_not_be_read_speaks_unless_it_does_not_matter(
        self, judge: Judge, gap: DataGap, silent: bool
    ) -> None:
        answer = judge(orders=ALL_REQUESTED, gaps=(gap,))
        assert (answer.silent_reason == "nothing-to-add") is silent

    def test_current_normal_results_without_a_request_are_worth_a_card(self, judge: Judge, lab: Make) -> None:
        normal = (
            lab("potassium", "4.2"),
            lab("sodium", "140"),
            lab("magnesium", "0.85"),
            lab("calcium_total", "2.35"),
            lab("albumin", "43", "g/L"),
            lab("creatinine", "70", "umol/L"),
            lab("egfr", "90", "mL/min/{1.73_m2}"),
            lab("tsh", "2.0", "m[IU]/L"),
        )
        answer = judge(*normal)
        assert answer.silent_reason is None
        assert {test.status for test in answer.tests} == {"up-to-date"}


class TestKnownMotorNeuroneDisease:
    """The cause is known; only what is dangerous or treatable speaks."""

    def test_it_is_silent(self, judge: Judge) -> None:
        answer = judge(problems=[ALS])
        assert (answer.silent_reason, answer.indicator) == ("known-mnd", "none")

    @pytest.mark.parametrize(
        ("value", "speaks"), [("2.4", True), ("2.8", True), ("3.4", False), ("6.4", True)]
    )
    def test_only_a_marked_result_speaks(self, judge: Judge, lab: Make, value: str, speaks: bool) -> None:
        assert (judge(lab("potassium", value), problems=[ALS]).silent_reason is None) is speaks

    def test_an_unreadable_result_that_could_be_critical_speaks(self, judge: Judge) -> None:
        gap = DataGap("potassium", "no-unit", "potassium 3 has no unit", "Observation/1", TODAY)
        assert judge(problems=[ALS], gaps=(gap,)).silent_reason is None

    def test_an_unreadable_result_that_cannot_be_critical_does_not(self, judge: Judge) -> None:
        gap = DataGap("tsh", "no-unit", "TSH 3 has no unit", "Observation/1", TODAY)
        assert judge(problems=[ALS], gaps=(gap,)).silent_reason == "known-mnd"


class TestNotDocumented:
    """No twitching is on record."""

    def test_it_is_silent_whatever_the_results(self, undocumented: Judge, lab: Make) -> None:
        answer = undocumented(lab("potassium", "2.2"))
        assert answer.silent_reason == "twitching-not-documented"
        assert not answer.contributors

    def test_a_mimic_says_which_silence_it_is(self, undocumented: Judge) -> None:
        mimic = Problem(("tremor_mimic",), "Tremor", resource="Condition/t")
        assert undocumented(problems=(mimic,)).silent_reason == "mimic-only"
        over = Problem(("tremor_mimic",), "Tremor", active=False, resource="Condition/t")
        assert undocumented(problems=(over,)).silent_reason == "twitching-not-documented"

    def test_an_unreadable_problem_list_is_no_silence(self, undocumented: Judge) -> None:
        gap = DataGap("Condition", "not-readable", "one Condition could not be read", "Condition/1")
        other = DataGap("Observation", "not-readable", "one Observation could not be read", "Observation/1")
        answer = undocumented(gaps=(gap, other))
        assert (answer.silent_reason, answer.indicator) == (None, "info")
        assert answer.gaps == (gap,)
        assert len(answer.notes) == 1

    def test_a_dead_patient_gets_no_card(self, judge: Judge, undocumented: Judge, lab: Make) -> None:
        dead = Patient("p", deceased=True)
        assert judge(lab("potassium", "2.2"), patient=dead).silent_reason == "deceased"
        draft = Medication("furosemide 40 mg", ("loop_diuretic",), status="draft", by="text")
        low = lab("potassium", "3.0")
        assert undocumented(low, patient=dead, medications=(draft,)).silent_reason is not None

    def test_an_order_that_would_push_a_result_further_speaks_of_that_only(
        self, undocumented: Judge, lab: Make
    ) -> None:
        draft = Medication("furosemide 40 mg", ("loop_diuretic",), status="draft", by="text")
        unread = DataGap("sodium", "no-unit", "sodium 140 has no unit", "Observation/2")
        answer = undocumented(lab("potassium", "3.0"), medications=(draft,), gaps=(unread,))
        assert [p.id for p in answer.proposals] == ["drug:loop_diuretic"]
        assert not answer.gate.open
        assert not answer.contributors
        assert unread in answer.gaps
        assert "tsh" not in {test.id for test in answer.tests}
        assert "magnesium" in {test.id for test in answer.tests if test.status == "suggested"}

    def test_a_child_is_told_nothing_of_its_orders(self, undocumented: Judge, lab: Make) -> None:
        child = Patient("p", (date(2010, 1, 1), date(2010, 1, 1)))
        draft = Medication("furosemide 40 mg", ("loop_diuretic",), status="draft", by="text")
        answer = undocumented(lab("potassium", "3.0"), patient=child, medications=(draft,))
        assert answer.silent_reason == "twitching-not-documented"
