"""Findings for people (plain text, coloured at a terminal) and for programs (JSON)."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator, Mapping

from msgspec import structs

from cds_hooks.validation.findings import SEVERITIES, Finding, Severity
from cds_hooks.validation.requirements import requirements
from cds_hooks.validation.validate import Report

COLOURS: Mapping[Severity, str] = {"error": "31", "warning": "33", "information": "36"}
WIDEST = 110
NARROWEST = 20


def as_text(name: str, report: Report, *, colour: bool = False) -> str:
    """One file's findings: a heading, then severity and place, problem, cure and requirements of each."""
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size((WIDEST, 0)).columns))
    counts = [_counted(report.count(severity), severity) for severity in SEVERITIES if report.count(severity)]
    heading = (
        f"{_printable(name)}: {report.kind or 'unknown kind'}, {', '.join(counts) or 'nothing to report'}"
    )
    return "\n".join(
        [heading, *(line for finding in report.findings for line in _lines(finding, width, colour=colour))]
    )


def as_json(reports: Mapping[str, Report]) -> str:
    """All findings as a JSON array; each has `file`, `kind`, `urls` and the members of Finding. ASCII only."""
    return json.dumps(
        [
            {"file": name, "kind": report.kind, **structs.asdict(finding), "urls": _urls(finding)}
            for name, report in reports.items()
            for finding in report.findings
        ],
        indent=2,
    )


def _lines(finding: Finding, width: int, *, colour: bool) -> Iterator[str]:
    mark = f"\x1b[{COLOURS[finding.severity]}m{finding.severity}\x1b[0m" if colour else finding.severity
    yield f"  {mark} at {finding.path}"
    for part in (finding.problem, finding.fix, f"[{', '.join(finding.requirements)}]"):
        yield from textwrap.wrap(
            _printable(part), width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )


def _counted(count: int, severity: Severity) -> str:
    if severity == "information":
        return f"{count} for information"
    return f"{count} {severity}{'s' if count > 1 else ''}"


def _urls(finding: Finding) -> list[str]:
    return list(dict.fromkeys(requirements()[requirement].url for requirement in finding.requirements))


def _printable(text: str) -> str:
    """Without control characters, which could steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
