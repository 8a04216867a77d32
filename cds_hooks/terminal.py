"""The cards and the assessment behind them, for a reader at a terminal, as wide as the terminal is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cds_hooks.card_wording import card_wording
from cds_hooks.console import console as standard_output
from cds_hooks.console import trimmed
from cds_hooks.markdown import plain
from cds_hooks.response import Card
from mappings.assessment import Assessment, Evidence, Indicator, TestAdvice

STYLE: dict[Indicator, str] = {"none": "dim", "info": "cyan", "warning": "yellow", "critical": "bold red"}
LONGEST = 1000
NARROW = 70
"""Below this many columns a table is harder to read than a list."""
INDENT = 3


def _words(identifier: str) -> str:
    return identifier.replace(":", ": ").replace("_", " ")


def show(
    assessment: Assessment,
    cards: Sequence[Card] = (),
    console: Console | None = None,
    title: Callable[[str], str] = _words,
) -> None:
    """Print what the cards say in one line each, then what stands behind them; `title` names an id."""
    console = console or standard_output()
    with trimmed(console):
        _head(console, assessment, cards)
        _findings(console, assessment)
        _tests(console, assessment.tests)
        _rest(console, assessment, title)


def _head(console: Console, assessment: Assessment, cards: Sequence[Card]) -> None:
    """Whether twitching is documented, and one line per card, or why there is none."""
    say = card_wording().say
    gate = "; ".join(plain(item.text) for item in assessment.gate.because)
    console.print(Text.assemble((f"{say['gate']}: ", "bold"), gate or say["gate_closed"]))
    if assessment.silent_reason:
        console.print(Text(say["no_cards"].format(reason=assessment.silent_reason), STYLE["none"]))
    elif not cards:
        console.print(Text(assessment.indicator, STYLE[assessment.indicator]))
    if cards:
        console.print()
        table = _grid(len("critical"))
        for card in cards:
            style = STYLE[card.indicator]
            table.add_row(Text(card.indicator, style), Text(plain(card.summary), "bold"))
        console.print(table)
    elif assessment.out_of_scope:
        console.print(_text(assessment.out_of_scope))


def _findings(console: Console, assessment: Assessment) -> None:
    """Red flags, medicines being ordered, contributors, safety."""
    say = card_wording().say
    for flag in assessment.red_flags:
        note = say[f"urgency_{flag.urgency}"]
        _block(console, flag.title, note, flag.indicator, [*_lines(flag.evidence), flag.says, flag.also])
    for order in assessment.proposals:
        effects = [effect.text for effect in order.effects]
        _block(console, order.drug, order.title, order.indicator, [*effects, order.says])
    for number, cause in enumerate(assessment.contributors, start=1):
        note = say[f"strength_{cause.strength}"]
        lines = [*_lines(cause.evidence), cause.says]
        _block(console, f"{number}. {cause.title}", note, cause.indicator, lines)
    for item in assessment.safety:
        _block(console, item.title, say["safety"], item.indicator, [*_lines(item.evidence), item.says])


def _block(console: Console, title: str, note: str, indicator: Indicator, lines: Iterable[str]) -> None:
    """A heading with what supports it and what to do."""
    console.print()
    console.print(Text.assemble((plain(title), STYLE[indicator]), f" ({plain(note)})"))
    for line in filter(None, lines):
        console.print(Padding(_text(line), (0, 0, 0, INDENT)))


def _tests(console: Console, tests: Sequence[TestAdvice]) -> None:
    """All tests with their state, those to order first; nothing without any."""
    if not tests:
        return
    say = card_wording().say
    console.print()
    if console.width < NARROW:
        ordered = [f"{test.title} ({_state(test)}): {test.reason}" for test in tests]
        _list(console, say["tests"], ordered)
        return
    console.print(Text(say["tests"], "bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("column_test", "column_status", "column_reason"):
        table.add_column(say[heading], overflow="fold")
    for test in tests:
        style = "" if test.status == "suggested" else "dim"
        title = Text(plain(test.title, LONGEST), style or "bold")
        table.add_row(title, Text(_state(test), style), Text(plain(test.reason, LONGEST), style))
    console.print(Padding(table, (0, 0, 0, INDENT)))


def _state(test: TestAdvice) -> str:
    urgency = "" if test.urgency == "routine" else f", {card_wording().say[f'test_{test.urgency}']}"
    return test.status + urgency


def _rest(console: Console, assessment: Assessment, title: Callable[[str], str]) -> None:
    """What was considered, what could not be used, what else is to be known, and whose rules these are."""
    say, reasons = card_wording().say, card_wording().gap_reasons
    lists = {
        "considered": [f"{title(item.id)}: {item.why}" for item in assessment.considered],
        "gaps": [
            gap.text or f"{title(gap.what)}: {reasons.get(gap.reason, gap.reason)}" for gap in assessment.gaps
        ],
        "notes": assessment.notes,
        "unanswered": assessment.unanswered,
    }
    for heading, items in lists.items():
        if items:
            console.print()
            _list(console, say[heading], items)
    console.print()
    console.print(Text(say["rules"].format(version=assessment.knowledge_version), "dim"))


def _list(console: Console, heading: str, items: Iterable[str]) -> None:
    console.print(Text(heading, "bold"))
    table = _grid(1)
    for item in items:
        table.add_row("-", _text(item))
    console.print(Padding(table, (0, 0, 0, INDENT)))


def _grid(first: int) -> Table:
    """Two columns, the first of this width; the second wraps under itself."""
    table = Table.grid(padding=(0, 2 if first > 1 else 1, 0, 0))
    table.add_column(width=first, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _lines(evidence: Iterable[Evidence]) -> list[str]:
    return [item.text for item in evidence]


def _text(text: str) -> Text:
    """Record text: no terminal control sequences, no mark-up."""
    return Text(plain(text, LONGEST))
