"""Identifiers that say what they identify."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.advice_id import TEST, TOPIC, AmbiguousSubjectsError, by_tag, new_id, subject_of
from cds_hooks.card_kit import card_kit
from cds_hooks.feedback.store import subjects
from mappings.knowledge import load_knowledge

KNOWN = by_tag(["topic:twitching-tests", "test:magnesium"])


@given(st.text(max_size=40))
def test_it_is_a_uuid_of_version_8_that_names_its_subject(subject: str) -> None:
    identifier = new_id(subject)
    parsed = uuid.UUID(identifier)
    assert (parsed.version, parsed.variant, str(parsed)) == (8, uuid.RFC_4122, identifier)
    assert subject_of(identifier, by_tag([subject])) == subject
    assert subject_of(f" {identifier.upper()} ", by_tag([subject])) == subject


def test_no_two_are_the_same() -> None:
    assert len({new_id("test:magnesium") for _ in range(10_000)}) == 10_000


def test_only_the_subject_and_the_version_repeat() -> None:
    """Every other bit is one in some identifiers and zero in others."""
    numbers = [uuid.UUID(new_id("test:magnesium")).int for _ in range(200)]
    ones, zeros = 0, 0
    for number in numbers:
        ones |= number
        zeros |= ~number
    assert (ones & zeros & ((1 << 128) - 1)).bit_count() == 98


OTHERS = {
    "nothing": "",
    "a number": "123456",
    "a word": "not-a-uuid",
    "of version 4": str(uuid.uuid4()),
    "of an unknown test": new_id("test:unknown"),
    "one digit longer": new_id("test:magnesium") + "0",
    "as a URN": "urn:uuid:" + new_id("test:magnesium"),
    "without hyphens": new_id("test:magnesium").replace("-", ""),
}


@pytest.mark.parametrize("identifier", OTHERS.values(), ids=OTHERS)
def test_what_is_not_ours_is_about_nothing(identifier: str) -> None:
    assert subject_of(identifier, KNOWN) == ""


def test_subjects_that_cannot_be_told_apart_are_refused() -> None:
    seen: dict[str, str] = {}
    for number in range(100_000):
        tag = new_id(f"test:{number}")[:6]
        if tag in seen:
            break
        seen[tag] = f"test:{number}"
    with pytest.raises(AmbiguousSubjectsError):
        by_tag([seen[tag], f"test:{number}"])


def test_every_topic_and_every_test_can_be_told_apart() -> None:
    kit = card_kit(load_knowledge())
    known = set(subjects(kit).values())
    assert known == {f"{TOPIC}{source.topic.code}" for source in kit.sources.values()} | {
        f"{TEST}{test}" for test in kit.orders
    }


def test_a_subject_keeps_its_bits_for_ever() -> None:
    """Feedback arrives weeks after the card, and after an upgrade."""
    assert new_id("topic:twitching-tests")[:6] == "2859c1"
    assert new_id("test:magnesium")[:6] == "fcdb0a"
