"""The terminal view: everything that is known, nothing that the terminal would obey."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from cds_hooks.card_kit import CardKit
from cds_hooks.cards import build_cards
from cds_hooks.console import WIDEST, console
from cds_hooks.request import HookContext
from cds_hooks.terminal import show
from mappings.assessment import (
    Assessment,
    Considered,
    Contributor,
    Effect,
    Evidence,
    Gate,
    Proposal,
    RedFlag,
    SafetyItem,
)
from mappings.assessment import TestAdvice as Advice  # under a name that pytest does not collect
from mappings.facts import DataGap

Make = Callable[..., Assessment]
Shown = Callable[..., str]


@pytest.fixture
def shown(kit: CardKit) -> Callable[..., str]:
    def show_at(assessment: Assessment, width: int = 100) -> str:
        out = io.StringIO()
        show(assessment, kit, console=Console(file=out, width=width, highlight=False))
        return out.getvalue()

    return show_at


def test_all_parts_are_shown(shown: Shown, assessment: Make, low_potassium: Evidence) -> None:
    text = shown(
        assessment(
            indicator="warning",
            red_flags=(RedFlag("dysphagia", "Swallowing impairment", "urgent", (low_potassium,), "Refer."),),
            contributors=(Contributor("hypokalaemia", "Low potassium", "C1", "plausible", (low_potassium,)),),
            safety=(SafetyItem("safety:x", "High potassium", (low_potassium,)),),
            tests=(
                Advice("magnesium", "Serum magnesium", "suggested", "not measured", "urgent"),
                Advice("tsh", "TSH", "up-to-date", "current result"),
            ),
            considered=(Considered("drug:estrogen_systemic", "calcium normal"),),
            gaps=(DataGap("sodium", "no-unit"), DataGap("Procedure", "not-provided", "operations")),
            notes=("A note.",),
            unanswered=("When first noticed?",),
        )
    )
    for part in (
        "Twitching documented: Fasciculation since 2026-01-25",
        "Swallowing impairment (urgent referral)",
        "1. Low potassium (plausible link)",
        "potassium 2.8 mmol/L (2026-02-25); lower limit 3.5, laboratory's own",
        "High potassium (Important for safety, not a cause of the twitching)",
        "suggested, urgent",
        "up-to-date",
        "- estrogen systemic: calcium normal",
        "Could not be used\n   - sodium: no unit\n",
        "Not provided by the record system\n   - operations\n",
        "- A note.",
        "- When first noticed?",
        "Rules 1+abc",
    ):
        assert part in text


def test_silence_and_scope_are_said(shown: Shown, assessment: Make) -> None:
    text = shown(assessment(gate=Gate(False), silent_reason="twitching-not-documented"))
    assert "Twitching documented: no" in text
    assert "No cards: twitching-not-documented" in text
    scope = "The rules cover adults only."
    assert shown(assessment(out_of_scope=scope, notes=(scope,), indicator="info")).count(scope) == 1


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_fit_the_terminal(shown: Shown, assessment: Make, low_potassium: Evidence, width: int) -> None:
    causes = tuple(Contributor(f"c{n}", "Cause " * 12, "C1", "weak", (low_potassium,)) for n in range(3))
    tests = (Advice("magnesium", "Serum magnesium " * 5, "suggested", "reason " * 30),)
    assert max(map(len, shown(assessment(contributors=causes, tests=tests), width).splitlines())) <= width


def test_the_record_cannot_steer_the_terminal(shown: Shown, assessment: Make) -> None:
    attack = "\x1b]0;title\x07\x1b[2J[bold red]x[/] \x9b31m\r\nnext"
    evidence = Evidence(attack, attack)
    text = shown(
        assessment(
            gate=Gate(True, (evidence,)),
            contributors=(Contributor("c", attack, "C1", "weak", (evidence,), says=attack),),
            tests=(Advice("magnesium", attack, "suggested", attack),),
            notes=(attack,),
        )
    )
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\r"}
    assert "[bold red]x[/]" in text


def test_what_is_piped_has_no_blanks_at_the_ends_of_lines(
    shown: Shown, assessment: Make, low_potassium: Evidence
) -> None:
    causes = (Contributor("hypokalaemia", "Low potassium", "C1", "plausible", (low_potassium,)),)
    lines = shown(assessment(contributors=causes, notes=("A note.",))).splitlines()
    assert [line for line in lines if line != line.rstrip()] == []


def test_medicines_being_ordered_are_shown(shown: Shown, assessment: Make) -> None:
    order = Proposal(
        "thiazide",
        "Thiazide diuretic",
        "hydrochlorothiazide 25 mg",
        "MedicationRequest/m-1",
        (Effect("potassium", "low", "may lower potassium", "may lower potassium, 3.1 now"),),
        "Measure potassium first.",
    )
    text = shown(assessment(proposals=(order,)))
    for part in (
        "hydrochlorothiazide 25 mg (Thiazide diuretic)",
        "may lower potassium, 3.1 now",
        "Measure potassium first.",
    ):
        assert part in text


def test_the_cards_come_first_in_their_own_words(
    assessment: Make, kit: CardKit, context: HookContext, contributor: Callable[..., Contributor]
) -> None:
    made = assessment(indicator="warning", contributors=(contributor(),))
    out = io.StringIO()
    show(made, kit, build_cards(made, context, kit), Console(file=out, width=200, highlight=False))
    lines = out.getvalue().splitlines()
    assert lines[2] == (
        "warning   Review low potassium, 2.8 mmol/L on 2026-02-25: possible contributor to muscle twitching"
    )


def test_units_read_as_clinicians_write_them(shown: Shown, assessment: Make) -> None:
    egfr = Evidence("eGFR", "eGFR 14 mL/min/{1.73_m2} (2026-02-25)")
    text = shown(
        assessment(
            gate=Gate(True, (egfr,)),
            contributors=(Contributor("uraemia", "Uraemia", "A", "plausible", (egfr,)),),
            tests=(Advice("tsh", "TSH", "suggested", "TSH 12 m[IU]/L is too old"),),
            considered=(Considered("hypothyroidism", "TSH 3 u[IU]/mL normal"),),
            gaps=(DataGap("egfr", "stale", "last eGFR is 3 months old (14 mL/min/{1.73_m2})"),),
            notes=("potassium 3.4 meq/L",),
        )
    )
    assert text.count("14 mL/min/1.73 m²") == 3
    for part in ("12 mIU/L", "3 µIU/mL", "3.4 mEq/L"):
        assert part in text


def test_a_narrow_terminal_gets_a_list_of_tests(shown: Shown, assessment: Make) -> None:
    made = assessment(tests=(Advice("tsh", "TSH", "suggested", "not measured", "urgent"),))
    assert "- TSH (suggested, urgent): not measured" in shown(made, 60)
    assert "Status" not in shown(made, 60)
    assert "Status" in shown(made, 100)


def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, kit: CardKit, assessment: Make
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def printed() -> str:
        out = Terminal()
        show(assessment(indicator="critical"), kit, console=Console(file=out, highlight=False))
        return out.getvalue()

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m" in printed()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in printed()


def test_no_line_is_wider_than_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert console().width == WIDEST
    monkeypatch.setenv("COLUMNS", "40")
    assert console().width == 40
