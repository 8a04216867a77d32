"""The pictures of the README: taken on request, and the pages still show what their texts claim.

`SCREENSHOTS=docs/images make test ARGS=tests/pages/test_pictures.py` takes them anew; look at them before committing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

README = Path(__file__).parents[2] / "README.md"
PICTURES = dict(re.findall(r"!\[([^\]]+)\]\(docs/images/([\w-]+)\.png\)", README.read_text(encoding="utf-8")))
LARGEST = 450_000


def playground(visit: Any) -> Page:
    page: Page = visit("/?patient=low-potassium-on-a-thiazide", width=1360, height=1200)
    page.locator("article.card").first.wait_for()
    with page.expect_response("**/playground/facts/**"):
        page.get_by_role("button", name="Ask again").click()  # the first call after a start is a slow one
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)
    return page


def over_time(visit: Any) -> Page:
    page: Page = visit("/?patient=two-years-of-a-diuretic", width=1200)
    page.locator("article.card").first.wait_for()
    height = page.locator(".timeline").evaluate("(element) => Math.ceil(element.offsetHeight)")
    page.set_viewport_size({"width": 1200, "height": height + 32})
    page.locator(".timeline").evaluate("(element) => element.scrollIntoView({block: 'center'})")
    return page


def history_form(visit: Any) -> Page:
    page: Page = visit("/history-form?patient=example", width=1000, height=1100)
    page.get_by_label("Daily and increasing").check()
    page.get_by_label("Calf").check()
    page.evaluate("scrollTo(0, 0)")
    return page


SCENES: dict[str, Callable[[Any], Page]] = {
    "playground": playground,
    "over-time": over_time,
    "history-form": history_form,
}


def test_every_picture_is_shown_and_has_its_scene() -> None:
    ours = {name for name in PICTURES.values() if name in SCENES}
    assert ours == set(SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_the_page_still_shows_what_the_picture_claims(
    visit: Any, picture: Callable[..., None], name: str
) -> None:
    """Words in “…” in the text of a picture stand on the page."""
    page = SCENES[name](visit)
    picture(page, name)
    text = next(text for text, of in PICTURES.items() if of == name)
    claims = re.findall("“([^”]+)”", text)
    assert claims
    shown = page.locator("main").inner_text() + " ".join(
        filter(None, (drawing.get_attribute("aria-label") for drawing in page.locator("svg[role=img]").all()))
    )
    assert [claim for claim in claims if claim.lower() not in shown.lower()] == []


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_there_and_small(root: Path, name: str) -> None:
    content = (root / "docs" / "images" / f"{name}.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) <= LARGEST
