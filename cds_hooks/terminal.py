"""The cards and the assessment behind them, for a reader at a terminal, as wide as the terminal is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cds_hooks.card_kit import CardKit
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


def show(
    assessment: Assessment, kit: CardKit, cards: Sequence[Card] = (), console: Console | None = None
) -> None:
    """Print what the cards say in one line each, then what stands behind them."""
    console = console or standard_output()
    with trimmed(console):
        _head(console, kit, assessment, cards)
        _findings(console, kit, assessment)
        _tests(console, kit, assessment.tests)
        _rest(console, kit, assessment)


def _head(console: Console, kit: CardKit, assessment: Assessment, cards: Sequence[Card]) -> None:
    """Whether twitching is documented, and one line per card, or why there is none."""
    say = kit.wording.say
    gate = "; ".join(plain(line) for line in _lines(assessment.gate.because, kit))
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


def _findings(console: Console, kit: CardKit, assessment: Assessment) -> None:
    """Red flags, medicines being ordered, contributors, safety."""
    say = kit.wording.say
    for flag in assessment.red_flags:
        note = say[f"urgency_{flag.urgency}"]
        lines = [*_lines(flag.evidence, kit), flag.says, flag.also]
        _block(console, flag.title, note, flag.indicator, lines)
    for order in assessment.proposals:
        effects = [kit.printed(effect.text) for effect in order.effects]
        _block(console, order.drug, order.title, order.indicator, [*effects, order.says])
    for number, cause in enumerate(assessment.contributors, start=1):
        note = say[f"strength_{cause.strength}"]
        lines = [*_lines(cause.evidence, kit), cause.says]
        _block(console, f"{number}. {cause.title}", note, cause.indicator, lines)
    for item in assessment.safety:
        lines = [*_lines(item.evidence, kit), item.says]
        _block(console, item.title, say["safety"], item.indicator, lines)


def _block(console: Console, title: str, note: str, indicator: Indicator, lines: Iterable[str]) -> None:
    """A heading with what supports it and what to do."""
    console.print()
    console.print(Text.assemble((plain(title), STYLE[indicator]), f" ({plain(note)})"))
    for line in filter(None, lines):
        console.print(Padding(_text(line), (0, 0, 0, INDENT)))


def _tests(console: Console, kit: CardKit, tests: Sequence[TestAdvice]) -> None:
    """All tests with their state, those to order first; nothing without any."""
    if not tests:
        return
    say = kit.wording.say
    console.print()
    if console.width < NARROW:
        ordered = [f"{test.title} ({_state(test, kit)}): {kit.printed(test.reason)}" for test in tests]
        _list(console, say["tests"], ordered)
        return
    console.print(Text(say["tests"], "bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("column_test", "column_status", "column_reason"):
        table.add_column(say[heading], overflow="fold")
    for test in tests:
        style = "" if test.status == "suggested" else "dim"
        title = Text(plain(test.title, LONGEST), style or "bold")
        reason = Text(plain(kit.printed(test.reason), LONGEST), style)
        table.add_row(title, Text(_state(test, kit), style), reason)
    console.print(Padding(table, (0, 0, 0, INDENT)))


def _state(test: TestAdvice, kit: CardKit) -> str:
    urgency = "" if test.urgency == "routine" else f", {kit.say(f'test_{test.urgency}')}"
    return test.status + urgency


def _rest(console: Console, kit: CardKit, assessment: Assessment) -> None:
    """What was considered, what could not be used, what else is to be known, and whose rules these are."""
    say = kit.wording.say
    lists = {
        "gaps": [kit.gap(gap) for gap in assessment.gaps if gap.reason != "not-provided"],
        "not_provided": [kit.gap(gap) for gap in assessment.gaps if gap.reason == "not-provided"],
        "considered": [f"{kit.title(item.id)}: {kit.printed(item.why)}" for item in assessment.considered],
        "notes": [kit.printed(note) for note in assessment.notes if note != assessment.out_of_scope],
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


def _lines(evidence: Iterable[Evidence], kit: CardKit) -> list[str]:
    return [kit.printed(item.text) for item in evidence]


def _text(text: str) -> Text:
    """Record text: no terminal control sequences, no mark-up."""
    return Text(plain(text, LONGEST))
