"""The report for a reader at a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_hooks.console import console as standard_output
from cds_hooks.console import trimmed
from cds_hooks.feedback.report import Report, TopicCount


def show(report: Report, console: Console | None = None) -> None:
    """Print the report: a line per topic with its reasons below, then the tests accepted."""
    console = console or standard_output()
    with trimmed(console):
        _show(report, console)


def _show(report: Report, console: Console) -> None:
    if not report.n:
        console.print(Text(f"No feedback{f' since {report.since}' if report.since else ''}."))
        return
    table = _table("Topic or reason", "Cards", "Accepted", "Overridden", "With comment")
    for topic in report.topics:
        _add(table, topic)
    console.print(table)
    if report.accepted_tests:
        tests = _table("Test ordered from a card", "Suggestions accepted")
        for test in report.accepted_tests:
            tests.add_row(Text(test.test), str(test.n))
        console.print()
        console.print(tests)
    since = f" since {report.since}" if report.since else ""
    console.print(
        Text(f"\nCards with feedback{since}: {report.n}. Cards that nobody acted on send none.", "dim")
    )


def _add(table: Table, topic: TopicCount) -> None:
    table.add_row(
        Text(topic.display),
        str(topic.n),
        f"{topic.accepted} ({topic.acceptance_rate:.0%})",
        f"{topic.overridden} ({topic.override_rate:.0%})",
        str(topic.commented),
    )
    for reason in topic.reasons:
        name = reason.display or " ".join(filter(None, (reason.system, reason.code))) or "no reason given"
        table.add_row(Text(f"  {name}", "dim"), "", "", Text(f"{reason.n} ({reason.rate:.0%})", "dim"), "")


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table
