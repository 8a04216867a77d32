"""The whole of an answer: every kind of it says when, by which rules and because of what, and loses nothing on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.assess.assess import assess
from mappings.assessment import Assessment, Gate
from mappings.facts import DataGap, Finding, LabResult, Medication, Order, Patient, PatientFacts, Problem
from mappings.knowledge import Knowledge

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
TODAY = date(2026, 3, 1)
ALS = Problem(("als",), "ALS", onset=date(2024, 1, 1), resource="Condition/als")
FUROSEMIDE = Medication(
    "furosemide 40 mg", ("loop_diuretic",), status="draft", by="text", resource="MedicationRequest/new"
)


def born(years: int) -> Patient:
    return Patient("p", (date(2026 - years, 1, 1),) * 2)


@pytest.fixture
def undocumented(knowledge: Knowledge) -> Judge:
    """Assesses an adult whose record documents no twitching."""

    def run(*labs: LabResult, **facts: Any) -> Assessment:
        read = frozenset({"Condition", "Observation", "MedicationRequest", "ServiceRequest"})
        return assess(
            PatientFacts(facts.pop("patient", born(46)), labs, read=read, **facts), knowledge, TODAY
        )

    return run


def test_every_answer_says_its_day_its_rules_and_whether_the_gate_is_open(
    judge: Judge, undocumented: Judge, knowledge: Knowledge, lab: Make
) -> None:
    unread = DataGap("Condition", "not-readable", "one Condition could not be read", "Condition/1")
    opened = [
        judge(),
        judge(lab("potassium", "2.4")),
        judge(problems=[ALS]),
        judge(patient=Patient("p", deceased=True)),
        judge(patient=born(12)),
    ]
    closed = [
        undocumented(),
        undocumented(gaps=(unread,)),
        undocumented(lab("potassium", "3.2"), medications=(FUROSEMIDE,)),
    ]
    assert len({(answer.silent_reason, answer.indicator) for answer in (*opened, *closed)}) == 6
    for answer in (*opened, *closed):
        assert (answer.assessed_at, answer.knowledge_version) == (TODAY, knowledge.version)
    for answer in opened:
        assert [item.resource for item in answer.gate.because] == ["Condition/twitching"]
        assert answer.gate.open
    assert {answer.gate for answer in closed} == {Gate(open=False)}


class TestKnownMotorNeuroneDisease:
    """What is told of a patient whose twitching is explained."""

    def test_an_emergency_is_still_told_and_the_expected_is_not(self, judge: Judge) -> None:
        breathless = Finding(
            "orthopnoea", True, True, "breathless lying flat", TODAY, resource="Observation/o"
        )
        wasting = Finding("muscle_atrophy", True, True, "wasting", TODAY, resource="Observation/w")
        answer = judge(problems=[ALS], findings=(breathless, wasting))
        assert [flag.id for flag in answer.red_flags] == ["breathlessness_at_rest"]
        assert (answer.silent_reason, answer.indicator) == (None, "critical")

    def test_the_silence_keeps_what_was_ranked_and_considered(self, judge: Judge, lab: Make) -> None:
        answer = judge(lab("potassium", "3.4"), lab("sodium", "133"), problems=[ALS])
        assert answer.silent_reason == "known-mnd"
        assert {c.id for c in answer.contributors} == {"known:als", "hypokalaemia"}
        assert "hyponatraemia" in {c.id for c in answer.considered}


def test_the_gravest_red_flag_comes_first(judge: Judge) -> None:
    wasting = Finding("muscle_atrophy", True, True, "wasting", TODAY, resource="Observation/w")
    weakness = Finding("acute_limb_weakness", True, True, "legs gave way", TODAY, resource="Observation/a")
    babinski = Finding("babinski", True, True, "extensor plantar", TODAY, resource="Observation/b")
    flags = judge(findings=(babinski, wasting, weakness)).red_flags
    assert [flag.id for flag in flags] == [
        "rapidly_progressive_weakness",
        "muscle_wasting",
        "upper_motor_neuron_signs",
    ]


def test_a_child_is_told_that_the_rules_do_not_apply(judge: Judge, knowledge: Knowledge, lab: Make) -> None:
    answer = judge(lab("potassium", "2.4"), patient=born(17))
    assert answer.notes == (knowledge.gate.under_age,)
    assert answer.out_of_scope == knowledge.gate.under_age
    assert (answer.silent_reason, answer.contributors, answer.tests) == (None, (), ())


def test_an_urgent_test_is_a_warning_until_it_is_requested(judge: Judge, lab: Make) -> None:
    open_calcium = lab("calcium_total", "1.85"), lab("albumin", "24", "g/L")
    answer = judge(*open_calcium)
    assert (answer.contributors, answer.indicator) == ((), "warning")
    assert [test.id for test in answer.tests if test.urgency != "routine"] == ["calcium_ionised"]
    requested = Order(("calcium_ionised",), "pending", "Ionised calcium", TODAY, "ServiceRequest/1")
    assert judge(*open_calcium, orders=(requested,)).indicator == "info"


def test_a_date_of_birth_that_is_missing_is_named(judge: Judge, knowledge: Knowledge) -> None:
    assert judge(patient=Patient("p")).gaps == (
        DataGap("Patient", "no-value", knowledge.gate.age_unknown, ""),
    )


@pytest.mark.parametrize(("born", "told"), [("2008-03-02", True), ("2008-03-01", False)])
def test_a_date_of_birth_that_leaves_open_whether_it_is_an_adult_is_named(
    born: str, told: bool, judge: Judge, knowledge: Knowledge
) -> None:
    about = Patient("p", (date(2008, 1, 1), date.fromisoformat(born)))
    named = [gap.text for gap in judge(patient=about).gaps]
    assert (knowledge.gate.age_unknown in named) is told


def test_gaps_that_differ_only_in_their_day_come_in_one_order(judge: Judge) -> None:
    gaps = [DataGap("plp", "no-unit", "it could not be read", "", on) for on in (TODAY, None)]
    assert judge(gaps=tuple(gaps)).gaps == judge(gaps=tuple(reversed(gaps))).gaps


def test_several_medicines_without_a_rule_are_told_apart(judge: Judge, drug: Make) -> None:
    answer = judge(medications=(drug("snake oil", by=""), drug("elixir", by="")))
    assert "Medicines without a rule here: elixir, snake oil." in answer.notes


class TestOrderWithoutTwitching:
    """A medicine is being ordered for somebody in whom twitching is not documented."""

    @pytest.mark.parametrize(("years", "told"), [(17, False), (18, True)])
    def test_adults_only(self, years: int, told: bool, undocumented: Judge, lab: Make) -> None:
        answer = undocumented(lab("potassium", "3.2"), medications=(FUROSEMIDE,), patient=born(years))
        assert bool(answer.proposals) is told

    def test_a_year_of_birth_that_leaves_the_age_open_is_not_adult(
        self, undocumented: Judge, lab: Make
    ) -> None:
        about = Patient("p", (date(2007, 12, 1), date(2008, 6, 1)))
        answer = undocumented(lab("potassium", "3.2"), medications=(FUROSEMIDE,), patient=about)
        assert answer.proposals == ()

    def test_only_what_it_moves_and_is_not_known_is_asked_for(
        self, undocumented: Judge, lab: Make, reason: Make
    ) -> None:
        answer = undocumented(lab("potassium", "3.2"), lab("tsh", "9", "m[IU]/L"), medications=(FUROSEMIDE,))
        assert {test.id: test.status for test in answer.tests} == {
            "calcium_albumin": "suggested",
            "magnesium": "suggested",
            "potassium": "up-to-date",
        }
        assert reason(answer, "magnesium") == "to know before furosemide 40 mg is started"
