"""A stacked bar chart as numbers for the template: bars fill a box of 100 by 100 that stretches to any size.

Drawn on the server, so that it needs no script. The texts around it are HTML and do not stretch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from cds_hooks.pages.dashboard.spans import Span, label

GAP = 0.18
"""Part of a step's width that is left free."""
NICE = (1, 2, 3, 4, 5, 6, 8, 10)
"""Leading digits of a scale that divides into two halves or reads well."""


class Series(NamedTuple):
    """One colour of the stack: its name, its number (from 1) and what it counts, one for each step."""

    name: str
    number: int
    values: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.values)


class Bar(NamedTuple):
    """One coloured piece, in percent of the box, from the top left."""

    x: float
    y: float
    width: float
    height: float
    number: int


class Column(NamedTuple):
    """One step: what the pointer shows, and its pieces."""

    says: str
    bars: tuple[Bar, ...]


class Chart(NamedTuple):
    """Everything the template draws and writes beside it."""

    id: str
    title: str
    note: str
    step: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    columns: tuple[Column, ...]
    top: int

    @property
    def total(self) -> int:
        """Everything that is drawn."""
        return sum(series.total for series in self.series)

    def rows(self) -> list[tuple[str, list[int]]]:
        """The table of the same numbers, newest first; steps in which nothing happened are left out."""
        found = [
            (name, [series.values[number] for series in self.series])
            for number, name in enumerate(self.labels)
        ]
        return [row for row in reversed(found) if any(row[1])]


def chart(
    identifier: str,
    title: str,
    note: str,
    span: Span,
    counts: Mapping[tuple[date, str], int],
    names: Mapping[str, tuple[str, int]],
) -> Chart:
    """The chart of `counts` by day and key. `names`: key to shown name and colour, in the order of the stack."""
    steps = span.steps()
    sums: dict[tuple[date, str], int] = {}
    for (day, key), n in counts.items():
        place = (span.start_of(day), key)
        sums[place] = sums.get(place, 0) + n
    series = tuple(
        Series(name, number, tuple(sums.get((start, key), 0) for start in steps))
        for key, (name, number) in names.items()
    )
    labels = tuple(label(start, span.step) for start in steps)
    top = scale(max((sum(column) for column in zip(*(s.values for s in series), strict=True)), default=0))
    columns = tuple(_column(number, labels, series, top) for number in range(len(steps)))
    return Chart(identifier, title, note, span.step, labels, series, columns, top)


def _column(number: int, labels: Sequence[str], series: Sequence[Series], top: int) -> Column:
    width = 100 / len(labels)
    bars, below = [], 0
    for one in series:
        if n := one.values[number]:
            below += n
            bars.append(
                Bar(
                    round((number + GAP / 2) * width, 3),
                    round(100 - 100 * below / top, 3),
                    round((1 - GAP) * width, 3),
                    round(100 * n / top, 3),
                    one.number,
                )
            )
    said = ", ".join(f"{one.name} {one.values[number]:,}" for one in series if one.values[number])
    return Column(f"{labels[number]}: {said or 'nothing'}", tuple(bars))


def scale(most: int) -> int:
    """The top of an axis for values up to `most`: even, so that its half is a whole number."""
    unit = 1
    while True:
        for digit in NICE:
            if digit * unit >= max(most, 2) and digit * unit % 2 == 0:
                return digit * unit
        unit *= 10
