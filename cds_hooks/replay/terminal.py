"""What a replay says while it runs and when it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from cds_hooks.replay.summary import Number, Summary
from cds_hooks.replay.tally import CHANGE
from cds_hooks.replay.titles import title_of


class Bars:
    """A progress bar per step with rate and remaining time; on standard error, which may be a file."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None
        self._patients = 0
        self._size = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def start(self, what: str, total: int, done: int) -> None:
        """A step begins; what a run before had done counts as done."""
        self._patients = 0
        self._task = self._progress.add_task(what, total=total, completed=done, rate="")
        self._size = 0

    def advance(self, size: int, patients: int = 0) -> None:
        """Another part is finished."""
        if self._task is None:
            return
        self._patients += patients
        self._size += size
        self._progress.advance(self._task, size)
        task = self._progress.tasks[self._task]
        if task.elapsed:
            rate = f"{self._size / task.elapsed / 1e6:,.1f} MB/s"
            if self._patients:
                rate = f"{self._patients:,} patients, {self._patients / task.elapsed:,.0f}/s"
            self._progress.update(self._task, rate=rate)


def show(summary: Summary, written: list[Path], console: Console | None = None) -> None:
    """The few numbers that matter, and where the rest is."""
    console = console or Console(highlight=False)
    told = summary.about()
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    rows: list[tuple[str, Number]] = [
        ("patients", told["patients"]),
        ("patients with cards", told["patientsWithCards"]),
        *(
            (f"  most severe: {name}", n)
            for name, n in told["patientsByHighestIndicator"].items()
            if name != "none"
        ),
    ]
    if told["mode"] != "as-of":
        rows += [("moments", told["moments"]), ("moments with cards", told["momentsWithCards"])]
    rows += [
        (f"  {title_of(summary, 'contributor', name)}", number)
        for name, number in list(told["contributors"].items())[:5]
    ]
    if told["keptBack"]["patients"]:
        rows += [("kept back by the site (patients)", told["keptBack"]["patients"])]
    if summary.compared:
        rows += _compared(told["patientsWithCards"], told["comparison"])
        rows += [("answers that change (patients)", told["comparison"]["changed"])]
        rows += [
            (f"  {entry.what[0]}: {title_of(summary, *entry.what)}", entry.patients)
            for entry in summary.table("change", CHANGE)[:10]
            if entry.what[0] != "any"
        ]
    rows += [("lines that could not be read", told["badLines"])]
    if told["failures"]:
        rows += [("FAILED (patients)", ", ".join(f"{k}: {v}" for k, v in told["failures"].items()))]
    for label, number in rows:
        table.add_row(label, f"{number:,}" if isinstance(number, int) else number)
    console.print(table)
    for notice in summary.notices():
        console.print(notice)
    console.print()
    for line in _asked(told):
        console.print(line)
    console.print(f"result {told['resultHash'][:16]}")
    for path in written:
        if path.suffix == ".html":
            console.print(f"report: {path}", soft_wrap=True)


def _compared(before: Number, other: dict[str, Any]) -> list[tuple[str, Number]]:
    """What the other side shows and keeps back."""
    rows: list[tuple[str, Number]] = []
    if other["patientsWithCards"] != before:
        rows.append(("patients with cards, compared", other["patientsWithCards"]))
    if other["keptBack"]["patients"]:
        rows.append(("kept back by the site, compared", other["keptBack"]["patients"]))
    return rows


def _asked(told: dict[str, Any]) -> Iterator[str]:
    """The rules and the site profile of each side."""
    for words, side in (("", told), ("compared with ", told.get("comparison"))):
        if side is not None:
            profile = f", site profile {side['siteProfile']}" if side["siteProfile"] else ""
            yield f"{words}rules {side['knowledgeVersion']}{profile}"
            if side["hookOff"]:
                yield f"  {side['hook']} is off in this profile: every card is kept back"
