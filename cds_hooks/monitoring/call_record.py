"""What is known of the call being answered, for its log line and the counters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from cds_hooks.response import Card
from cds_hooks.site_rules import Withheld
from cds_hooks.triggers import trigger_label
from mappings.facts import DataGap

Operation = Literal["cards", "explain", "feedback"]


@dataclass(slots=True)
class CallRecord:
    """One call. `service` is the id of one of our services or `unknown`, whatever stood in the address."""

    request_id: str
    service: str
    operation: Operation
    status: int = 0
    """HTTP status; 0 while there is none, and for a client that went away before."""
    cards: Sequence[Card] = ()
    gaps: Sequence[DataGap] = ()
    outcomes: int | None = None
    """How many outcomes a feedback call reported."""
    withheld: Sequence[Withheld] = ()
    """What the site keeps back."""
    trigger: str = ""
    """What set the hook off, as a label."""
    caller: tuple[str, str] = ("", "")
    """Issuer and tenant of the verified token."""


CALL: ContextVar[CallRecord | None] = ContextVar("CALL", default=None)
"""The call that this task answers."""


def new_request_id() -> str:
    """32 random hexadecimal digits."""
    return os.urandom(16).hex()


def note_answer(cards: Sequence[Card], gaps: Sequence[DataGap], withheld: Sequence[Withheld] = ()) -> None:
    """What the call being answered gets, and what it does not."""
    if call := CALL.get():
        call.cards, call.gaps, call.withheld = cards, gaps, withheld


def note_trigger(number: str) -> None:
    """What set off the hook being answered."""
    if call := CALL.get():
        call.trigger = trigger_label(number)


def note_outcomes(number: int) -> None:
    """How many outcomes the feedback being answered reported."""
    if call := CALL.get():
        call.outcomes = number
