"""Edges of the rules that only an odd record reaches, each found by changing the code and seeing nothing fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from mappings.assess.assess import assess
from mappings.assess.readings import unit_limits
from mappings.assessment import Assessment
from mappings.facts import (
    Answer,
    DataGap,
    Finding,
    LabResult,
    Limits,
    Measure,
    Medication,
    Order,
    Patient,
    PatientFacts,
    Problem,
)
from mappings.knowledge import Knowledge

Judge = Callable[..., Assessment]
TODAY = date(2026, 3, 1)


def lab(analyte: str, value: str, unit: str = "mmol/L", days: int = 0, **more: Any) -> LabResult:
    more = {"resource": f"Observation/{analyte}-{value}"} | more
    return LabResult(analyte, Decimal(value), unit, TODAY - timedelta(days=days), **more)


@pytest.fixture
def judge(adult: Callable[..., PatientFacts], knowledge: Knowledge) -> Judge:
    def run(*labs: LabResult, **facts: Any) -> Assessment:
        return assess(adult(*labs, **facts), knowledge, TODAY)

    return run


def ids(answer: Assessment) -> list[str]:
    return [c.id for c in answer.contributors]


def test_a_stale_result_is_no_evidence_that_nothing_is_known(judge: Judge) -> None:
    listed = Problem(("hypokalemia",), "Hypokalaemia", recorded=date(2024, 1, 1), resource="Condition/k")
    answer = judge(lab("potassium", "2.9", days=400), problems=[listed])
    (why,) = [c.why for c in answer.considered if c.id == "hypokalaemia"]
    assert why == "Hypokalaemia (2024-01-01): On the problem list, but no usable potassium shows it now."


def test_medicines_without_an_id_are_each_shown(judge: Judge) -> None:
    both = tuple(Medication(text, ("loop_diuretic",), by="text") for text in ("furosemide", "bumetanide"))
    assert {item.text for item in judge(medications=both).contributors[0].evidence} == {
        "furosemide",
        "bumetanide",
    }


@pytest.mark.parametrize(
    ("text", "remark"), [("twitching of the chin", True), ("twitching of the arm, not the chin", False)]
)
def test_a_place_that_is_spared_is_no_place(text: str, remark: bool, judge: Judge) -> None:
    answer = judge(problems=[Problem(("fasciculation",), text, resource="Condition/2")])
    assert any(note.startswith("Twitching of the chin") for note in answer.notes) is remark


def test_a_newer_total_with_albumin_goes_before_an_older_ionised_calcium(judge: Judge) -> None:
    older = lab("calcium_ionised", "1.00", days=3)
    assert ids(judge(older)) == ["hypocalcaemia"]
    assert ids(judge(older, lab("calcium_total", "2.40"), lab("albumin", "43", "g/L"))) == []


def test_a_side_without_bands_is_never_abnormal(knowledge: Knowledge) -> None:
    result = lab("egfr", "130", "mL/min/{1.73_m2}", range=Limits(Decimal(60), Decimal(120)))
    verdict = unit_limits(knowledge, "egfr", result.unit).judge(result, pregnant=False)
    assert verdict.direction == "normal"


def test_of_one_day_a_result_without_a_time_may_be_the_newest(judge: Judge) -> None:
    timed = lab("potassium", "4.1", moment="2026-03-01T12:00")
    assert ids(judge(timed, lab("potassium", "2.4"))) == ["hypokalaemia"]


@pytest.mark.parametrize(("ahead", "believed"), [(1, True), (2, False)])
def test_a_result_of_tomorrow_is_from_another_time_zone(ahead: int, believed: bool, judge: Judge) -> None:
    assert (ids(judge(lab("potassium", "2.4", days=-ahead))) == ["hypokalaemia"]) is believed


def test_contamination_shows_by_any_measured_calcium(judge: Judge) -> None:
    labs = lab("potassium", "6.8"), lab("calcium_adjusted", "1.70"), lab("magnesium", "0.30")
    assert [item.id for item in judge(*labs).safety] == ["safety:spurious_result"]


def test_in_pregnancy_its_own_limit_goes_before_a_flag(judge: Judge) -> None:
    pregnant = Patient("p", (date(1990, 1, 1),) * 2, pregnant=True)
    flagged = lab("potassium", "3.3", interpretation="L")
    assert ids(judge(flagged)) == ["hypokalaemia"]
    assert ids(judge(flagged, patient=pregnant)) == []
    assert ids(judge(replace(flagged, value=Decimal("3.1")), patient=pregnant)) == ["hypokalaemia"]


def test_a_silent_answer_still_names_what_was_too_old(judge: Judge) -> None:
    als = Problem(("als",), "ALS", resource="Condition/als")
    answer = judge(lab("potassium", "4.1", days=400), problems=[als])
    assert answer.silent_reason == "known-mnd"
    assert [(gap.what, gap.reason) for gap in answer.gaps] == [("potassium", "stale")]


def test_an_examination_that_was_done_lately_is_not_asked_for_again(judge: Judge) -> None:
    wasting = Finding("muscle_atrophy", present=True, objective=True, text="Muscle wasting", date=TODAY)

    def emg(*tests: str, days: int = 30) -> str:
        done = Order(tests, "done", "done", TODAY - timedelta(days=days), "ServiceRequest/1")
        answer = judge(findings=(wasting,), orders=(done,))
        return next(test.status for test in answer.tests if test.id == "emg_ncs")

    assert emg("emg_ncs") == emg("emg_ncs", days=365) == "up-to-date"
    assert emg("ecg") == emg("emg_ncs", days=366) == "suggested"


def test_a_medicine_that_explains_one_result_is_not_cleared_by_another(judge: Judge) -> None:
    thiazide = Medication("hydrochlorothiazide 25 mg", ("thiazide",), start=date(2026, 1, 1), by="text")
    labs = lab("potassium", "3.2"), lab("magnesium", "0.85"), lab("sodium", "140")
    answer = judge(*labs, medications=(thiazide,))
    assert answer.contributors[0].explained_by == ("thiazide",)
    assert "drug:thiazide" not in {c.id for c in answer.considered}


def test_only_a_result_that_could_not_be_read_is_a_reason_to_repeat(judge: Judge) -> None:
    def status(reason: Any) -> str:
        gap = DataGap("potassium", reason, "potassium", "Observation/9", TODAY)
        answer = judge(lab("potassium", "4.1"), gaps=(gap,))
        return next(test.status for test in answer.tests if test.id == "potassium")

    assert status("no-unit") == "suggested"
    assert status("wrong-patient") == "up-to-date"


def test_an_onset_may_be_answered_with_a_time(judge: Judge) -> None:
    answer = Answer("first-noticed", "2026-02-25T10:00:00Z", "25 February", TODAY)
    normal = Finding("neuro_exam_normal", present=True, objective=True, text="normal", date=TODAY)
    eyelid = Problem(("eyelid_myokymia",), "Eyelid twitch", site="eyelid", resource="Condition/2")
    notes = judge(problems=[eyelid], findings=(normal,), answers=(answer,)).notes
    assert any("recent eyelid twitch" in note for note in notes)


def test_a_course_that_still_runs_is_shown_by_its_start(judge: Judge) -> None:
    runs = Medication(
        "furosemide", ("loop_diuretic",), start=date(2026, 1, 5), end=date(2026, 6, 1), by="text"
    )
    assert judge(medications=(runs,)).contributors[0].evidence[0].text == "furosemide since 2026-01-05"


def test_an_amount_in_another_unit_is_not_compared(judge: Judge) -> None:
    def listed(unit: str) -> bool:
        drunk = Measure("caffeine_intake", "Caffeine intake", Decimal(500), unit, TODAY)
        return "lifestyle:caffeine" in ids(judge(measures=(drunk,)))

    assert listed("mg/d")
    assert not listed("mL/d")


def test_each_injection_begins_its_effect_anew(judge: Judge) -> None:
    doses = tuple(
        Medication("denosumab 60 mg", ("denosumab",), start=on, by="text", resource=f"MedicationRequest/{on}")
        for on in (date(2025, 10, 1), date(2026, 2, 20))
    )
    calcium = lab("calcium_total", "2.40", days=19), lab("albumin", "43", "g/L", days=19)
    assert ids(judge(*calcium, medications=doses)) == ["drug:denosumab"]
    assert ids(judge(*calcium, medications=doses[:1])) == []


class TestUndocumented:
    """Twitching is not documented."""

    @pytest.fixture
    def facts(self, adult: Callable[..., PatientFacts]) -> PatientFacts:
        return replace(adult(), problems=())

    def test_results_that_could_not_be_read_do_not_open_the_gate(
        self, facts: PatientFacts, knowledge: Knowledge
    ) -> None:
        gap = DataGap("Observation", "not-readable", "results could not be read")
        answer = assess(replace(facts, gaps=(gap,)), knowledge, TODAY)
        assert answer.silent_reason == "twitching-not-documented"

    def test_a_resolved_mimic_is_no_mimic(self, facts: PatientFacts, knowledge: Knowledge) -> None:
        tremor = Problem(("tremor_mimic",), "Tremor")
        for active, reason in ((True, "mimic-only"), (False, "twitching-not-documented")):
            answer = assess(replace(facts, problems=(replace(tremor, active=active),)), knowledge, TODAY)
            assert answer.silent_reason == reason

    def test_a_drafted_medicine_asks_for_the_results_it_would_move(
        self, facts: PatientFacts, knowledge: Knowledge
    ) -> None:
        draft = Medication("furosemide 40 mg", ("loop_diuretic",), status="draft", by="text")
        answer = assess(
            replace(facts, medications=(draft,), labs=(lab("potassium", "3.2"),)), knowledge, TODAY
        )
        assert answer.indicator == "warning"
        assert {test.id for test in answer.tests if test.status == "suggested"} >= {"magnesium"}
        assert {test.id for test in answer.tests} <= {"potassium", "magnesium", "calcium_albumin", "sodium"}
