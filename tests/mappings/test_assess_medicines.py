"""Medicines: what is shown of them, what clears them, and those that are being ordered."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mappings.assess.assess import assess
from mappings.assessment import Assessment
from mappings.facts import PatientFacts, Problem
from mappings.knowledge import COMPANIONS, FOLDER, FOLDERS, Knowledge

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
TODAY = date(2026, 3, 1)
FIRST_LINE = {
    "potassium": ("4.1", "mmol/L"),
    "sodium": ("140", "mmol/L"),
    "egfr": ("92", "mL/min/{1.73_m2}"),
    "calcium_total": ("2.40", "mmol/L"),
    "albumin": ("43", "g/L"),
    "magnesium": ("0.85", "mmol/L"),
    "tsh": ("2.0", "m[IU]/L"),
}


def test_a_stopped_medicine_is_shown_with_its_last_day(judge: Judge, drug: Make, evidence: Make) -> None:
    ended = drug("furosemide 40 mg", "loop_diuretic", status="ended", end=TODAY - timedelta(days=14))
    assert evidence(judge(medications=(ended,)), "drug:loop_diuretic") == [
        "furosemide 40 mg until 2026-02-15"
    ]
    beyond = replace(ended, end=TODAY - timedelta(days=15))
    assert judge(medications=(beyond,)).contributors == ()


def test_a_medicine_is_shown_with_its_first_day(judge: Judge, drug: Make, evidence: Make) -> None:
    since = drug("furosemide 40 mg", "loop_diuretic", start=date(2026, 1, 5))
    assert evidence(judge(medications=(since,)), "drug:loop_diuretic") == [
        "furosemide 40 mg since 2026-01-05"
    ]


class TestThrough:
    """Medicines that act through a result: normal since the start clears, older or unknown does not."""

    @pytest.mark.parametrize(
        ("start", "listed"), [(date(2026, 2, 20), True), (date(2026, 2, 10), False), (None, False)]
    )
    def test_only_a_result_since_the_start_clears(
        self, start: date | None, listed: bool, judge: Judge, lab: Make, drug: Make
    ) -> None:
        labs = [lab(name, value, unit, date=date(2026, 2, 10)) for name, (value, unit) in FIRST_LINE.items()]
        answer = judge(*labs, medications=(drug("furosemide 40 mg", "loop_diuretic", start=start),))
        assert ("drug:loop_diuretic" in [c.id for c in answer.contributors]) is listed
        cleared = [c.why for c in answer.considered if c.id == "drug:loop_diuretic"]
        assert bool(cleared) is not listed
        assert all("normal since it was started" in why for why in cleared)

    def test_of_two_medicines_an_undated_one_says_nothing_about_the_start(
        self, judge: Judge, lab: Make, drug: Make
    ) -> None:
        labs = [lab(name, value, unit, date=date(2026, 2, 10)) for name, (value, unit) in FIRST_LINE.items()]
        both = (
            drug("furosemide 40 mg", "loop_diuretic", start=date(2026, 2, 20)),
            drug("bumetanide 1 mg", "loop_diuretic"),
        )
        assert judge(*labs, medications=both).contributors == ()

    def test_an_older_low_result_is_not_explained_by_a_newer_medicine(
        self, judge: Judge, lab: Make, drug: Make
    ) -> None:
        low = lab("potassium", "3.2", date=date(2026, 2, 10))
        since = {
            day: judge(
                low, medications=(drug("furosemide 40 mg", "loop_diuretic", start=date(2026, 2, day)),)
            )
            for day in (5, 20)
        }
        assert since[5].contributors[0].explained_by == ("loop_diuretic",)
        assert since[20].contributors[0].explained_by == ()

    @pytest.mark.parametrize(
        "resource", ["MedicationRequest/1", "medications[0]"], ids=["with id", "without"]
    )
    def test_the_test_says_why_the_last_result_does_not_answer(
        self, judge: Judge, lab: Make, drug: Make, reason: Make, resource: str
    ) -> None:
        old = lab("potassium", "4.1", date=date(2026, 2, 10))
        furosemide = drug("furosemide 40 mg", "loop_diuretic", start=date(2026, 2, 20), resource=resource)
        answer = judge(old, medications=(furosemide,))
        assert reason(answer, "potassium") == (
            "last result (2026-02-10) is older than the start of furosemide 40 mg (2026-02-20)"
        )
        assert "not known while on furosemide 40 mg" in reason(answer, "magnesium")


def test_a_medicine_explains_nothing_that_another_rule_stands_for(
    adult: Callable[..., PatientFacts], tmp_path: Path, lab: Make, drug: Make
) -> None:
    for name in FOLDERS:
        shutil.copytree(FOLDER / name, tmp_path / name)
    for name in COMPANIONS:
        shutil.copy(FOLDER / name, tmp_path / name)
    stress = tmp_path / "contributors" / "lifestyle_stress.yaml"
    stress.write_text(stress.read_text(encoding="utf-8") + "suppresses: [hypokalaemia]\n", encoding="utf-8")
    low = lab("potassium", "3.2")
    loop = drug("furosemide 40 mg", "loop_diuretic", start=date(2026, 2, 20))
    facts = adult(low, medications=(loop,), problems=[Problem(("stress",), "Stress")])
    assert [c.id for c in assess(facts, Knowledge(tmp_path), TODAY).contributors] == ["lifestyle:stress"]


class TestProposals:
    """A medicine that is being ordered, with what it would move."""

    def test_effects_carry_the_result_they_would_push_further(
        self, judge: Judge, lab: Make, drug: Make
    ) -> None:
        answer = judge(
            lab("potassium", "3.2"), medications=(drug("furosemide 40 mg", "loop_diuretic", status="draft"),)
        )
        (proposal,) = answer.proposals
        assert (proposal.id, proposal.drug, proposal.indicator) == (
            "drug:loop_diuretic",
            "furosemide 40 mg",
            "warning",
        )
        effects = {effect.lab: effect for effect in proposal.effects}
        assert effects["potassium"].worsens
        assert "potassium 3.2 mmol/L" in effects["potassium"].text
        assert effects["potassium"].evidence[0].resource == "Observation/potassium"
        assert (effects["magnesium"].known, effects["magnesium"].worsens) == (False, False)
        assert effects["magnesium"].evidence == ()

    def test_a_second_serotonergic_medicine_is_named_before_it_is_ordered(
        self, judge: Judge, drug: Make
    ) -> None:
        drafted = drug("sertraline 50 mg", "ssri_snri", status="draft")
        taken = drug("tramadol 50 mg", "serotonergic_other")
        answer = judge(medications=(taken, drafted))
        first = answer.proposals[0]
        assert (first.id, first.drug, first.indicator) == (
            "serotonin_toxicity_risk",
            "sertraline 50 mg",
            "warning",
        )
        assert "clonus" in first.says
        alone = judge(medications=(drafted,))
        assert [p.id for p in alone.proposals] == ["drug:ssri_snri"]
        both = judge(medications=(taken, drug("citalopram 20 mg", "ssri_snri"), drafted))
        assert "serotonin_toxicity_risk" in [c.id for c in both.contributors]
        assert "serotonin_toxicity_risk" not in [p.id for p in both.proposals]

    def test_those_that_worsen_come_first_then_by_name(self, judge: Judge, lab: Make, drug: Make) -> None:
        drafts = (
            drug("methylphenidate 10 mg", "methylphenidate", status="draft"),
            drug("amphetamine", "amphetamine", status="draft"),
            drug("zopenol furosemide", "loop_diuretic", status="draft"),
        )
        answer = judge(lab("potassium", "3.2"), medications=drafts)
        shown = [(p.id, p.indicator) for p in answer.proposals]
        assert shown[0] == ("drug:loop_diuretic", "warning")
        assert [name for name, _ in shown[1:]] == ["drug:amphetamine", "drug:methylphenidate"]
        assert all(p.says for p in answer.proposals if not p.effects)
