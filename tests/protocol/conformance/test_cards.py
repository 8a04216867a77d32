"""The cards of the running service. `test_NNN_…` is requirement NNN of CDS Hooks 2.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from markdown_it import MarkdownIt

Site = Any
Json = dict[str, Any]
NOTHING: Json = {"cards": []}


def texts(coding: Json, *names: str) -> bool:
    return set(coding) >= set(names) and all(isinstance(value, str) and value for value in coding.values())


def test_074_075_success_is_200_with_cards_and_no_system_actions(site: Site) -> None:
    assert {answer.status_code for answer in site.answers.values()} == {200}
    assert all(list(answer.json()) == ["cards"] for answer in site.answers.values())


def test_077_nothing_to_say_is_an_empty_list(site: Site) -> None:
    assert site.answers["no twitching"].json() == NOTHING
    silent = {name for name, answer in site.answers.items() if answer.json() == NOTHING}
    assert silent == {"no twitching", "twitching-not-documented"}


def test_080_081_082_every_card_has_a_uuid_of_its_own(site: Site) -> None:
    uuids = [card["uuid"] for card in site.cards]
    assert all(str(UUID(uuid)) == uuid for uuid in uuids)
    assert len(set(uuids)) == len(uuids)


def test_083_the_summary_is_one_line_of_fewer_than_140_characters(site: Site) -> None:
    assert all(0 < len(card["summary"]) < 140 and "\n" not in card["summary"] for card in site.cards)


def test_084_085_the_detail_is_markdown_without_html(site: Site) -> None:
    markdown = MarkdownIt("gfm-like", {"linkify": False})
    for card in site.cards:
        kinds = {
            inner.type
            for token in markdown.parse(card["detail"])
            for inner in (token, *(token.children or ()))
        }
        assert "paragraph_open" in kinds
        assert not kinds & {"html_block", "html_inline"}


def test_087_088_the_indicator_is_one_of_three(site: Site) -> None:
    assert {card["indicator"] for card in site.cards} == {"info", "warning", "critical"}


def test_090_105_106_every_source_has_a_label(site: Site) -> None:
    assert all(isinstance(card["source"]["label"], str) and card["source"]["label"] for card in site.cards)


def test_107_108_109_110_the_source_is_an_absolute_address_and_no_drill_down(site: Site) -> None:
    assert {card["source"]["url"] for card in site.cards} == {"https://cds.example/knowledge"}
    assert urlsplit("https://cds.example/knowledge").scheme == "https"


def test_115_116_216_217_218_220_the_topic_is_a_coding_and_the_same_for_every_patient(site: Site) -> None:
    topics = [card["source"]["topic"] for card in site.cards]
    assert all(texts(topic, "code", "system") for topic in topics)
    assert {topic["code"] for topic in topics} == {
        "twitching-red-flags",
        "twitching-contributors",
        "twitching-orders",
        "twitching-tests",
        "twitching-scope",
    }


def test_092_093_094_095_096_suggestions_come_with_a_selection_behaviour(site: Site) -> None:
    with_suggestions = [card for card in site.cards if "suggestions" in card]
    without = [card for card in site.cards if "suggestions" not in card]
    assert with_suggestions
    assert without
    assert {card["selectionBehavior"] for card in with_suggestions} == {"any"}
    assert not any("selectionBehavior" in card for card in without)


def test_098_099_100_136_219_every_override_reason_can_be_read(site: Site) -> None:
    reasons = [reason for card in site.cards for reason in card.get("overrideReasons", ())]
    assert reasons
    assert all(texts(reason, "code", "system", "display") for reason in reasons)


def test_117_118_119_every_suggestion_has_a_label_and_a_uuid_of_its_own(site: Site) -> None:
    assert site.suggestions
    assert all(isinstance(one["label"], str) and one["label"] for one in site.suggestions)
    uuids = [str(UUID(suggestion["uuid"])) for suggestion in site.suggestions]
    assert len(set(uuids)) == len(uuids)


def test_123_124_125_one_action_per_suggestion_so_that_all_are_taken_together(site: Site) -> None:
    assert all(len(suggestion["actions"]) == 1 for suggestion in site.suggestions)


def test_127_128_129_130_131_every_action_creates_a_whole_new_resource_and_says_so(site: Site) -> None:
    for action in site.actions:
        assert set(action) == {"type", "description", "resource"}
        assert action["type"] == "create"
        assert action["description"]
        resource = action["resource"]
        assert (resource["resourceType"], resource["status"], resource["intent"]) == (
            "ServiceRequest",
            "draft",
            "proposal",
        )
        assert "id" not in resource
        assert resource["subject"]["reference"].startswith("Patient/")


def test_076_what_cannot_be_answered_is_an_operation_outcome_and_no_card(
    site: Site, chart: Any, refusal: Callable[[Any], list[str]]
) -> None:
    path = "/cds-services/twitching-patient-view"
    assert refusal(site.http.post(path, json=chart.call(hook="order-sign"))) == ["hook"]
    assert refusal(site.http.post(path, json=chart.call(context={"patientId": ""}))) == ["context.patientId"]
    assert refusal(site.http.post(path, content=b"{")) == []


@pytest.mark.parametrize("situation", ["a medicine is chosen", "a medicine is signed"])
def test_a_card_about_one_of_several_orders_names_it(site: Site, situation: str) -> None:
    (order,) = [
        card
        for card in site.answers[situation].json()["cards"]
        if card["source"]["topic"]["code"] == "twitching-orders"
    ]
    assert "furosemide 40 mg oral tablet" in order["summary"]
    assert "furosemide 40 mg oral tablet" in order["detail"]


def test_at_most_three_cards(site: Site) -> None:
    assert max(len(answer.json()["cards"]) for answer in site.answers.values()) <= 3
