"""The report: how many cards were accepted and overridden, by topic and reason."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cds_hooks.advice_id import new_id
from cds_hooks.card_kit import card_kit
from cds_hooks.cli import app
from cds_hooks.feedback.message import read_feedback
from cds_hooks.feedback.report import ReasonCount, Report, as_json, summarise
from cds_hooks.feedback.report import TestCount as Accepted  # under a name that pytest does not collect
from cds_hooks.feedback.store import save, subjects
from cds_hooks.feedback.table import show
from cds_hooks.storage.database import Database
from mappings.knowledge import load_knowledge

HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OWN = "urn:twitching-cds:override-reason"
Item = Callable[..., dict[str, Any]]
Using = Callable[[Callable[[Database], Any]], Any]
Reported = Callable[..., Report]


@pytest.fixture
def reported(using: Using, body: Callable[..., bytes]) -> Reported:
    """The report about these items."""
    known = subjects(card_kit(load_knowledge()))

    def report(*items: dict[str, Any], since: date | None = None) -> Report:
        async def work(database: Database) -> Report:
            await save(database, "s", read_feedback(body(*items)), datetime(2026, 3, 2, tzinfo=UTC), known)
            return await summarise(database, since)

        return using(work)

    return report


def printed(report: Report) -> str:
    out = StringIO()
    show(report, Console(file=out, width=120))
    return out.getvalue()


def test_without_feedback(reported: Reported) -> None:
    report = reported()
    assert (report.n, report.topics, report.accepted_tests) == (0, (), ())
    assert printed(report) == "No feedback.\n"


def test_rates_by_topic(reported: Reported, item: Item, accepted: Item, reason: Item) -> None:
    contributors = [item(card=new_id("topic:twitching-contributors")) for _ in range(2)]
    report = reported(
        item(**accepted("ecg", "magnesium")),
        item(**accepted("magnesium")),
        item(**reason("wrong-time-workflow")),
        item(**reason("test-done-elsewhere", OWN)),
        item(**reason("test-done-elsewhere", "")),
        *contributors,
    )
    assert report.n == 7
    tests, others = report.topics
    assert (tests.topic, tests.display) == ("twitching-tests", "Tests for muscle twitching")
    assert (tests.n, tests.accepted, tests.overridden) == (5, 2, 3)
    assert (tests.acceptance_rate, tests.override_rate) == (0.4, 0.6)
    assert tests.reasons == (
        ReasonCount("", "test-done-elsewhere", "Test done elsewhere", 1, 0.3333),
        ReasonCount(HL7, "wrong-time-workflow", "Remind me later", 1, 0.3333),
        ReasonCount(OWN, "test-done-elsewhere", "Test done elsewhere", 1, 0.3333),
    )
    assert (others.topic, others.n, others.override_rate) == ("twitching-contributors", 2, 1.0)
    assert others.reasons == (ReasonCount("", "", "", 2, 1.0),)
    assert report.accepted_tests == (Accepted("magnesium", 2), Accepted("ecg", 1))


def test_a_card_counts_once(reported: Reported, item: Item, accepted: Item, reason: Item) -> None:
    card = {"card": new_id("topic:twitching-tests")}
    later = {"outcomeTimestamp": "2026-03-01T10:00:00Z"}
    report = reported(
        item(**card, **reason("wrong-time-workflow")),
        item(**card | later, **reason("goals-of-care", OWN)),
        item(**reason("wrong-time-workflow")),
        item(**reason("wrong-time-workflow")) | card | accepted("ecg") | later,
    )
    (topic,) = report.topics
    assert (topic.n, topic.accepted, topic.overridden) == (2, 1, 1)
    assert [(one.code, one.n) for one in topic.reasons] == [("wrong-time-workflow", 1)]


def test_comments_are_counted_by_card(reported: Reported, item: Item) -> None:
    (topic,) = reported(item(overrideReason={"userComment": "x"}), item()).topics
    assert topic.commented == 1


def test_cards_that_are_not_ours_are_a_topic_of_their_own(reported: Reported, item: Item) -> None:
    report = reported(item(card="123456", outcome="accepted", acceptedSuggestions=[{"id": "s-1"}]))
    assert [(topic.topic, topic.n) for topic in report.topics] == [("unknown", 1)]
    assert report.accepted_tests == (Accepted("unknown", 1),)


def test_since_a_day(reported: Reported, item: Item, accepted: Item) -> None:
    old = item(outcomeTimestamp="2026-02-28T23:59:59Z", **accepted("ecg"))
    new = item(outcomeTimestamp="2026-03-01T00:00:00Z", **accepted("magnesium"))
    assert reported(old, new).n == 2
    report = reported(old, new, since=date(2026, 3, 1))
    assert (report.n, report.accepted_tests) == (1, (Accepted("magnesium", 1),))
    assert reported(since=date(2026, 3, 2)).n == 0
    assert "No feedback since 2026-03-02." in printed(reported(since=date(2026, 3, 2)))


def test_the_table(reported: Reported, item: Item, accepted: Item, reason: Item) -> None:
    epic = {
        "overrideReasons": {"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonCategory": "45"}}
    }
    report = reported(item(**accepted("ecg")), item(**reason("goals-of-care", OWN)), item(), item(**epic))
    lines = [" ".join(line.split()) for line in printed(report).splitlines()]
    assert lines == [
        "Topic or reason Cards Accepted Overridden With comment",
        "Tests for muscle twitching 4 1 (25%) 3 (75%) 0",
        "no reason given 1 (33%)",
        "com.epic.cdshooks.feedback.overrideReason.reasonCategory 45 1 (33%)",
        "Not appropriate for the goals of care 1 (33%)",
        "",
        "Test ordered from a card Suggestions accepted",
        "ecg 1",
        "",
        "Cards with feedback: 4. Cards that nobody acted on send none.",
    ]


class TestCommand:
    @pytest.fixture(autouse=True)
    def _log_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logging, "basicConfig", lambda **_: None)

    def test_json(self, reported: Reported, item: Item, accepted: Item, database_url: str) -> None:
        report = reported(item(**accepted("ecg")), since=date(2026, 3, 1))
        environment = {"TWITCHING_CDS_DATABASE_URL": database_url}
        ran = CliRunner().invoke(
            app, ["feedback", "report", "--json", "--since", "2026-03-01"], env=environment
        )
        assert ran.exit_code == 0, ran.output
        assert ran.stdout.encode() == as_json(report) + b"\n"
        told = json.loads(ran.stdout)
        assert told["since"] == "2026-03-01"
        assert told["topics"][0]["acceptanceRate"] == 1.0
        assert told["acceptedTests"] == [{"test": "ecg", "n": 1}]

    def test_text(self, reported: Reported, item: Item, database_url: str) -> None:
        reported(item())
        ran = CliRunner().invoke(
            app, ["feedback", "report"], env={"TWITCHING_CDS_DATABASE_URL": database_url, "COLUMNS": "120"}
        )
        assert ran.exit_code == 0
        assert "Cards with feedback: 1." in ran.stdout

    @pytest.mark.parametrize("command", [("feedback", "report"), ("database", "upgrade")])
    @pytest.mark.parametrize(
        ("url", "code", "says"),
        [
            ("mysql://u:secret-7f3a@h/n", 2, "database_url (or TWITCHING_CDS_DATABASE_URL): begin it with"),
            ("postgresql://u:secret-7f3a@127.0.0.1:1/n", 4, "The database of `database_url` cannot be used"),
            ("sqlite:////nowhere/x.sqlite3", 4, "there is no folder /nowhere; make it, or name another file"),
        ],
        ids=["wrong", "away", "no folder"],
    )
    def test_a_database_that_cannot_be_used_is_explained(
        self, command: tuple[str, str], url: str, code: int, says: str
    ) -> None:
        ran = CliRunner().invoke(app, command, env={"TWITCHING_CDS_DATABASE_URL": url})
        assert ran.exit_code == code
        assert says in ran.stderr
        assert "secret-7f3a" not in ran.output
        assert len(ran.output.splitlines()) == 1

    def test_settings_that_cannot_be_used_are_explained(self) -> None:
        ran = CliRunner().invoke(app, ["feedback", "report", "--config", "nowhere.yaml"])
        assert (ran.exit_code, ran.stderr) == (
            2,
            "nowhere.yaml: cannot be read (No such file or directory)\n",
        )
