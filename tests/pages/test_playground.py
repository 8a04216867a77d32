"""The playground in a real browser: by mouse and by keyboard, with real calls of the service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect

CARD = "article.card"
EXAMPLE = "/?patient=low-potassium-on-a-thiazide"


@pytest.fixture
def page(visit: Any) -> Page:
    """The first visit."""
    opened: Page = visit("/")
    opened.locator(CARD).first.wait_for()
    return opened


def result(page: Page, name: str, field: str) -> Locator:
    return page.get_by_label(f"{name}, {field}")


def feedback_counted(http: httpx2.Client, outcome: str) -> float:
    """How many outcomes of this kind the service has counted."""
    lines = http.get("/metrics").text.splitlines()
    ours = [line for line in lines if "feedback" in line and f'outcome="{outcome}"' in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in ours if "created" not in line)


def press_until(page: Page, reached: Callable[[], bool], key: str = "Tab", most: int = 90) -> None:
    for _ in range(most):
        if reached():
            return
        page.keyboard.press(key)
    pytest.fail(f"{most} presses of {key} did not lead there")


def focused(page: Page, label: str) -> Callable[[], bool]:
    """Whether the focused element has this accessible label (or text)."""
    return lambda: bool(
        page.evaluate(
            "(label) => (document.activeElement.ariaLabel ?? document.activeElement.textContent).startsWith(label)",
            label,
        )
    )


def test_the_first_visit_shows_cards_and_why(page: Page) -> None:
    first = page.locator(CARD).first
    expect(first.get_by_role("heading")).to_contain_text("Review low potassium, 2.8 mmol/L")
    expect(first.get_by_text("Warning", exact=True)).to_be_visible()
    why = page.get_by_role("region", name="Why")
    expect(why).to_contain_text("Twitching is documented")
    expect(why).to_contain_text("lower limit 3.5, laboratory's own")
    expect(why).to_contain_text("Tier C1: an abnormal current result")
    expect(why).to_contain_text("Sources: GPnotebook Fasciculation")
    expect(why).to_contain_text("Observation/lab-0")
    expect(why).to_contain_text("Serum magnesium: low magnesium makes low potassium")


def test_the_markdown_of_a_card_is_drawn_and_never_taken_as_html(visit: Any) -> None:
    page = visit(EXAMPLE)
    name = page.get_by_role("textbox", name="hydrochlorothiazide 25 mg, name and strength")
    name.fill('hydrochlorothiazide <img src=x onerror="boom()"> **25** [mg](javascript:boom())')
    expect(page.locator(CARD).first).to_contain_text("img src=x")
    assert page.locator(f"{CARD} img, {CARD} a[href^=javascript]").count() == 0
    expect(page.locator(".card-detail ol strong").first).to_have_text("Low potassium")


@pytest.mark.parametrize(
    ("value", "unit", "summary"),
    [
        ("2.3", "mmol/L", "Verify critical result: low potassium, 2.3 mmol/L"),
        ("4.2", "mmol/L", "Review thiazide or thiazide-like diuretic"),
        ("2.8", "", "serum magnesium, serum potassium"),
    ],
)
def test_an_edited_result_changes_the_cards(page: Page, value: str, unit: str, summary: str) -> None:
    result(page, "Potassium", "unit").fill(unit)
    result(page, "Potassium", "value").fill(value)
    expect(page.locator(CARD).filter(has_text=summary)).to_be_visible()


def test_an_old_result_is_called_too_old(page: Page) -> None:
    page.get_by_label("Potassium, date").fill("2020-01-31")
    expect(page.get_by_role("region", name="Why")).to_contain_text("too old")


def test_results_medicines_and_problems_are_added_and_removed(page: Page) -> None:
    page.get_by_label("Add a result").select_option("magnesium")
    expect(result(page, "magnesium", "value")).to_be_focused()
    page.keyboard.type("0.5")
    expect(page.locator(CARD).first).to_contain_text("Low magnesium")
    page.get_by_role("button", name="Add a medicine").click()
    page.keyboard.type("omeprazole 20 mg")
    expect(page.get_by_role("region", name="Why")).to_contain_text("omeprazole 20 mg since")
    page.get_by_role("button", name="Remove magnesium").click()
    expect(page.locator(CARD).first).not_to_contain_text("Low magnesium")
    page.get_by_role("button", name="Remove Fasciculation").click()
    expect(page.get_by_text("The EHR shows nothing, because twitching is not documented")).to_be_visible()
    page.get_by_role("button", name="Add fasciculation to the problems").click()
    expect(page.locator(CARD).first).to_be_visible()
    page.get_by_role("button", name="Add a problem").click()
    page.keyboard.type("Recurrent tetany")
    expect(page.get_by_role("region", name="Record")).to_contain_text("Problems")
    expect(page.get_by_role("region", name="Why")).to_contain_text("facts read")


def test_a_suggestion_is_accepted_and_the_service_is_told(page: Page, http: httpx2.Client) -> None:
    before = feedback_counted(http, "accepted")
    with page.expect_response("**/feedback") as told:
        page.get_by_role("button", name="Accept: Order serum magnesium").click()
    assert told.value.status == 200
    sent = json.loads(told.value.request.post_data)["feedback"][0]
    assert (sent["outcome"], len(sent["acceptedSuggestions"])) == ("accepted", 1)
    expect(page.get_by_role("button", name="Accepted: Order serum magnesium")).to_be_visible()
    assert feedback_counted(http, "accepted") == before + 1
    page.get_by_role("button", name="Ask again").click()  # the next call carries the order
    expect(page.get_by_role("region", name="Why")).to_contain_text("Ordered")
    expect(page.get_by_role("button", name="Order serum magnesium")).to_have_count(0)


def test_a_card_is_overridden_with_a_reason(page: Page, http: httpx2.Client) -> None:
    before = feedback_counted(http, "overridden")
    card = page.locator(CARD).first
    card.get_by_text("Override", exact=True).click()
    card.get_by_label("Reason").select_option(label="Result known and treatment under way")
    card.get_by_label("Comment").fill("on potassium since Monday")
    with page.expect_response("**/feedback") as told:
        card.get_by_role("button", name="Override this card").click()
    reason = json.loads(told.value.request.post_data)["feedback"][0]["overrideReason"]["reason"]
    assert reason["code"] == "treatment-under-way"
    expect(page.locator(f"{CARD}.settled")).to_contain_text("Result known and treatment under way")
    assert feedback_counted(http, "overridden") == before + 1


def test_everything_is_done_with_the_keyboard_alone(page: Page) -> None:
    press_until(page, focused(page, "potassium, value"))
    page.keyboard.press("Control+A")
    page.keyboard.type("2.2")
    expect(page.locator(CARD).first).to_contain_text("Critical")
    press_until(page, focused(page, "Override: Verify critical result"))
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    press_until(page, focused(page, "Override this card"))
    page.keyboard.press("Enter")
    expect(page.locator(f"{CARD}.settled")).to_contain_text("Already addressed or discussed")
    press_until(page, focused(page, "Accept: Order serum magnesium"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Accepted: Order serum magnesium")).to_be_focused()


def test_a_change_is_said_to_a_screen_reader(page: Page) -> None:
    result(page, "Potassium", "value").fill("2.2")
    expect(page.locator("#playground [role=status]")).to_contain_text("Critical: Verify critical result")


def test_the_drawing_and_its_table_say_the_same(visit: Any) -> None:
    page = visit("/?patient=two-years-of-a-diuretic")
    told = page.get_by_role("region", name="Over time")
    drawing = told.get_by_role("img")
    label = drawing.get_attribute("aria-label")
    rows = told.locator("tbody tr").all_inner_texts()
    potassium = [row for row in rows if "otassium" in row]
    assert len(potassium) == 8
    assert all(re.search(r"otassium: .*\b" + re.escape(v) + " on", label) for v in ("4.4", "3.8", "2.9"))
    assert drawing.locator(".series").first.locator(".point").count() == 8
    assert drawing.locator(".series").first.locator(".point.out").count() == 3
    assert drawing.locator(".course text").first.text_content() == "hydrochlorothiazide 25 mg oral tablet"


def test_no_words_of_the_drawing_lie_on_a_medicine(visit: Any) -> None:
    page: Page = visit("/?patient=two-years-of-a-diuretic")
    page.locator(".onset-text").wait_for()
    top = page.locator(".onset-text").bounding_box()
    lowest = page.locator(".course rect").last.bounding_box()
    assert top
    assert lowest
    assert top["y"] >= lowest["y"] + lowest["height"]


def test_the_curl_command_gets_the_same_cards(page: Page) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    page.get_by_role("radio", name="curl").check()
    command = page.locator(".wire").inner_text()
    ran = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True)
    summaries = [card["summary"] for card in json.loads(ran.stdout)["cards"]]
    assert summaries == page.locator(f"{CARD} h3").all_inner_texts()


@pytest.fixture
def copied(visit: Any) -> Page:
    page: Page = visit("/", permissions=["clipboard-read", "clipboard-write"])
    page.locator(CARD).first.wait_for()
    return page


def test_request_response_and_explanation_are_copied(copied: Page) -> None:
    for name, member in (("Request", "prefetch"), ("Response", "cards"), ("Explanation", "contributors")):
        copied.get_by_role("radio", name=name).check()
        copied.get_by_role("button", name="Copy").click()
        copied.get_by_role("button", name="Copied").wait_for()
        assert member in json.loads(copied.evaluate("navigator.clipboard.readText()"))
        copied.get_by_role("radio", name="curl").check()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 320)])
def test_it_is_accessible_with_everything_open(
    visit: Any, assert_accessible: Callable[[Page], None], theme: str, width: int
) -> None:
    page = visit(f"{EXAMPLE}&hook=order-sign", theme=theme, width=width)
    page.locator(CARD).first.wait_for()
    for summary in page.locator("summary").all():
        summary.click()
    assert_accessible(page)


def test_the_dialog_is_accessible(page: Page, assert_accessible: Callable[[Page], None]) -> None:
    page.get_by_role("button", name="Paste or upload…").click()
    assert_accessible(page)


def test_without_scripts_it_says_what_to_do(visit: Any) -> None:
    page = visit("/", scripts=False)
    expect(page.get_by_text("This page needs JavaScript")).to_be_visible()


def test_where_trust_is_required_there_is_no_playground(start: Any, tmp_path: Path) -> None:
    trusting = tmp_path / "site.yaml"
    client = "{issuer: https://ehr.example, jku: https://ehr.example/jwks.json}"
    trusting.write_text(f"trust: {{mode: required, base: 'https://cds.example', clients: [{client}]}}\n")
    with start("--config", str(trusting)) as running:
        for path in ("/", "/playground/options", "/playground/facts/twitching-patient-view", "/history-form"):
            assert running.http.get(path).status_code in (401, 404), path
