"""What is prepared once per rule set: sentences, sources, reasons, names."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from cds_hooks.advice_id import by_tag, subject_of
from cds_hooks.card_kit import card_kit
from cds_hooks.card_wording import CardKind, card_wording, override_reasons
from mappings.facts import GapReason
from mappings.knowledge import load_knowledge


def test_every_kind_of_card_has_one_static_topic() -> None:
    kit = card_kit(load_knowledge())
    codes = [kit.sources[kind].topic.code for kind in get_args(CardKind)]
    assert codes == [
        "twitching-red-flags",
        "twitching-contributors",
        "twitching-orders",
        "twitching-tests",
        "twitching-scope",
    ]
    assert len({source.topic.system for source in kit.sources.values()}) == 1
    assert all(code.replace("-", "").isalnum() and len(code) <= 100 for code in codes)


@pytest.mark.parametrize(
    ("base_url", "link"),
    [
        ("", ""),
        ("https://cds.example", "https://cds.example/knowledge"),
        ("https://x/y/", "https://x/y/knowledge"),
    ],
)
def test_the_source_links_to_the_rules_when_the_address_is_known(base_url: str, link: str) -> None:
    assert {source.url for source in card_kit(load_knowledge(), base_url).sources.values()} == {link}


def test_ids_have_titles_and_unknown_ids_are_put_into_words() -> None:
    knowledge = load_knowledge()
    kit = card_kit(knowledge)
    assert kit.title("hypokalaemia") == knowledge.contributors["hypokalaemia"].title
    assert kit.title("thiazide") == knowledge.drug_classes["thiazide"].title
    assert kit.title("drug:not_a_rule") == "not a rule"


def test_identifiers_are_random_uuids_that_name_their_subject() -> None:
    kit = card_kit(load_knowledge())
    first, second = kit.new_id("test:magnesium"), kit.new_id("test:magnesium")
    assert first != second
    assert subject_of(first, by_tag(["test:ecg", "test:magnesium"])) == "test:magnesium"


def test_every_reason_for_a_gap_has_words() -> None:
    assert set(card_wording().gap_reasons) == set(get_args(GapReason))


def test_override_reasons_are_complete_codings() -> None:
    reasons = override_reasons()
    assert reasons["scope"] == ()
    for kind in ("red_flags", "contributors", "tests"):
        codes = [reason.code for reason in reasons[kind]]
        assert len(set(codes)) == len(codes) >= 5
        for reason in reasons[kind]:
            assert reason.code.replace("-", "").isalnum()
            assert reason.system
            assert reason.display


def test_the_sentences_are_dated() -> None:
    assert date(2026, 1, 1) < card_wording().review.date < card_wording().review.due
