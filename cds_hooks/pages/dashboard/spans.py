"""The span of time that is shown, and the days, weeks or months it is cut into."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

SPANS = (7, 30, 90, 365)
"""Days that can be chosen."""
USUAL = 30
DAILY, WEEKLY = 31, 180
"""Up to so many days a bar is a day, a week; beyond, a month."""
Step = Literal["day", "week", "month"]


class Span(NamedTuple):
    """From `since` to `until`, both included; UTC's days."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many days."""
        return (self.until - self.since).days + 1

    @property
    def step(self) -> Step:
        """What one bar stands for."""
        return "day" if self.days <= DAILY else "week" if self.days <= WEEKLY else "month"

    def start_of(self, day: date) -> date:
        """The first day of the step that `day` is in."""
        if self.step == "week":
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.step == "month" else day

    def steps(self) -> list[date]:
        """The first day of every step, also of those in which nothing happened."""
        return list(dict.fromkeys(map(self.start_of, self._every_day())))

    def _every_day(self) -> Iterator[date]:
        for number in range(self.days):
            yield self.since + timedelta(days=number)


def chosen(days: str | None, today: date) -> Span:
    """The span of an address's `days`; anything else than one of `SPANS` is the usual one."""
    number = int(days) if days and days in map(str, SPANS) else USUAL
    return Span(today - timedelta(days=number - 1), today)


def label(start: date, step: Step) -> str:
    """`3 Nov`, or `Nov 2026` for a month."""
    return f"{start:%b %Y}" if step == "month" else f"{start.day} {start:%b}"
