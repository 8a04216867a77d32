"""The frame of every page: addresses, headers, files, and that nobody is shut out."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

PAGES = ["/", "/history-form", "/knowledge", "/dashboard"]


@pytest.mark.parametrize("path", PAGES)
def test_the_first_key_press_offers_to_skip_the_navigation(visit: Any, path: str) -> None:
    page = visit(path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("path", [*PAGES, "/static/style.css"])
def test_a_page_trusts_nothing_but_its_own_origin(http: httpx2.Client, path: str) -> None:
    headers = http.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_file_is_kept_for_good_under_the_name_of_its_content(http: httpx2.Client) -> None:
    bare = http.get("/static/style.css")
    tag = bare.headers["etag"]
    assert bare.headers["cache-control"] == "no-cache"
    assert bare.headers["content-type"] == "text/css; charset=utf-8"
    named = http.get("/static/style.css", params={"v": tag.strip('"')})
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = http.get("/static/style.css", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["nothing.css", "../rendering.py", "..%2frendering.py", "", "templates/base.html"]
)
def test_no_other_file_can_be_asked_for(http: httpx2.Client, path: str) -> None:
    assert http.get(f"/static/{path}").status_code == 404
