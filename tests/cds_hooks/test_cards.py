"""From an assessment to cards: which cards, what they say, what they must not say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from cds_hooks.card_kit import mid_sentence
from cds_hooks.cards import LONGEST_SUMMARY
from cds_hooks.response import Card, encode
from mappings.assessment import Assessment, Contributor, Evidence, Gate, Indicator, SilentReason
from mappings.facts import DataGap

Make = Callable[..., Assessment]
Factory = Callable[..., Any]
Cards = Callable[[Assessment], tuple[Card, ...]]
SEVERITY = ["none", "info", "warning", "critical"]


def topics(cards: tuple[Card, ...]) -> list[str]:
    return [card.source.topic.code for card in cards]


def test_the_three_cards_in_order(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
    red_flag: Factory,
    advice: Factory,
) -> None:
    built = cards(
        assessment(
            indicator="warning",
            red_flags=(red_flag(),),
            contributors=(contributor(low_potassium),),
            tests=(advice(),),
        )
    )
    assert topics(built) == ["twitching-red-flags", "twitching-contributors", "twitching-tests"]
    assert [card.indicator for card in built] == ["warning", "warning", "info"]
    assert [card.summary for card in built] == [
        "Refer urgently, red flag with muscle twitching: swallowing impairment",
        "Review low potassium, 2.8 mmol/L on 2026-02-25: possible contributor to muscle twitching",
        "Order for muscle twitching: serum magnesium",
    ]


def test_the_most_urgent_red_flag_decides_summary_and_indicator(
    cards: Cards, assessment: Make, red_flag: Factory
) -> None:
    flags = (
        red_flag(id="muscle_wasting", title="Muscle wasting", urgency="soon"),
        red_flag(
            id="breathlessness_at_rest",
            title="Breathlessness at rest",
            urgency="immediate",
            indicator="critical",
        ),
    )
    (card,) = cards(assessment(red_flags=flags, indicator="critical"))
    assert card.indicator == "critical"
    assert (
        card.summary
        == "Refer immediately, red flag with muscle twitching: muscle wasting, breathlessness at rest"
    )


@pytest.mark.parametrize("reason", get_args(SilentReason))
def test_silence_is_no_card(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    reason: SilentReason,
    contributor: Factory,
    advice: Factory,
) -> None:
    silent = assessment(silent_reason=reason, contributors=(contributor(low_potassium),), tests=(advice(),))
    assert cards(silent) == ()


def test_out_of_scope_is_exactly_one_info_card(cards: Cards, assessment: Make) -> None:
    sentence = "The patient is under 18; these rules cover adults only."
    (card,) = cards(assessment(out_of_scope=sentence, indicator="info", notes=(sentence,)))
    assert (card.summary, card.indicator, card.source.topic.code) == (sentence, "info", "twitching-scope")
    assert card.detail.startswith(sentence)
    assert card.suggestions == ()


def test_only_tests_is_only_the_test_card(cards: Cards, assessment: Make, advice: Factory) -> None:
    assert topics(cards(assessment(tests=(advice(),)))) == ["twitching-tests"]


@pytest.mark.parametrize(
    ("gaps", "summary"),
    [
        ((), "No likely contributor to the muscle twitching found in what could be read"),
        (
            (DataGap("magnesium", "not-readable"),),
            "No contributor to the twitching found, but the record could not be read completely",
        ),
    ],
)
def test_nothing_found_is_said_not_passed_over(
    cards: Cards, assessment: Make, gaps: tuple[DataGap, ...], summary: str
) -> None:
    (card,) = cards(assessment(gaps=gaps))
    assert (card.summary, card.indicator) == (summary, "info")


def test_an_unknown_gate_is_said(cards: Cards, assessment: Make) -> None:
    (card,) = cards(assessment(gate=Gate(False), gaps=(DataGap("Condition", "incomplete"),)))
    assert card.summary.startswith("Whether muscle twitching is documented is not known")


def test_a_critical_result_is_to_be_verified(
    cards: Cards, assessment: Make, low_potassium: Evidence, contributor: Factory
) -> None:
    critical = contributor(low_potassium, tier="A", indicator="critical")
    (card,) = cards(assessment(contributors=(critical, contributor(low_potassium)), indicator="critical"))
    assert card.indicator == "critical"
    assert card.summary == (
        "Verify critical result: low potassium, 2.8 mmol/L on 2026-02-25; possible contributor to muscle twitching, 1 more"
    )


def test_an_emergency_that_is_no_result_is_not_called_one(cards: Cards, assessment: Make) -> None:
    poisoning = Contributor("p", "Organophosphate poisoning", "B", "established", (), indicator="critical")
    (card,) = cards(assessment(contributors=(poisoning,), indicator="critical"))
    assert card.summary == (
        "Possible emergency, assess now: organophosphate poisoning; can cause muscle twitching"
    )


def test_what_alarms_leads_although_a_known_diagnosis_is_ranked_above_it(
    cards: Cards, assessment: Make, low_potassium: Evidence, contributor: Factory
) -> None:
    known = contributor(title="Motor neurone disease", tier="B", indicator="info")
    low = contributor(low_potassium, tier="C1", indicator="warning")
    (card,) = cards(assessment(contributors=(known, low), indicator="warning"))
    assert card.summary == (
        "Review low potassium, 2.8 mmol/L on 2026-02-25: possible contributor to muscle twitching, 1 more"
    )
    assert card.detail.startswith("1. **Motor neurone disease**")


def test_a_diagnosis_by_exclusion_says_what_was_excluded(cards: Cards, assessment: Make) -> None:
    benign = Contributor("benign_fasciculation", "Benign fasciculation", "H", "established", ())
    (card,) = cards(assessment(contributors=(benign,)))
    assert (
        card.summary == "Benign fasciculation: no red flag, examination and current first-line tests normal"
    )


def test_a_contributor_without_a_number_is_named_alone(
    cards: Cards, assessment: Make, contributor: Factory
) -> None:
    drug = Evidence("salbutamol", "salbutamol since 2026-01-02", "MedicationRequest/s")
    (card,) = cards(
        assessment(contributors=(contributor(drug, title="Beta-2 agonist", explained_by=(), says=""),))
    )
    assert card.summary == "Review beta-2 agonist: possible contributor to muscle twitching"


@pytest.mark.parametrize(
    ("urgency", "whole", "indicator"),
    [
        ("routine", "critical", "info"),
        ("urgent", "critical", "warning"),
        ("immediate", "critical", "warning"),
        ("urgent", "warning", "warning"),
        ("urgent", "info", "info"),
    ],
)
def test_a_test_is_a_warning_at_most(
    cards: Cards,
    assessment: Make,
    urgency: str,
    whole: Indicator,
    indicator: str,
    advice: Factory,
) -> None:
    assert cards(assessment(tests=(advice(urgency=urgency),), indicator=whole))[0].indicator == indicator


@pytest.mark.parametrize("flag", [None, "warning", "critical"])
@pytest.mark.parametrize("cause", [None, "info", "warning", "critical"])
def test_the_highest_card_is_the_indicator_of_the_assessment(
    cards: Cards,
    assessment: Make,
    contributor: Factory,
    red_flag: Factory,
    advice: Factory,
    flag: Any,
    cause: Any,
) -> None:
    for urgency, least in (("routine", "info"), ("urgent", "warning"), ("immediate", "warning")):
        expected = max(filter(None, [least, flag, cause]), key=SEVERITY.index)
        built = cards(
            assessment(
                red_flags=(red_flag(indicator=flag),) if flag else (),
                contributors=(contributor(indicator=cause),) if cause else (),
                tests=(advice(urgency=urgency),),
                indicator=expected,
            )
        )
        assert max((card.indicator for card in built), key=SEVERITY.index) == expected


def test_suggestions_have_one_action_each_that_stands_alone(
    cards: Cards, assessment: Make, advice: Factory
) -> None:
    (card,) = cards(assessment(tests=(advice(), advice("calcium_albumin", "Calcium and albumin"))))
    assert [suggestion.label for suggestion in card.suggestions] == [
        "Order serum magnesium",
        "Order calcium, serum",
        "Order albumin, serum",
    ]
    assert card.selection_behavior == "any"
    for suggestion in card.suggestions:
        (action,) = suggestion.actions
        assert action.type == "create"
        assert action.description == f"{suggestion.label}: not measured"
        assert action.resource["resourceType"] == "ServiceRequest"


def test_a_test_without_an_order_rule_is_advised_in_words(
    cards: Cards, assessment: Make, advice: Factory
) -> None:
    (card,) = cards(assessment(tests=(advice("neurology_referral", "Referral to neurology"),)))
    assert "**Referral to neurology**: not measured." in card.detail
    assert (card.suggestions, card.selection_behavior) == ((), "")


def test_identifiers_are_unique(
    cards: Cards, assessment: Make, low_potassium: Evidence, contributor: Factory, advice: Factory
) -> None:
    built = cards(
        assessment(
            contributors=(contributor(low_potassium),), tests=(advice(), advice("calcium_albumin", "Ca"))
        )
    )
    uuids = [card.uuid for card in built] + [s.uuid for card in built for s in card.suggestions]
    assert len(set(uuids)) == len(uuids) == 5


def test_a_long_summary_is_cut_at_139_characters(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    contributor: Factory,
    red_flag: Factory,
    advice: Factory,
) -> None:
    flags = tuple(red_flag(id=f"f{n}", title=f"A rather long red flag title number {n}") for n in range(9))
    tests = tuple(advice(f"t{n}", f"A rather long test title number {n}") for n in range(9))
    causes = (contributor(low_potassium, title="Low potassium " * 20),)
    built = cards(assessment(red_flags=flags, contributors=causes, tests=tests))
    assert [len(card.summary) <= LONGEST_SUMMARY for card in built] == [True, True, True]
    assert built[0].summary.endswith("and 7 more")
    assert built[2].summary.endswith("and 7 more")


def test_the_answer_has_no_empty_value_and_no_system_action(
    cards: Cards,
    assessment: Make,
    low_potassium: Evidence,
    empties: Callable[[Any], list[str]],
    contributor: Factory,
    red_flag: Factory,
    advice: Factory,
) -> None:
    full = assessment(red_flags=(red_flag(),), contributors=(contributor(low_potassium),), tests=(advice(),))
    for built in (cards(full), cards(assessment()), cards(assessment(tests=(advice("none", "No order"),)))):
        answer = json.loads(encode(built))
        assert set(answer) == {"cards"}
        assert empties(answer) == []
    assert json.loads(encode(())) == {"cards": []}


@pytest.mark.parametrize(
    ("title", "inside"),
    [
        ("Serum magnesium", "serum magnesium"),
        ("ECG", "ECG"),
        ("B12, serum", "B12, serum"),
        ("", ""),
        ("X", "X"),
    ],
)
def test_titles_inside_a_sentence(title: str, inside: str) -> None:
    assert mid_sentence(title) == inside
