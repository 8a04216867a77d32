"""A medicine that is being ordered, told whole: what it would move, how that stands now, and what it joins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from mappings.assessment import Assessment, Effect, Proposal
from mappings.facts import Finding, Medication

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
TODAY = date(2026, 3, 1)


@pytest.fixture
def draft(drug: Make) -> Callable[..., Medication]:
    """A medicine that is being ordered."""
    return lambda text, *classes, **more: drug(text, *classes, status="draft", **more)


def test_an_abnormal_result_that_it_would_worsen(judge: Judge, lab: Make, draft: Make) -> None:
    answer = judge(lab("potassium", "3.2"), medications=(draft("furosemide 40 mg", "loop_diuretic"),))
    (proposal,) = answer.proposals
    potassium, magnesium, calcium = proposal.effects
    now = "potassium 3.2 mmol/L (2026-03-01); lower limit 3.5, default limit, the laboratory gave none"
    assert potassium == Effect(
        "potassium",
        "low",
        "may lower potassium",
        f"may lower potassium: {now}",
        worsens=True,
        evidence=answer.contributors[0].evidence,
    )
    assert magnesium == Effect(
        "magnesium", "low", "may lower magnesium", "may lower magnesium: no current result", known=False
    )
    assert calcium.text == "may lower calcium: no current result"
    assert proposal == Proposal(
        "drug:loop_diuretic",
        "Loop diuretic",
        "furosemide 40 mg",
        "MedicationRequest/furosemide",
        (potassium, magnesium, calcium),
        "",
        "warning",
        ("C17", "C23", "C24"),
    )


def test_a_result_that_is_too_old_is_no_current_result(judge: Judge, lab: Make, draft: Make) -> None:
    old = lab("potassium", "3.2", date=date(2025, 9, 1))
    (proposal,) = judge(old, medications=(draft("furosemide 40 mg", "loop_diuretic"),)).proposals
    assert proposal.effects[0].text == "may lower potassium: no current result"
    assert proposal.effects[0].evidence == ()


def test_a_direct_effect_is_told_by_its_mechanism(judge: Judge, draft: Make) -> None:
    (proposal,) = judge(medications=(draft("sertraline 50 mg", "ssri_snri"),)).proposals
    assert proposal.says == (
        "Serotonergic; a direct effect on twitching is plausible, and effects add up with a second "
        "serotonergic medicine."
    )


class TestSecondSerotonergic:
    """One is taken and a second is being ordered."""

    @pytest.mark.parametrize("days", [0, 4])
    def test_it_is_told_whole_whenever_the_second_is_to_begin(
        self, days: int, judge: Judge, draft: Make, drug: Make
    ) -> None:
        taken = drug("tramadol 50 mg", "serotonergic_other", start=date(2026, 1, 1))
        new = draft("sertraline 50 mg", "ssri_snri", start=TODAY + timedelta(days=days))
        (only,) = judge(medications=(taken, new)).proposals
        assert only == Proposal(
            "serotonin_toxicity_risk",
            "Two or more serotonergic medicines",
            "sertraline 50 mg",
            "MedicationRequest/sertraline",
            (),
            "Look for clonus and brisk reflexes now; with them it is serotonin toxicity (Hunter criteria).",
            "warning",
            ("C62", "M"),
        )

    def test_with_clonus_it_is_critical(self, judge: Judge, draft: Make, drug: Make) -> None:
        taken = drug("tramadol 50 mg", "serotonergic_other")
        clonus = Finding("clonus", True, True, "clonus at the ankle", TODAY, resource="Observation/c")
        answer = judge(medications=(taken, draft("sertraline 50 mg", "ssri_snri")), findings=(clonus,))
        assert next((p.id, p.indicator) for p in answer.proposals) == ("serotonin_toxicity_risk", "critical")
        assert answer.indicator == "critical"


def test_drafts_without_an_id_are_each_told(judge: Judge, draft: Make) -> None:
    drafts = (
        draft("furosemide 40 mg", "loop_diuretic", resource=""),
        draft("sertraline 50 mg", "ssri_snri", resource=""),
    )
    assert {p.drug for p in judge(medications=drafts).proposals} == {"furosemide 40 mg", "sertraline 50 mg"}


def test_a_class_without_a_rule_hides_no_other(judge: Judge, draft: Make) -> None:
    both = draft("combination tablet", "class_without_a_rule", "loop_diuretic")
    assert [p.id for p in judge(medications=(both,)).proposals] == ["drug:loop_diuretic"]


def test_a_medicine_of_today_is_taken_and_one_of_tomorrow_is_not(judge: Judge, drug: Make) -> None:
    def ranked(start: date) -> list[str]:
        return [c.id for c in judge(medications=(drug("sertraline", "ssri_snri", start=start),)).contributors]

    assert ranked(TODAY) == ["drug:ssri_snri"]
    assert ranked(TODAY + timedelta(days=1)) == []
