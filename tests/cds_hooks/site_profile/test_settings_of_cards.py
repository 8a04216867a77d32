"""Each setting of how cards, orders and searches are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from markdown_it import MarkdownIt

PATH = "/cds-services/twitching-patient-view"
Site = Callable[..., Any]
Call = Callable[..., dict[str, Any]]


def test_loinc_beside_the_sites_code(site: Site, low_potassium_call: Call) -> None:
    profile = "orders: {keep_loinc: true, codes: {magnesium: {system: urn:x, code: m, display: Mg}}}"
    cards = site(profile).post(PATH, json=low_potassium_call()).json()["cards"]
    resources = [s["actions"][0]["resource"] for card in cards for s in card.get("suggestions", ())]
    codings = [r["code"]["coding"] for r in resources if r["code"]["coding"][0]["code"] == "m"]
    assert [[coding["system"] for coding in group] for group in codings] == [["urn:x", "http://loinc.org"]]


def test_a_part_of_a_test_has_its_own_code(site: Site, low_potassium_call: Call) -> None:
    profile = "orders: {codes: {calcium_albumin.albumin: {system: urn:x, code: alb, display: Albumin}}}"
    cards = site(profile).post(PATH, json=low_potassium_call()).json()["cards"]
    codes = [
        s["actions"][0]["resource"]["code"]["coding"][0]["code"]
        for card in cards
        for s in card.get("suggestions", ())
    ]
    assert {"alb", "17861-6"} <= set(codes)


def test_all_requests_of_a_test_in_one_suggestion(site: Site, low_potassium_call: Call) -> None:
    cards = site("cards: {actions: all}").post(PATH, json=low_potassium_call()).json()["cards"]
    labels = {s["label"]: len(s["actions"]) for card in cards for s in card.get("suggestions", ())}
    assert labels["Order calcium and albumin"] == 2


def test_no_selection_behaviour_for_old_clients(site: Site, low_potassium_call: Call) -> None:
    answer = site("cards: {selection_behavior: false}").post(PATH, json=low_potassium_call())
    assert "selectionBehavior" not in answer.text


def test_a_link_that_the_ehr_would_drop_is_left_out(site: Site, low_potassium_call: Call) -> None:
    profile = "cards: {links: ['https://other.example.org'], source_label: Our hospital, source_icon: 'https://x.example/i.png'}"
    for card in site(profile).post(PATH, json=low_potassium_call()).json()["cards"]:
        assert card["source"]["label"] == "Our hospital"
        assert card["source"]["icon"] == "https://x.example/i.png"
        assert "url" not in card["source"]
        assert "/knowledge/" not in card["detail"]
        assert "links" not in card


def test_a_link_that_the_ehr_shows_is_kept(site: Site, low_potassium_call: Call) -> None:
    answer = site("cards: {links: ['https://cds.example.org']}").post(PATH, json=low_potassium_call()).json()
    assert all(card["source"]["url"].startswith("https://cds.example.org/") for card in answer["cards"])
    assert "[Low potassium](https://cds.example.org/knowledge/hypokalaemia)" in answer["cards"][0]["detail"]
    assert [link["url"] for card in answer["cards"] for link in card.get("links", ())] == [
        "https://cds.example.org/history-form"
    ]


def test_no_override_reasons(site: Site, low_potassium_call: Call) -> None:
    assert (
        "overrideReasons"
        not in site("cards: {override_reasons: false}").post(PATH, json=low_potassium_call()).text
    )


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_a_short_detail_says_what_it_leaves_out_and_keeps_what_could_not_be_read(
    site: Site, low_potassium_call: Call, form: str
) -> None:
    call = low_potassium_call(prefetch={"medications": {"resourceType": "OperationOutcome", "issue": []}})
    profile = f"cards: {{detail: {form}, max_detail: 1000}}"
    cards = site(profile).post(PATH, json=call).json()["cards"]
    assert all(len(card["detail"]) <= 1000 for card in cards)
    assert "Shortened for this record system. Left out: Not suggested again" in cards[0]["detail"]
    assert "Could not be used" in cards[0]["detail"]
    assert "not yet reviewed by a clinician" in cards[0]["detail"]


def test_a_detail_that_fits_is_not_shortened(site: Site, low_potassium_call: Call) -> None:
    assert "Shortened" not in site("cards: {max_detail: 9000}").post(PATH, json=low_potassium_call()).text


def test_what_a_server_does_not_have_is_neither_published_nor_missed(
    site: Site, low_potassium_call: Call
) -> None:
    client = site("fhir: {leave_out: [statements, answers]}")
    keys = client.get("/cds-services").json()["services"][0]["prefetch"]
    assert not {"statements", "answers"} & set(keys)
    told = client.post(
        f"{PATH}/explain", json=low_potassium_call(prefetch={"statements": ..., "answers": ...})
    ).json()
    assert {gap["what"] for gap in told["gaps"]} <= {"Encounter"}


def test_categories_of_the_server(site: Site) -> None:
    published = site("fhir: {categories: {labs: [laboratory, LAB]}}").get("/cds-services").json()
    assert published["services"][0]["prefetch"]["labs"].endswith("&category=laboratory,LAB")


def test_a_client_that_knows_today_is_asked_for_a_period(site: Site) -> None:
    profile = "fhir: {dates: open, look_back_days: 365, today_token: true, newest_first: true}"
    published = site(profile).get("/cds-services").json()["services"][0]["prefetch"]
    assert published["labs"] == (
        "Observation?patient={{context.patientId}}&category=laboratory&date=ge{{today() - 365 days}}&_sort=-date"
    )


def test_html_is_what_the_markdown_says(site: Site, low_potassium_call: Call) -> None:
    first = site("").post(PATH, json=low_potassium_call()).json()["cards"]
    second = site("cards: {detail: html}").post(PATH, json=low_potassium_call()).json()["cards"]
    for markdown, html in zip(first, second, strict=True):
        unlinked = re.sub(r"\[([^]]+)\]\(https://cds[^)]+\)", r"\1", markdown["detail"])
        assert MarkdownIt().render(unlinked).strip() == html["detail"]
