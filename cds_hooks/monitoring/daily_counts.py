"""Counts per day for the dashboard: added up in memory, written to the database every few seconds, never on a call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple, Protocol

from cds_hooks.monitoring.call_record import CallRecord
from cds_hooks.services import SERVICES
from mappings.knowledge import Knowledge

FLUSH_SECONDS = 10.0
"""What a process that is killed has not written yet is lost; one that is stopped writes it first."""
CLOSE_SECONDS = 3.0
"""How long stopping waits for a database that does not answer."""
OTHER = "other"
Measure = Literal["calls", "cards", "gaps"]


class Counted(NamedTuple):
    """What is counted. Every part is a word of ours, never of a caller.

    `calls`: operation and result; `cards`: topic and indicator; `gaps`: reason, and what is missing because of it.
    """

    day: date
    measure: Measure
    service: str
    kind: str
    detail: str


class Keeper(Protocol):
    """Where counts are kept."""

    async def add(self, counts: Mapping[Counted, int]) -> bool:
        """Add to what is there; False, and nothing added, when that cannot be done now."""
        ...


class DailyCounts:
    """The counts of one process since they were last written. Days are UTC's."""

    def __init__(
        self, missing: Iterable[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """`missing`: what a gap can be about (see `gap_names`); anything else is counted as `other`."""
        self._missing = frozenset(missing)
        self._now = now
        self._counts: Counter[Counted] = Counter()
        self._writing = asyncio.Lock()

    def count_call(self, call: CallRecord) -> None:
        """Count one answered call; a few microseconds, because it is on the hot path."""
        counts, day, service = self._counts, self._now().date(), call.service
        counts[Counted(day, "calls", service, call.operation, _result(call))] += 1
        for card in call.cards:
            counts[Counted(day, "cards", service, card.source.topic.code, card.indicator)] += 1
        for gap in call.gaps:
            what = gap.what if gap.what in self._missing else OTHER
            counts[Counted(day, "gaps", service, gap.reason, what)] += 1

    async def flush(self, keeper: Keeper) -> bool:
        """Write what there is; it is kept for the next time if that fails. Whether all is written."""
        async with self._writing:
            written, self._counts = self._counts, Counter()
            try:
                if not written or await keeper.add(written):
                    return True
            except asyncio.CancelledError:
                self._counts.update(written)
                raise
            self._counts.update(written)
            return False

    async def keep_flushing(self, keeper: Keeper, seconds: float = FLUSH_SECONDS) -> None:
        """Flush every so often until cancelled; less often while it fails."""
        wait = seconds
        while True:
            await asyncio.sleep(wait)
            wait = seconds if await self.flush(keeper) else min(wait * 2, 30 * seconds)

    async def close(self, keeper: Keeper, task: asyncio.Task[None]) -> None:
        """End the task and write what is left, if that takes no longer than `CLOSE_SECONDS`."""
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.flush(keeper)


def gap_names(knowledge: Knowledge) -> frozenset[str]:
    """What can be named as missing: analytes, medicines, and the kinds of resources that are asked for."""
    asked = {prefetch.resource_type for service in SERVICES for prefetch in service.prefetch.values()}
    return frozenset({*knowledge.analytes, knowledge.calcium.id, "medication", *asked})


def _result(call: CallRecord) -> str:
    """What became of a call: `cards`, `silent`, `answered` (not a call for cards), `refused`, `failed`, `gone`."""
    if call.status == 200:
        if call.operation != "cards":
            return "answered"
        return "cards" if call.cards else "silent"
    if not call.status:
        return "gone"
    return "failed" if call.status >= 500 else "refused"
