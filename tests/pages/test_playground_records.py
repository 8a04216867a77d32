"""The playground with other hooks, other patients and records of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

CARD = "article.card"
EXAMPLE = "/?patient=low-potassium-on-a-thiazide"
MALFORMED = {
    "resourceType": "Bundle",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "p"}},
        {"resource": {"resourceType": "Condition", "code": {"coding": 5}}},
    ],
}


@pytest.fixture
def page(visit: Any) -> Page:
    """The first visit."""
    opened: Page = visit("/")
    opened.locator(CARD).first.wait_for()
    return opened


def test_with_an_order_hook_the_newest_medicine_is_the_one_being_ordered(page: Page) -> None:
    page.get_by_label("Hook").select_option("order-sign")
    expect(page.locator(CARD).first).to_contain_text("Check before ordering hydrochlorothiazide")
    page.get_by_role("checkbox", name="being ordered now").uncheck()
    expect(page.locator(CARD).first).not_to_contain_text("before ordering")
    assert "hook=order-sign" in page.url


@pytest.mark.parametrize("hook", ["encounter-start", "problem-list-item-create", "order-select"])
def test_every_hook_is_answered(visit: Any, hook: str) -> None:
    page = visit(f"{EXAMPLE}&hook={hook}")
    expect(page.locator(CARD).first).to_contain_text("potassium")
    expect(page.get_by_text("HTTP 200")).to_be_visible()


def test_every_patient_is_answered_as_of_today(page: Page) -> None:
    for value in page.locator("select option").evaluate_all(
        "(found) => found.filter((one) => one.closest('optgroup')).map((one) => one.value)"
    ):
        page.get_by_role("combobox", name="Patient", exact=True).select_option(value)
        page.wait_for_url(f"**patient={value}**")
        expect(page.locator(f"{CARD}, .no-cards").first).to_be_visible()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)


def test_a_bundle_and_a_hook_request_are_pasted_or_uploaded(
    visit: Any, root: Path, tmp_path: Path, http: httpx2.Client
) -> None:
    page = visit("/")
    bundle = http.get("/playground/patients/lithium-sertraline-and-tramadol").text
    page.get_by_role("button", name="Paste or upload…").click()
    page.get_by_label("Or paste JSON").fill(bundle)
    page.get_by_role("button", name="Use it").click()
    expect(page.locator(CARD).first).to_contain_text("ithium")
    request = json.loads((root / "examples" / "a-child" / "request.json").read_text(encoding="utf-8"))
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request), encoding="utf-8")
    page.get_by_role("button", name="Paste or upload…").click()
    page.get_by_label("Upload a file").set_input_files(file)
    page.get_by_role("button", name="Use it").click()
    expect(page.locator(CARD).first).to_contain_text("adults only")


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "Choose a file or paste JSON"),
        ("{", "This is not JSON"),
        ("[]", "must be a JSON object"),
        ('{"resourceType": "Observation"}', "Paste the Bundle that holds it"),
        ('{"resourceType": "Bundle"}', "names no patient"),
        (json.dumps(MALFORMED), "does not have the shape"),
        ('{"hook": "appointment-book"}', 'No service here answers the hook "appointment-book"'),
    ],
)
def test_what_cannot_be_used_is_said_where_it_was_pasted(page: Page, pasted: str, said: str) -> None:
    page.get_by_role("button", name="Paste or upload…").click()
    page.get_by_label("Or paste JSON").fill(pasted)
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(said)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_refusal_is_shown_as_an_error_and_not_as_silence(visit: Any) -> None:
    visit.expect("412")
    page = visit("/")
    page.get_by_role("button", name="Paste or upload…").click()
    page.get_by_label("Or paste JSON").fill(
        '{"hook": "patient-view", "hookInstance": "1", "context": {"patientId": "p"}, "prefetch": {"conditions": null}}'
    )
    page.get_by_role("button", name="Use it").click()
    shown = page.locator(".refusal")
    expect(shown).to_contain_text("The service refused the call (HTTP 412)")
    expect(shown).to_contain_text("prefetch.conditions")
