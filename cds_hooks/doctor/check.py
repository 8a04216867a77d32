"""What a check is: the examination calls every one that is listed in `checks.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cds_hooks.doctor.finding import Finding
from cds_hooks.doctor.visits import Visits
from cds_hooks.settings import Settings


@dataclass(frozen=True)
class Case:
    """One installation under examination."""

    settings: Settings
    token: bytes | None = None
    """A token to be explained."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    visits: Visits = field(default_factory=Visits)


Check = Callable[[Case], Awaitable[list[Finding]]]
"""Looks at one side of the installation. It may fail: the examination then says so and goes on."""
