"""Rules about feedback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from cds_hooks.validation.findings import quoted
from cds_hooks.validation.rule import Rule, Violation, text
from cds_hooks.validation.walk import Node

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]")


def _day_is_in_the_calendar(node: Node) -> Iterator[Violation]:
    given = text(node.value, "outcomeTimestamp")
    day = _DATE.match(given)
    if day:
        try:
            date(*map(int, day.groups()))
        except ValueError:
            problem = f"{quoted(given)} is no day of the calendar."
            yield Violation(("outcomeTimestamp",), problem, "Send the time when the user acted.")


def _reason_says_something(node: Node) -> Iterator[Violation]:
    if not ("reason" in node.value or "userComment" in node.value):
        problem = "`overrideReason` has neither reason nor userComment."
        yield Violation(("reason",), problem, "Send one of them, or leave out overrideReason.")


RULES = (
    Rule("outcome", "error", ("cds-hooks_2.0@161",), _day_is_in_the_calendar),
    Rule("feedbackReason", "warning", ("cds-fb-3",), _reason_says_something),
)
