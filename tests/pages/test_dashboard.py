"""The dashboard as its reader sees it: every figure is that of the database, by script or without, by keyboard alone."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

SERVICE = "/cds-services/twitching-patient-view"
CALLS = (
    "low-potassium-on-a-thiazide",
    "twitching-not-documented",
    "weakness-and-wasting",
    "nothing-measured-yet",
)


class Used:
    """A service that was called, and was told what became of its cards."""

    def __init__(self, running: Any, file: Path) -> None:
        self.running = running
        self.base: str = running.base
        self.file = file

    def sums(self, column: str, where: str = "1") -> dict[str, int]:
        """The stored counts, added up."""
        with sqlite3.connect(self.file) as connection:
            query = f"SELECT {column}, sum(n) FROM daily_count WHERE {where} GROUP BY 1"  # noqa: S608 - ours
            found = dict(connection.execute(query).fetchall())
        connection.close()
        return found


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, root: Path, start_lasting: Any) -> Iterator[Used]:
    file = tmp_path_factory.mktemp("used") / "counts.sqlite3"
    with start_lasting(database_url=f"sqlite:///{file}") as running:
        cards = []
        for name in CALLS:
            body = json.loads((root / "examples" / name / "request.json").read_text())
            cards += running.http.post(SERVICE, json=body).json()["cards"]
        running.http.post(SERVICE, content=b"{")
        foreign = json.loads((root / "examples" / CALLS[0] / "request.json").read_text())
        foreign["prefetch"]["medications"]["entry"][0]["resource"]["subject"] = {
            "reference": "Patient/another"
        }
        running.http.post(SERVICE, json=foreign)
        now = datetime.now(UTC).isoformat()
        reason = cards[0]["overrideReasons"][0]
        outcomes = [
            {"card": cards[0]["uuid"], "outcome": "overridden", "overrideReason": {"reason": reason}},
            {
                "card": cards[1]["uuid"],
                "outcome": "accepted",
                "acceptedSuggestions": [{"id": cards[1]["suggestions"][0]["uuid"]}],
            },
        ]
        outcomes.append({"card": "of another service", "outcome": "overridden"})
        sent = [outcome | {"outcomeTimestamp": now} for outcome in outcomes]
        assert running.http.post(f"{SERVICE}/feedback", json={"feedback": sent}).is_success
        yield Used(running, file)


@pytest.fixture
def page(visitor_of: Callable[[str], Any], used: Used) -> Page:
    page: Page = visitor_of(used.base)("/dashboard")
    return page


def tile(page: Page, name: str) -> str:
    return page.locator(".tiles > div", has_text=name).locator("dd").inner_text()


def totals(page: Page, chart: str) -> dict[str, int]:
    """The last row of the table beside a plot."""
    figure = page.get_by_role("figure", name=chart, exact=True)
    figure.get_by_text("The numbers").click()
    names = figure.locator("thead th").all_inner_texts()[1:]
    values = figure.locator("tfoot td").all_inner_texts()
    return {name: int(value) for name, value in zip(names, values, strict=True)}


def test_its_figures_are_those_of_the_database(page: Page, used: Used) -> None:
    calls = used.sums("detail", "measure = 'calls' AND kind = 'cards'")
    assert calls == {"cards": 4, "silent": 1, "refused": 1}
    assert tile(page, "Calls for cards") == "6"
    assert totals(page, "Calls") == {"answered with cards": 4, "nothing to say": 1, "refused": 1}
    indicators = used.sums("detail", "measure = 'cards'")
    assert tile(page, "Cards sent") == str(sum(indicators.values()))
    assert tile(page, "Critical cards") == str(indicators.get("critical", 0))
    shown = totals(page, "Cards by indicator")
    assert {"info": shown["information"], "warning": shown["warning"]}.items() <= indicators.items()
    topics = used.sums("kind", "measure = 'cards'")
    assert sorted(filter(None, totals(page, "Cards by topic").values())) == sorted(topics.values())
    assert totals(page, "Feedback") == {"accepted": 1, "overridden": 2}
    assert re.fullmatch(r"50%\s+1 of 2", tile(page, "Accepted, of cards with feedback"))


def test_every_override_reason_and_every_gap_is_listed(page: Page, used: Used) -> None:
    received = page.get_by_role("region", name="Accepted and overridden")
    expect(received.get_by_text("Already addressed or discussed")).to_be_visible()
    rows = page.get_by_role("region", name="What could not be used").locator("tbody tr")
    shown = sum(int(row.locator("td.number").inner_text()) for row in rows.all())
    assert shown == sum(used.sums("detail", "measure = 'gaps'").values())


def test_the_csv_is_the_database(used: Used) -> None:
    answer = used.running.http.get("/dashboard/counts.csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    with sqlite3.connect(used.file) as connection:
        stored = connection.execute(
            "SELECT day, measure, service, kind, detail, n FROM daily_count"
        ).fetchall()
    connection.close()
    counted = [tuple(row.values()) for row in rows if row["measure"] != "feedback"]
    assert sorted(counted) == sorted(tuple(map(str, row)) for row in stored)
    of_feedback = sorted((row["detail"], row["n"]) for row in rows if row["measure"] == "feedback")
    assert of_feedback == [("accepted", "1"), ("overridden", "1"), ("overridden", "1")]


@pytest.mark.parametrize("days", ["7", "90", "365", "no number"])
def test_every_span_has_its_steps(visitor_of: Callable[[str], Any], used: Used, days: str) -> None:
    page = visitor_of(used.base)(f"/dashboard?days={days}", scripts=False)
    expect(page.locator(".choices [aria-current]")).to_have_text(
        f"{days} days" if days.isdecimal() else "30 days"
    )
    columns = {"7": 7, "90": 14, "365": 13}.get(days, 30)
    drawn = page.get_by_role("figure", name="Calls", exact=True).locator("svg.bars g").count()
    assert columns - 1 <= drawn <= columns + 1
    assert tile(page, "Calls for cards") == "6"


def test_it_is_accessible(page: Page, assert_accessible: Callable[[Page], None], picture: Any) -> None:
    picture(page, "dashboard")
    for summary in page.locator("summary").all():
        summary.click()
    assert_accessible(page)


def test_it_is_used_by_keyboard_alone(page: Page) -> None:
    page.get_by_role("link", name="7 days").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard?days=7")
    summary = page.locator("summary").first
    for _ in range(30):
        page.keyboard.press("Tab")
        if summary.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("figure", name="Calls", exact=True).locator("table")).to_be_visible()


def test_an_empty_dashboard_says_so(visitor_of: Callable[[str], Any], start: Any) -> None:
    with start() as service:
        page = visitor_of(service.base)("/dashboard")
        assert tile(page, "Cards per 100 calls") == "\N{EN DASH} from 100 calls on"
        expect(page.get_by_text("No feedback in this span.")).to_be_visible()


def test_while_the_database_is_away_it_says_so_and_cards_are_sent(
    visitor_of: Callable[[str], Any],
    start: Any,
    root: Path,
    tmp_path: Path,
    assert_accessible: Callable[[Page], None],
) -> None:
    with start(database_url=f"sqlite:///{tmp_path / 'later' / 'counts.sqlite3'}") as service:
        body = json.loads((root / "examples" / CALLS[0] / "request.json").read_text())
        assert service.http.post(SERVICE, json=body).json()["cards"]
        visit = visitor_of(service.base)
        visit.expect("503")
        page = visit("/dashboard")
        expect(page.get_by_role("alert")).to_contain_text("The database does not answer.")
        assert_accessible(page)
        assert service.http.get("/dashboard/counts.csv").status_code == 503
        (tmp_path / "later").mkdir()
        page.reload()
        assert tile(page, "Calls for cards") == "1"
