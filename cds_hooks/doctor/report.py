"""What was found, for a person at a terminal or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_hooks.console import trimmed
from cds_hooks.doctor.finding import ORDER, Examined, counted, worst

STYLE = {"ok": "green", "warning": "yellow", "failed": "bold red"}
INDENT = 10
TITLES = {"tls": "TLS", "fhir": "FHIR servers", "knowledge": "Rules", "tokens": "Test tokens"}


def show(examined: Sequence[Examined], console: Console) -> None:
    """A heading per check, a line per finding, below it what to do, and a last line that sums up."""
    with trimmed(console):
        _show(examined, console)


def _show(examined: Sequence[Examined], console: Console) -> None:
    for check, findings in examined:
        console.print(Text(TITLES.get(check, check.capitalize()), "bold"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=INDENT - 2, no_wrap=True)
        table.add_column(overflow="fold")
        for finding in findings:
            table.add_row(Text(f" {finding.status}", STYLE[finding.status]), Text(finding.found))
            if finding.fix:
                table.add_row("", Text.assemble(("Fix: ", "bold"), finding.fix))
        console.print(table)
        console.print()
    counts = Counter(finding.status for _, findings in examined for finding in findings)
    parts = [
        Text(
            f"{counted(counts[status], status) if status == 'warning' else f'{counts[status]} {status}'}",
            STYLE[status],
        )
        for status in reversed(ORDER)
        if counts[status]
    ]
    console.print(Text(", ").join(parts))


def as_json(examined: Sequence[Examined]) -> bytes:
    """`{"status", "checks": [{"check", "status", "findings": [{"status", "found", "fix"?}]}]}`"""
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "status": worst(entry.status for entry in examined),
                "checks": [
                    {"check": entry.check, "status": entry.status, "findings": entry.findings}
                    for entry in examined
                ],
            }
        )
    )
