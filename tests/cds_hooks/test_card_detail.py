"""The text of the cards: what it shows, what it must not show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, get_args

import pytest
from msgspec import structs

from cds_hooks.card_detail import MOST_GAPS
from cds_hooks.card_kit import CardKit
from cds_hooks.response import Card
from mappings.assessment import Assessment, Considered, Evidence, Gate, SafetyItem
from mappings.facts import DataGap, GapReason

Make = Callable[..., Assessment]
Factory = Callable[..., Any]
Cards = Callable[[Assessment], tuple[Card, ...]]
ATTACK = "<script>alert(1)</script> [go](https://evil.example) **now**\n\n# Heading"


def test_a_contributor_line_shows_value_limit_strength_explanation_and_source(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
) -> None:
    (card,) = cards(assessment(contributors=(contributor(low_potassium),)))
    assert card.detail.splitlines()[0] == (
        "1. **Low potassium** (plausible link): potassium 2.8 mmol/L (2026-02-25); lower limit 3.5, laboratory's own; "
        "explained by thiazide. Check magnesium: low magnesium makes low potassium refractory. Sources: SfE 2022."
    )


def test_a_red_flag_line_shows_finding_urgency_and_source(
    cards: Cards, assessment: Make, red_flag: Factory
) -> None:
    (card,) = cards(assessment(red_flags=(red_flag(),)))
    assert card.detail.splitlines()[0] == (
        "- **Swallowing impairment** (urgent referral): Dysphagia (2026-02-20). Name motor neuron disease in the letter. "
        "Sources: NICE NG127 2019."
    )


def test_what_several_red_flags_ask_for_is_said_once(
    cards: Cards, assessment: Make, red_flag: Factory
) -> None:
    refer = "Refer without delay."
    flags = (
        red_flag(id="muscle_wasting", title="Muscle wasting", says=refer),
        red_flag(id="objective_weakness", title="Weakness", says=refer, also="State which muscles."),
        red_flag(id="dysphagia", says="Urgent referral."),
    )
    (card,) = cards(assessment(red_flags=flags))
    assert (card.detail.count(refer), card.detail.count("Urgent referral.")) == (1, 1)
    assert "State which muscles." in card.detail.splitlines()[1]


def test_results_that_one_pattern_makes_untrustworthy_are_named_together(
    cards: Cards, assessment: Make
) -> None:
    gaps = tuple(DataGap(name, "spurious", f"{name}: a bad specimen") for name in ("magnesium", "potassium"))
    (card,) = cards(assessment(gaps=gaps))
    assert "magnesium, potassium: a bad specimen." in card.detail


def test_a_gap_is_always_on_a_card(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
    red_flag: Factory,
    advice: Factory,
) -> None:
    gaps = (
        DataGap("potassium", "no-unit", "potassium 2.9 has no unit and was not interpreted", "Observation/k"),
    )
    for parts in (
        {},
        {"tests": (advice(),)},
        {"red_flags": (red_flag(),)},
        {"contributors": (contributor(low_potassium),)},
        {"red_flags": (red_flag(),), "contributors": (contributor(low_potassium),), "tests": (advice(),)},
    ):
        built = cards(assessment(gaps=gaps, **parts))
        assert (
            sum(
                "**Could not be used:** potassium 2.9 has no unit and was not interpreted." in c.detail
                for c in built
            )
            == 1
        )


def test_at_most_five_lines_and_the_rest_by_name(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
) -> None:
    seven = tuple(contributor(low_potassium, id=f"c{n}", title=f"Cause {n}") for n in range(1, 8))
    (card,) = cards(assessment(contributors=seven))
    assert [line[:2] for line in card.detail.splitlines()[:5]] == ["1.", "2.", "3.", "4.", "5."]
    assert "Further, ranked lower: Cause 6; Cause 7." in card.detail
    assert card.summary.endswith(", 6 more")


def test_safety_is_not_worded_as_a_cause(cards: Cards, assessment: Make, low_potassium: Evidence) -> None:
    high = structs.replace(
        low_potassium, text="potassium 6.6 mmol/L (2026-02-25); critical limit 6.5", value="6.6"
    )
    item = SafetyItem(
        "safety:hyperkalaemia", "High potassium", (high,), "Verify the result.", indicator="critical"
    )
    (card,) = cards(assessment(safety=(item,), indicator="critical"))
    assert card.summary == "Verify for safety: high potassium, 6.6 mmol/L on 2026-02-25"
    assert card.indicator == "critical"
    assert "**Important for safety, not a cause of the twitching**" in card.detail
    assert "contributor" not in card.summary


def test_a_safety_item_that_is_more_severe_goes_first(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
) -> None:
    item = SafetyItem("safety:ck_very_high", "Very high CK", (low_potassium,), indicator="critical")
    parts = {"contributors": (contributor(low_potassium),), "safety": (item,)}
    (card,) = cards(assessment(**parts, indicator="critical"))
    assert card.indicator == "critical"
    assert card.summary == (
        "Verify for safety: very high CK, potassium 2.8 mmol/L on 2026-02-25; contributors to the twitching: 1"
    )
    assert card.detail.startswith("**Important for safety, not a cause of the twitching**")
    assert "**Possible contributors to the twitching**\n\n1. **Low potassium**" in card.detail


def test_a_safety_item_that_is_as_severe_follows(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
) -> None:
    item = SafetyItem("safety:ck_very_high", "Very high CK", (low_potassium,), indicator="warning")
    (card,) = cards(assessment(contributors=(contributor(low_potassium),), safety=(item,)))
    assert card.summary.startswith("Review low potassium")
    assert card.detail.index("1. **Low potassium**") < card.detail.index("**Very high CK**")


def test_what_every_answer_owes_its_reader(cards: Cards, assessment: Make, advice: Factory) -> None:
    (card,) = cards(
        assessment(
            tests=(
                advice(reason="low magnesium makes low potassium refractory", urgency="urgent"),
                advice("sodium", "Sodium", status="up-to-date", reason="current result 2026-02-20"),
                advice("tsh", "TSH", status="already-ordered", reason="already requested"),
                advice("albumin", "Albumin", status="up-to-date", reason="current result 2026-02-20"),
            ),
            considered=(
                Considered("hypocalcaemia", "calcium normal since the drug was started."),
                Considered("drug:estrogen_systemic", "not supported"),
            ),
            gaps=(DataGap("MedicationStatement", "not-provided", "other medicines taken", "statements"),),
            notes=("Medicines without a rule here: paracetamol.",),
            unanswered=("When first noticed?", "Which locations?"),
        )
    )
    assert card.detail.split("\n\n") == [
        "- **Serum magnesium** (urgent): low magnesium makes low potassium refractory.",
        "**Not provided by the record system:** other medicines taken.",
        "Medicines without a rule here: paracetamol.",
        "**Twitching documented:** Fasciculation since 2026-01-25.",
        (
            "**Considered, not supported:** Low calcium: calcium normal since the drug was started; estrogen systemic: "
            "not supported."
        ),
        "**Not suggested again:** Sodium, Albumin (current result 2026-02-20); TSH (already requested).",
        "**History not documented:** When first noticed? Which locations?",
        (
            "*Rules 1+abc, not yet reviewed by a clinician. For health professionals; adults; not for emergencies. Supports "
            "and does not replace clinical judgement: check the values against the record.*"
        ),
    ]


def test_nothing_is_said_twice(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
    red_flag: Factory,
    advice: Factory,
) -> None:
    built = cards(
        assessment(red_flags=(red_flag(),), contributors=(contributor(low_potassium),), tests=(advice(),))
    )
    paragraphs = [part for card in built for part in card.detail.split("\n\n")]
    assert len(paragraphs) == len(set(paragraphs))


def test_many_gaps_are_counted_not_dropped(cards: Cards, assessment: Make) -> None:
    gaps = tuple(
        DataGap("medication", "medication-not-recognised", f"drug {n:02d}") for n in range(MOST_GAPS + 7)
    )
    (card,) = cards(assessment(gaps=gaps + gaps))
    assert card.detail.count("drug ") == MOST_GAPS
    assert "7 more (medicine not recognised)" in card.detail


@pytest.mark.parametrize("reason", get_args(GapReason))
def test_a_gap_without_a_text_is_worded_by_its_reason(
    cards: Cards, assessment: Make, kit: CardKit, reason: GapReason
) -> None:
    (card,) = cards(assessment(gaps=(DataGap("vitamin_b12", reason),)))
    assert f"vitamin b12: {kit.wording.gap_reasons[reason]}" in card.detail


def test_units_are_printed_as_clinicians_write_them(
    cards: Cards, assessment: Make, contributor: Factory
) -> None:
    tsh = Evidence("TSH", "TSH 12 m[IU]/L (2026-02-25)", "Observation/t", "12", "m[IU]/L", date(2026, 2, 25))
    (card,) = cards(assessment(contributors=(contributor(tsh, title="Hypothyroidism", explained_by=()),)))
    assert card.summary.startswith("Review hypothyroidism, TSH 12 mIU/L on 2026-02-25")
    assert "TSH 12 mIU/L (2026-02-25)" in card.detail


def test_an_unknown_source_is_shown_by_its_id(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
) -> None:
    (card,) = cards(assessment(contributors=(contributor(low_potassium, references=("C99",)),)))
    assert "Sources: C99." in card.detail


def test_no_text_of_the_record_becomes_markup(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
    red_flag: Factory,
    advice: Factory,
) -> None:
    bad = structs.replace(low_potassium, text=ATTACK, label=ATTACK)
    built = cards(
        assessment(
            gate=Gate(True, (bad,)),
            red_flags=(red_flag(evidence=(bad,)),),
            contributors=(
                contributor(bad, title=ATTACK, explained_by=(ATTACK,), says=ATTACK, references=(ATTACK,)),
            ),
            safety=(SafetyItem("safety:x", ATTACK, (bad,), ATTACK),),
            considered=(Considered(ATTACK, ATTACK),),
            tests=(advice(reason=ATTACK), advice("x", ATTACK, status="already-ordered", reason=ATTACK)),
            gaps=(DataGap("potassium", "no-unit", ATTACK), DataGap(ATTACK, "not-provided", ATTACK)),
            notes=(ATTACK,),
            unanswered=(ATTACK,),
        )
    )
    assert len(built) == 3
    for card in built:
        shown = [card.summary, card.detail]
        shown += [s.label for s in card.suggestions] + [
            a.description for s in card.suggestions for a in s.actions
        ]
        for text in shown:
            assert "<script" not in text
            assert "</script" not in text
            assert "https://" not in text
        assert "\n# " not in card.detail
        assert "](" not in card.detail.replace("\\](", "")
        assert "**now**" not in card.detail


def test_units_read_as_clinicians_write_them_in_every_sentence(
    cards: Cards, assessment: Make, advice: Factory
) -> None:
    answer = structs.replace(
        assessment(
            tests=(advice(reason="TSH 12 m[IU]/L is too old"),),
            gaps=(DataGap("egfr", "stale", "last eGFR is 3 months old (14 mL/min/{1.73_m2})", ""),),
        ),
        considered=(Considered("uraemia", "eGFR 48 mL/min/{1.73_m2} does not cause twitching"),),
        notes=("potassium 3.4 meq/L; specimen haemolysed",),
    )
    text = " ".join(card.detail + card.suggestions[0].label for card in cards(answer))
    for shown in ("12 mIU/L", "14 mL/min/1.73 m²", "48 mL/min/1.73 m²", "3.4 mEq/L"):
        assert shown in text


def test_what_was_considered_is_not_named_twice(cards: Cards, assessment: Make, kit: CardKit) -> None:
    title = kit.title("drug:thiazide")
    considered = (Considered("drug:thiazide", f"{title} since 2026-01-01: no"), Considered("drug:ppi", "no"))
    (card,) = cards(assessment(considered=considered))
    assert f"**Considered, not supported:** {title} since 2026-01-01: no; " in card.detail
