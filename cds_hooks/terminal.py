"""The assessment for a reader at a terminal, as wide as the terminal is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cds_hooks.card_wording import card_wording
from cds_hooks.markdown import plain
from mappings.assessment import Assessment, Evidence, Indicator

STYLE: dict[Indicator, str] = {"none": "dim", "info": "cyan", "warning": "yellow", "critical": "bold red"}
LONGEST = 1000


def show(assessment: Assessment, console: Console | None = None) -> None:
    """Print the assessment: red flags, contributors, safety, tests, then all that was not usable."""
    console = console or Console(highlight=False)
    say = card_wording().say
    gate = _evidence(assessment.gate.because)
    console.print(Text.assemble((f"{say['gate']}: ", "bold"), gate or say["gate_closed"]))
    silent = assessment.silent_reason
    console.print(
        Text(
            say["no_cards"].format(reason=silent) if silent else assessment.indicator,
            STYLE[assessment.indicator],
        )
    )
    if assessment.out_of_scope:
        console.print(_text(assessment.out_of_scope))
    for flag in assessment.red_flags:
        _block(console, flag.title, say[f"urgency_{flag.urgency}"], flag.indicator, flag.evidence, flag.says)
    for number, cause in enumerate(assessment.contributors, start=1):
        heading = f"{number}. {cause.title}"
        _block(
            console, heading, say[f"strength_{cause.strength}"], cause.indicator, cause.evidence, cause.says
        )
    for item in assessment.safety:
        _block(console, item.title, say["safety"], item.indicator, item.evidence, item.says)
    _tests(console, assessment)
    reasons = card_wording().gap_reasons
    _listing(console, say["considered"], [f"{_words(item.id)}: {item.why}" for item in assessment.considered])
    _listing(
        console,
        say["gaps"],
        [gap.text or f"{_words(gap.what)}: {reasons.get(gap.reason, gap.reason)}" for gap in assessment.gaps],
    )
    _listing(console, say["notes"], assessment.notes)
    _listing(console, say["unanswered"], assessment.unanswered)
    console.print(Text(say["rules"].format(version=assessment.knowledge_version), "dim"))


def _block(
    console: Console, title: str, note: str, indicator: Indicator, evidence: Sequence[Evidence], says: str
) -> None:
    """A heading with what supports it and what to do."""
    console.print()
    console.print(Text.assemble((plain(title), STYLE[indicator]), f" ({note})"))
    for line in (*(item.text for item in evidence), says):
        if line:
            console.print(Padding(_text(line), (0, 0, 0, 3)))


def _tests(console: Console, assessment: Assessment) -> None:
    """All tests with their state, or nothing."""
    if not assessment.tests:
        return
    say = card_wording().say
    table = Table(
        title=say["tests"],
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for heading in ("column_test", "column_status", "column_reason"):
        table.add_column(say[heading], overflow="fold", style="bold" if heading == "column_test" else "")
    for test in assessment.tests:
        urgency = "" if test.urgency == "routine" else f", {say[f'test_{test.urgency}']}"
        table.add_row(_text(test.title), _text(test.status + urgency), _text(test.reason))
    console.print()
    console.print(table)


def _listing(console: Console, heading: str, items: Iterable[str]) -> None:
    lines = [_text(f"- {item}") for item in items]
    if lines:
        console.print()
        console.print(Text(heading, "bold"))
        for line in lines:
            console.print(Padding(line, (0, 0, 0, 3)))


def _evidence(evidence: Iterable[Evidence]) -> str:
    return "; ".join(plain(item.text) for item in evidence)


def _text(text: str) -> Text:
    """Record text: no terminal control sequences, no mark-up."""
    return Text(plain(text, LONGEST))


def _words(identifier: str) -> str:
    return identifier.replace(":", ": ").replace("_", " ")
