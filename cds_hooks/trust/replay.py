"""Every token counts once: what was seen is remembered until it has expired (CDS Hooks best practices, `jti`)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from cds_hooks.storage.database import Database, StorageError
from cds_hooks.storage.tables import seen_token

logger = logging.getLogger("twitching_cds")
MAX_REMEMBERED = 100_000
MAX_BATCH = 500
PURGE_SECONDS = 60.0
RETRY_SECONDS = 5.0
"""How long the database is left alone after it failed."""


class ReplayStore(Protocol):
    """Remembers tokens."""

    async def seen(self, issuer: str, jti: str, until: float) -> bool:
        """Whether this token was seen before; from now on it is, until `until` (seconds since 1970)."""
        ...


class MemoryReplayStore:
    """Remembers within one process: for tests, and for the time that the database does not answer."""

    def __init__(self) -> None:
        self._keys: dict[str, None] = {}

    async def seen(self, issuer: str, jti: str, until: float) -> bool:  # noqa: ARG002 - the oldest goes first, whatever it says
        return not self.add(digest(issuer, jti))

    def add(self, key: str) -> bool:
        """Remember `key`; False if it already was. The oldest is forgotten when there are too many."""
        if key in self._keys:
            return False
        if len(self._keys) >= MAX_REMEMBERED:
            del self._keys[next(iter(self._keys))]
        self._keys[key] = None
        return True


class _Waiting(NamedTuple):
    key: str
    until: int
    is_new: asyncio.Future[bool]


class DatabaseReplayStore:
    """Remembers in a database, for all workers and machines that share it.

    Calls that arrive while a statement is under way share the next one. While the database fails, tokens are
    remembered by this process alone: a stolen token could then be used once per worker, whereas refusing every call
    would take the advice from every patient.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        dialect = sqlite if database.engine.dialect.name == "sqlite" else postgresql
        self._insert = dialect.insert(seen_token).on_conflict_do_nothing().returning(seen_token.c.key)
        self._database = database
        self._clock = clock
        self._memory = MemoryReplayStore()
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._purged_at = clock()
        self._failed_at = float("-inf")

    async def seen(self, issuer: str, jti: str, until: float) -> bool:
        key = digest(issuer, jti)
        if not self._memory.add(key):
            return True
        if self._clock() - self._failed_at < RETRY_SECONDS:
            return False
        waiting = _Waiting(key, math.ceil(until), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return not await waiting.is_new

    async def _write(self) -> None:
        """Write what waits, batch by batch, and now and then forget what has expired."""
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            try:
                new = await self._remember(batch)
            except StorageError:
                self._failed_at = self._clock()
                logger.error("a token replayed to another process would not be noticed now")  # noqa: TRY400 - the database has said why
                new = {waiting.key for waiting in batch}
            for waiting in batch:
                if not waiting.is_new.done():
                    waiting.is_new.set_result(waiting.key in new)

    async def _remember(self, batch: Sequence[_Waiting]) -> set[str]:
        """The keys that were not there before. Raises StorageError.

        One statement, so that of two processes only one can be first; sorted, so that two processes with the same keys
        wait for each other in the same order.
        """
        rows = [
            {"key": waiting.key, "until": waiting.until} for waiting in sorted(batch, key=lambda w: w.key)
        ]
        async with self._database.transaction() as connection:
            new = set(await connection.scalars(self._insert, rows))
            now = self._clock()
            if now - self._purged_at >= PURGE_SECONDS:
                self._purged_at = now
                # What expired less than a minute ago stays: the clock of another machine may be behind.
                await connection.execute(delete(seen_token).where(seen_token.c.until < now - PURGE_SECONDS))
        return new


def digest(issuer: str, jti: str) -> str:
    """What stands for a token in a store: nothing can be read from it."""
    return hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode()).hexdigest()
