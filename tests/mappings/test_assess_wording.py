"""What a clinician reads: evidence lines, remarks, reasons for tests, unanswered questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from mappings.assess.assess import assess
from mappings.assess.evidence import LONGEST, clip
from mappings.assessment import Assessment
from mappings.facts import (
    Answer,
    DataGap,
    Finding,
    LabResult,
    Limits,
    Patient,
    PatientFacts,
    Problem,
)
from mappings.knowledge import Knowledge

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
TODAY = date(2026, 3, 1)
NORMAL_EXAM = Finding(
    "neuro_exam_normal", present=True, objective=True, text="Neurological examination normal", date=TODAY
)
NO_EXAM = "A normal neurological examination is not documented"


def lab(analyte: str, value: str, unit: str = "mmol/L", **more: Any) -> LabResult:
    return LabResult(
        analyte, Decimal(value), unit, **({"date": TODAY, "resource": f"Observation/{analyte}"} | more)
    )


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (
            lab("potassium", "3.2", range=Limits(Decimal("3.5"), Decimal("5.1"))),
            "potassium 3.2 mmol/L (2026-03-01); lower limit 3.5, laboratory's own",
        ),
        (
            lab("potassium", "3.2"),
            "potassium 3.2 mmol/L (2026-03-01); lower limit 3.5, default limit, the laboratory gave none",
        ),
        (
            lab("potassium", "2.8"),
            "potassium 2.8 mmol/L (2026-03-01); limit of this grade 3, guideline limit",
        ),
        (
            lab("potassium", "2.4", preliminary=True, by_text=True),
            (
                "potassium 2.4 mmol/L (2026-03-01); critical limit 2.5, guideline limit; preliminary result; "
                "identified by its name, not by a LOINC code"
            ),
        ),
        (
            lab("potassium", "3.2", specimen_problem="haemolysed"),
            (
                "potassium 3.2 mmol/L (2026-03-01); lower limit 3.5, default limit, the laboratory gave none; "
                "specimen haemolysed"
            ),
        ),
    ],
)
def test_a_result_is_shown_with_its_limit_and_whose_it_is(
    result: LabResult, text: str, judge: Judge, evidence: Make
) -> None:
    assert evidence(judge(result), "hypokalaemia") == [text]


def test_a_high_result_is_shown_with_its_upper_limit(judge: Judge) -> None:
    shown = judge(lab("bicarbonate", "34")).contributors[0].evidence[0]
    assert (shown.value, shown.unit, shown.limit, shown.limit_source) == (
        "34",
        "mmol/L",
        "30 mmol/L",
        "default",
    )
    assert "upper limit 30" in shown.text


def test_long_record_text_is_cut_to_one_line() -> None:
    assert clip("one\n two  three") == "one two three"
    assert clip("x" * LONGEST) == "x" * LONGEST
    assert clip("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"


class TestReasons:
    """Why a first-line test is suggested."""

    def test_never_measured_or_not_obtained(self, judge: Judge, reason: Make) -> None:
        assert reason(judge(), "potassium") == "not measured in this record"
        assert reason(judge(read=frozenset({"Condition"})), "potassium") == (
            "not found in the results that could be read"
        )
        partly = DataGap("Observation", "incomplete", "more pages exist")
        assert reason(judge(gaps=(partly,)), "potassium") == "not found in the results that could be read"
        other = DataGap("Condition", "incomplete", "more pages exist")
        assert reason(judge(gaps=(other,)), "potassium") == "not measured in this record"

    def test_too_old(self, judge: Judge, reason: Make) -> None:
        old = lab("potassium", "4.1", date=TODAY - timedelta(days=91))
        assert reason(judge(old), "potassium") == "last result is 3 months old"
        assert reason(judge(replace(old, date=TODAY - timedelta(days=90))), "potassium").startswith("current")

    def test_newest_unreadable_unless_a_newer_one_is_there(self, judge: Judge, reason: Make) -> None:
        gap = DataGap("potassium", "no-unit", "potassium 4.1 has no unit", "Observation/9", date(2026, 2, 10))
        assert reason(judge(gaps=(gap,)), "potassium") == "potassium 4.1 has no unit"
        newer = lab("potassium", "4.1", date=date(2026, 2, 11))
        assert reason(judge(newer, gaps=(gap,)), "potassium").startswith("current result")
        older = lab("potassium", "4.1", date=date(2026, 2, 9))
        assert reason(judge(older, gaps=(gap,)), "potassium") == "potassium 4.1 has no unit"
        silent = replace(gap, text="")
        assert reason(judge(gaps=(silent,)), "potassium") == "newest result could not be used"

    def test_the_most_urgent_come_first(self, judge: Judge) -> None:
        answer = judge(lab("potassium", "2.3"))
        suggested = [test for test in answer.tests if test.status == "suggested"]
        ranks = [("immediate", "urgent", "routine").index(test.urgency) for test in suggested]
        assert ranks == sorted(ranks)
        assert ranks[0] == 0
        statuses = [test.status for test in answer.tests]
        assert statuses == sorted(statuses, key=["suggested", "already-ordered", "up-to-date"].index)


class TestRemarks:
    """Sentences beside the ranking."""

    def test_a_missing_examination_is_remarked_on(self, judge: Judge) -> None:
        def said(**facts: Any) -> bool:
            return any(note.startswith(NO_EXAM) for note in judge(**facts).notes)

        assert said()
        assert not said(findings=(NORMAL_EXAM,))
        assert not said(answers=(Answer("wasting", "true", "yes", TODAY),))

    def test_nothing_found_is_said_only_when_nothing_is_found(self, judge: Judge) -> None:
        assert "No likely contributor found in what could be read." in judge().notes
        found = judge(lab("potassium", "3.2"))
        assert "No likely contributor found in what could be read." not in found.notes

    def test_medicines_without_a_rule_are_named_but_not_drafts_or_blanks(
        self, judge: Judge, drug: Make
    ) -> None:
        unknown = drug("snake oil", by="")
        named = judge(medications=(unknown, drug("tonic", by="", status="draft"), drug("ppi", by="text")))
        assert "Medicines without a rule here: snake oil." in named.notes

    def test_an_unknown_age_is_a_gap(self, judge: Judge) -> None:
        answer = judge(patient=Patient("p"))
        assert [gap.what for gap in answer.gaps] == ["Patient"]
        assert judge().gaps == ()

    @pytest.mark.parametrize(
        ("question", "value", "text"),
        [
            ("first-noticed", "2026-02-01", "When was the twitching first noticed?"),
            ("frequency", "daily", "How often does it happen?"),
            ("locations", "calf", "Which places twitch?"),
        ],
    )
    def test_only_unanswered_questions_are_listed(
        self, question: str, value: str, text: str, adult: Callable[..., PatientFacts], knowledge: Knowledge
    ) -> None:
        facts = replace(adult(), problems=(Problem(("fasciculation",), "Fasciculation"),))
        before = assess(facts, knowledge, TODAY).unanswered
        after = assess(replace(facts, answers=(Answer(question, value, value),)), knowledge, TODAY).unanswered
        assert len(before) == 5
        assert set(before) - set(after) == {text}

    def test_what_the_record_says_need_not_be_asked(
        self, adult: Callable[..., PatientFacts], knowledge: Knowledge
    ) -> None:
        known = Problem(("fasciculation",), "Fasciculation", onset=TODAY, site="calf")
        asked = assess(replace(adult(), problems=(known,)), knowledge, TODAY).unanswered
        assert len(asked) == 3


def test_a_past_problem_or_an_answered_no_counts_for_nothing(judge: Judge) -> None:
    past = Problem(("stress",), "Stress", active=False)
    assert judge(problems=[past]).contributors == ()
    assert [c.id for c in judge(problems=[replace(past, active=True)]).contributors] == ["lifestyle:stress"]
    assert judge(answers=(Answer("wasting", "false", "no", TODAY),)).red_flags == ()


def test_a_problem_that_a_later_normal_examination_refutes_is_no_finding(judge: Judge) -> None:
    noted = Problem(("muscle_atrophy",), "Muscle wasting", recorded=date(2026, 2, 1), resource="Condition/9")
    assert [flag.id for flag in judge(problems=[noted]).red_flags] == ["muscle_wasting"]
    assert judge(problems=[noted], findings=(NORMAL_EXAM,)).red_flags == ()
    before = replace(NORMAL_EXAM, date=date(2026, 1, 31))
    assert [flag.id for flag in judge(problems=[noted], findings=(before,)).red_flags] == ["muscle_wasting"]
    same_day = replace(NORMAL_EXAM, date=date(2026, 2, 1))
    assert judge(problems=[noted], findings=(same_day,)).red_flags == ()


def test_calcium_is_adjusted_down_to_an_albumin_of_25_and_not_below(judge: Judge) -> None:
    def ranked(albumin: str) -> list[str]:
        answer = judge(lab("calcium_total", "2.50"), lab("albumin", albumin, "g/L"))
        return [c.id for c in answer.contributors]

    assert ranked("25") == ["hypercalcaemia"]
    assert ranked("24.9") == []


def test_calcium_low_both_ways_is_low_with_the_milder_band(judge: Judge) -> None:
    answer = judge(lab("calcium_total", "1.85"), lab("albumin", "30", "g/L"))
    assert [(c.id, c.tier) for c in answer.contributors] == [("hypocalcaemia", "C1")]
    assert "albumin-adjusted 2.05 mmol/L" in answer.contributors[0].evidence[0].text


def test_a_value_far_longer_than_it_is_precise_is_shown_shortened(judge: Judge) -> None:
    shown = judge(lab("potassium", "3.1999999999")).contributors[0].evidence[0]
    assert shown.value == "3.200"
