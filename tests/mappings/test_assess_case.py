"""How a record is put in order before any rule asks: what opens the gate, what is newest, what counts as examined."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from mappings.assess.assess import assess
from mappings.assessment import Assessment
from mappings.facts import Answer, DataGap, Finding, Measure, PatientFacts, Problem
from mappings.knowledge import Knowledge

Judge = Callable[..., Assessment]
TODAY = date(2026, 3, 1)
WASTING = Problem(("muscle_atrophy",), "Wasting", onset=date(2026, 2, 1), resource="Condition/wasting")
NORMAL_EXAM = Finding("neuro_exam_normal", True, True, "Neurological examination normal", TODAY)


def flags(answer: Assessment) -> list[str]:
    return [flag.id for flag in answer.red_flags]


def test_resolved_twitching_opens_no_gate(adult: Callable[..., PatientFacts], knowledge: Knowledge) -> None:
    over = Problem(("fasciculation",), "Fasciculation", active=False, resource="Condition/old")
    answer = assess(replace(adult(), problems=(over,)), knowledge, TODAY)
    assert answer.silent_reason == "twitching-not-documented"


class TestFindings:
    """What was seen, answered, or stands on the problem list."""

    def test_an_abnormal_sign_is_no_normal_examination(self, judge: Judge) -> None:
        sign = Finding("babinski", True, True, "extensor plantar", TODAY, resource="Observation/b")
        assert flags(judge(problems=[WASTING], findings=(sign,))) == [
            "muscle_wasting",
            "upper_motor_neuron_signs",
        ]

    def test_the_reason_of_an_encounter_counts_like_the_problem_list(self, judge: Judge) -> None:
        assert flags(judge(problems=[replace(WASTING, kind="Encounter")])) == ["muscle_wasting"]
        assert flags(judge(problems=[replace(WASTING, kind="Procedure")])) == []

    def test_it_is_shown_since_when_and_from_which_resource(self, judge: Judge) -> None:
        (shown,) = judge(problems=[WASTING]).red_flags[0].evidence
        assert (shown.text, shown.resource, shown.date) == (
            "Wasting (2026-02-01)",
            "Condition/wasting",
            date(2026, 2, 1),
        )

    def test_an_answer_is_shown_with_its_day_and_its_form(self, judge: Judge) -> None:
        told = Answer("wasting", "true", "yes", date(2026, 2, 20), resource="QuestionnaireResponse/1")
        (shown,) = judge(answers=(told,)).red_flags[0].evidence
        assert (shown.label, shown.resource, shown.date) == (
            "Muscle wasting",
            "QuestionnaireResponse/1",
            date(2026, 2, 20),
        )


class TestTheNewestCounts:
    """In whatever order a record gives its parts."""

    @pytest.mark.parametrize(("latest", "earlier", "listed"), [(500, 100, True), (100, 500, False)])
    def test_of_a_measured_habit(self, latest: int, earlier: int, listed: bool, judge: Judge) -> None:
        now = Measure("caffeine_intake", "Caffeine intake", Decimal(latest), "mg/d", TODAY, "Observation/a")
        then = replace(now, value=Decimal(earlier), date=date(2025, 3, 1), resource="Observation/b")
        undated = replace(then, date=None, resource="Observation/c")
        for given in ((now, then, undated), (undated, then, now)):
            ranked = [c.id for c in judge(measures=given).contributors]
            assert ("lifestyle:caffeine" in ranked) is listed

    def test_of_results_that_could_not_be_read(self, judge: Judge, reason: Callable[..., str]) -> None:
        gaps = tuple(
            DataGap("potassium", "no-unit", f"potassium {value} has no unit", f"Observation/{value}", on)
            for value, on in (("4.1", date(2026, 2, 10)), ("2.1", date(2026, 2, 20)))
        )
        for given in (gaps, gaps[::-1]):
            assert reason(judge(gaps=given), "potassium") == "potassium 2.1 has no unit"

    def test_of_results_that_could_not_be_read_an_undated_one_may_be_the_newest(
        self, judge: Judge, reason: Callable[..., str]
    ) -> None:
        dated = DataGap("potassium", "no-unit", "potassium 4.1 has no unit", "Observation/1", TODAY)
        undated = DataGap("potassium", "no-date", "potassium 2.1 has no date", "Observation/0")
        for given in ((dated, undated), (undated, dated)):
            assert reason(judge(gaps=given), "potassium") == "potassium 2.1 has no date"


@pytest.mark.parametrize("garbled", ["2025-spring", "last year", "2026-spring"])
def test_an_onset_that_cannot_be_read_does_not_hide_one_that_can(garbled: str, judge: Judge) -> None:
    eyelid = Problem(("eyelid_myokymia",), "Eyelid twitch", site="eyelid", resource="Condition/2")
    answers = (
        Answer("first-noticed", garbled, garbled, TODAY),
        Answer("first-noticed", "2026-02-25", "25 February", TODAY),
    )
    notes = judge(problems=[eyelid], findings=(NORMAL_EXAM,), answers=answers).notes
    assert any("recent eyelid twitch" in note for note in notes)


@pytest.mark.parametrize(
    ("earlier", "later", "by_patient", "flagged"),
    [("true", "false", False, False), ("false", "true", False, True), ("true", "false", True, True)],
)
def test_a_question_answered_again_counts_by_its_last_answer(
    earlier: str, later: str, by_patient: bool, flagged: bool, judge: Judge
) -> None:
    first = Answer(
        "cauda-equina", earlier, earlier, TODAY - timedelta(days=60), resource="QuestionnaireResponse/1"
    )
    again = Answer(
        "cauda-equina", later, later, TODAY, reported=by_patient, resource="QuestionnaireResponse/2"
    )
    for given in ((first, again), (again, first)):
        assert flags(judge(answers=given)) == (["cauda_equina_features"] if flagged else [])


@pytest.mark.parametrize(
    ("value", "on"), [("unknown", TODAY), ("asked-declined", TODAY), ("false", TODAY + timedelta(days=30))]
)
def test_what_is_no_plain_answer_of_today_takes_no_red_flag_back(value: str, on: date, judge: Judge) -> None:
    first = Answer(
        "cauda-equina", "true", "yes", TODAY - timedelta(days=60), resource="QuestionnaireResponse/1"
    )
    again = Answer("cauda-equina", value, value, on, resource="QuestionnaireResponse/2")
    assert flags(judge(answers=(first, again))) == ["cauda_equina_features"]


@pytest.mark.parametrize(
    ("question", "value", "text", "flagged"),
    [
        ("locations", "tongue", "", True),
        ("locations", "other", "Tongue", True),
        ("same-muscle", "tongue", "Tongue", False),
    ],
)
def test_only_the_answered_places_are_places(
    question: str, value: str, text: str, flagged: bool, judge: Judge
) -> None:
    answer = judge(answers=(Answer(question, value, text, TODAY),))
    assert flags(answer) == (["tongue_fasciculation"] if flagged else [])


def test_a_problem_is_shown_by_the_entry_that_is_active_then_by_the_oldest(judge: Judge) -> None:
    def shown(*problems: Problem) -> list[Any]:
        return [item.resource for item in judge(problems=problems).contributors[0].evidence]

    new = Problem(("stress",), "Stress", onset=date(2025, 1, 1), resource="Condition/new")
    old = Problem(("stress",), "Stress", recorded=date(2020, 1, 1), resource="Condition/old")
    assert shown(new, old) == shown(old, new) == ["Condition/old", "Condition/new"]
