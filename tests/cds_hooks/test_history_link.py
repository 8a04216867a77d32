"""The link from a card to the history form, as a SMART app."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cds_hooks import calls
from cds_hooks.card_kit import card_kit
from cds_hooks.cards import build_cards
from cds_hooks.request import HookContext
from cds_hooks.services import SERVICES
from cds_hooks.settings import SettingsError, load_settings
from mappings.knowledge import load_knowledge

FORM = "https://cds.example/history-form"
AS_OF = date(2026, 11, 22)


@pytest.fixture
def answered(root: Path) -> Any:
    """The cards of the example with red flags, with and without the form."""
    body = (root / "examples" / "weakness-and-wasting" / "request.json").read_bytes()
    rules = load_knowledge()

    def answer(form: str) -> list[dict[str, Any]]:
        cards: list[dict[str, Any]] = json.loads(
            calls.answer(SERVICES[0], body, rules, AS_OF, card_kit(rules, "", form))
        )["cards"]
        return cards

    return answer


def test_the_card_that_names_the_open_questions_links_to_the_form(answered: Any) -> None:
    cards = answered(FORM)
    (linked,) = [card for card in cards if "links" in card]
    assert linked["links"] == [{"label": "Fill in the twitching history", "url": FORM, "type": "smart"}]
    assert "History not documented" in linked["detail"]


def test_no_card_links_where_the_site_shows_no_form(answered: Any) -> None:
    assert all("links" not in card for card in answered(""))


def test_no_card_links_once_every_question_is_answered(assessment: Any, contributor: Any) -> None:
    kit = card_kit(load_knowledge(), "", FORM)
    context = HookContext("p-1")
    open_ = assessment(contributors=(contributor(),), unanswered=("How often does it happen?",))
    assert [len(card.links) for card in build_cards(open_, context, kit)] == [1]
    assert [len(card.links) for card in build_cards(replace(open_, unanswered=()), context, kit)] == [0]


def test_the_address_of_the_form_is_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWITCHING_CDS_HISTORY_FORM_URL", "/history-form")
    with pytest.raises(SettingsError, match="history_form_url"):
        load_settings()
