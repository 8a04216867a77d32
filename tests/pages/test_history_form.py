"""The history form: filled in by mouse and keyboard, its answers read by the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from playwright.sync_api import Page, expect

PATIENT = "example-nothing-measured-yet"


def made(page: Page) -> dict[str, Any]:
    """The QuestionnaireResponse as the page shows it."""
    shown: dict[str, Any] = json.loads(page.locator("#made").text_content() or "")
    return shown


def answers(response: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        item["linkId"]: [next(iter(answer.values())) for answer in item["answer"]]
        for item in response["item"]
    }


def test_the_answers_become_a_valid_questionnaire_response(visit: Any) -> None:
    page = visit(f"/history-form?patient={PATIENT}")
    page.get_by_label("When was the twitching first noticed?").fill("2026-01-31")
    page.get_by_label("Daily and increasing").check()
    page.get_by_label("Eyelid").check()
    page.get_by_label("Calf").check()
    page.get_by_role("group", name="Clonus").get_by_label("Yes").check()
    page.get_by_role("group", name="Muscle wasting").get_by_label("No", exact=True).check()
    response = made(page)
    QuestionnaireResponse.model_validate(response)
    found = answers(response)
    assert list(found) == ["first-noticed", "frequency", "locations", "wasting", "clonus"]
    assert found["first-noticed"] == ["2026-01-31"]
    assert [coding["code"] for coding in found["locations"]] == ["eyelid", "calf"]
    assert (found["clonus"], found["wasting"]) == ([True], [False])
    assert response["subject"] == {"reference": f"Patient/{PATIENT}"}
    expect(page.locator("#count")).to_have_text("5 questions answered")


def test_from_playground_to_form_and_back_the_cards_change(visit: Any) -> None:
    page = visit("/?patient=nothing-measured-yet")
    card = page.locator("article.card")
    expect(card.first).to_contain_text("History not documented")
    page.get_by_role("link", name="History form").last.click()
    expect(page.get_by_label("Patient id")).to_have_value(PATIENT)
    page.get_by_label("Always the same muscle, and it is weak or wasted").check()
    page.get_by_role("group", name="Weakness on examination").get_by_label("Yes").check()
    page.get_by_role("button", name="Use in the playground").click()
    expect(card.first).to_contain_text("red flag with muscle twitching: weakness on examination")
    expect(page.get_by_text("Answers to the history questions").first).to_be_visible()
    page.get_by_role("button", name="Remove Answers to the history questions").click()
    expect(card.first).not_to_contain_text("red flag")


def test_what_a_patient_answers_counts_as_reported(visit: Any, http: httpx2.Client, root: Path) -> None:
    page = visit(f"/history-form?patient={PATIENT}")
    page.get_by_role("group", name="Weakness on examination").get_by_label("Yes").check()
    facts = {}
    for who in ("A clinician", "The patient"):
        page.get_by_label(who).check()
        request = json.loads(
            (root / "examples" / "nothing-measured-yet" / "request.json").read_text(encoding="utf-8")
        )
        request["prefetch"]["answers"] = {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": made(page)}],
        }
        told = http.post("/playground/facts/twitching-patient-view", json=request).json()
        (facts[who],) = told["answers"]
    assert facts["A clinician"]["reported"] is False
    assert facts["The patient"]["reported"] is True
    assert facts["The patient"]["question"] == "Weakness on examination"


def test_it_is_filled_in_with_the_keyboard(visit: Any, tmp_path: Path) -> None:
    page = visit(f"/history-form?patient={PATIENT}", accept_downloads=True)
    page.get_by_label("When was the twitching first noticed?").focus()
    for expected in ("Not known", "Not known", "Eyelid"):
        while not page.evaluate(
            "(text) => document.activeElement.closest('label')?.textContent.trim() === text", expected
        ):
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown" if expected == "Not known" else "Space")
        page.keyboard.press("Tab")
    assert set(answers(made(page))) == {"episode-length", "frequency", "locations"}
    download = page.get_by_role("button", name="Download")
    download.focus()
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    assert answers(json.loads(file.read_text(encoding="utf-8"))) == answers(made(page))


@pytest.mark.parametrize("patient", ["", "no spaces here", "<b>"])
def test_without_a_patient_id_nothing_is_handed_over(visit: Any, patient: str) -> None:
    page = visit("/history-form")
    field = page.get_by_label("Patient id")
    field.fill(patient)
    page.get_by_role("button", name="Use in the playground").click()
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Write the id of the patient")).to_be_visible()


def test_a_date_in_the_future_is_refused(visit: Any) -> None:
    page = visit(f"/history-form?patient={PATIENT}")
    page.get_by_label("When was the twitching first noticed?").fill("2999-01-01")
    page.get_by_role("button", name="Use in the playground").click()
    expect(page.get_by_text("A date lies in the future")).to_be_visible()


def test_launched_as_a_smart_app_it_says_from_where_and_what_it_does_not_do(visit: Any) -> None:
    page = visit("/history-form?iss=https%3A%2F%2Fehr.example%2Ffhir%3C&launch=abc")
    expect(page.get_by_text("Opened from https://ehr.example/fhir<.")).to_be_visible()
    expect(page.get_by_text("writes nothing back")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_it_is_accessible(
    visit: Any, assert_accessible: Callable[[Page], None], theme: str, width: int
) -> None:
    page = visit("/history-form", theme=theme, width=width)
    page.get_by_role("button", name="Use in the playground").click()
    assert_accessible(page)
