"""A real browser for the pages: Debian's Chromium, driven by Playwright. No page may complain or reach outside."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
"""WCAG 2.2 AA, and what axe calls best practice."""
OF_COLOUR = ["color-contrast", "link-in-text-block"]
OF_LAYOUT = ["color-contrast", "scrollable-region-focusable", "target-size"]
NARROW = 320
"""Pixels: to this width a page must reflow (WCAG 2.2, 1.4.10)."""
PATIENCE_MS = 60_000
"""How long a page may take on a machine that is busy."""
SCREENSHOTS = "SCREENSHOTS"
"""Environment variable: the folder into which `picture` writes, if there is one."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program. In CI a missing browser is a failure, because nothing would have been looked at."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    missing = "Chromium is not installed: apt-get install chromium, or `make system-deps` as root"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser per test file: Playwright's loop must have ended before other tests start one of their own."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # as root it has no sandbox to start
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield launched
        launched.close()


class Visitor:
    """Opens pages of one service, and notes what a page complains about and every request that leaves its origin."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.browser = browser
        self.base = base
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self._contexts: list[BrowserContext] = []

    def __call__(
        self,
        path: str,
        *,
        theme: Literal["light", "dark"] = "light",
        width: int = 1280,
        height: int = 900,
        scripts: bool = True,
        **options: Any,
    ) -> Page:
        """A new visitor (nothing stored, no cookie) who opens `path`; `options` are Playwright's."""
        context = self.browser.new_context(
            base_url=self.base,
            color_scheme=theme,
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
            locale="en-GB",
            timezone_id="UTC",
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        page.on("request", self._asked)
        page.goto(path)
        return page

    def expect(self, pattern: str) -> None:
        """A complaint that matches is what the test is about, such as the status 404 of a page that is not there."""
        self.expected.append(pattern)

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        left = [text for text in self.complaints if not any(re.search(p, text) for p in self.expected)]
        assert left == []

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.base}/", "data:", "blob:")):
            self.complaints.append(f"request to {request.url}")


@pytest.fixture
def visitor_of(browser: Browser) -> Iterator[Callable[[str], Visitor]]:
    """A Visitor of the service at a base URL: `visitor_of(running.base)`; closed, and its complaints checked, at the end."""
    made: list[Visitor] = []

    def make(base: str) -> Visitor:
        made.append(Visitor(browser, base))
        return made[-1]

    yield make
    for visitor in made:
        visitor.close()


@pytest.fixture
def visit(visitor_of: Callable[[str], Visitor], service: str) -> Visitor:
    """Opens a page of the shared service: `page = visit("/knowledge", theme="dark", width=320)`."""
    return visitor_of(service)


def _violations(page: Page, **only: Any) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"], **only}).response
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@pytest.fixture
def assert_accessible() -> Callable[[Page], None]:
    """Fails with what axe-core finds against WCAG 2.2 AA: as the page is, in the other colours, and 320 pixels wide."""

    def check(page: Page) -> None:
        found = _violations(page, runOnly=STANDARD)
        dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        page.emulate_media(color_scheme="light" if dark else "dark")
        found += [f"other colours: {text}" for text in _violations(page, runOnly=OF_COLOUR)]
        page.emulate_media(color_scheme="dark" if dark else "light")
        size = page.viewport_size
        assert size is not None
        page.set_viewport_size({"width": NARROW, "height": 640})
        found += [f"narrow: {text}" for text in _violations(page, runOnly=OF_LAYOUT)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > NARROW:
            found.append(f"the page is {wide} pixels wide in a window of {NARROW}")
        page.set_viewport_size(size)
        assert found == []

    return check


@pytest.fixture
def picture(root: Path) -> Callable[..., None]:
    """Writes a screenshot when asked to: `SCREENSHOTS=docs/images make test ARGS=tests/pages`."""
    folder = os.environ.get(SCREENSHOTS)

    def take(page: Page, name: str, *, full: bool = False) -> None:
        if folder:
            page.screenshot(path=root / folder / f"{name}.png", full_page=full, animations="disabled")

    return take
