"""Every token counts once: what was seen is remembered until it has expired (CDS Hooks best practices, `jti`)."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable
from typing import Protocol

from cds_hooks.storage.database import Database, StorageError
from cds_hooks.storage.seen_tokens import seen_tokens

logger = logging.getLogger("twitching_cds")
MAX_REMEMBERED = 100_000
PURGE_SECONDS = 60.0
MAX_PURGED = 100
"""How many are forgotten in the time of one call: less than a millisecond."""
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
        self._recent: set[str] = set()
        self._before: set[str] = set()

    async def seen(self, issuer: str, jti: str, until: float) -> bool:  # noqa: ARG002 - the oldest go first, whatever it says
        return not self.add(digest(issuer, jti))

    def add(self, key: str) -> bool:
        """Remember `key`; False if it already was. When there are too many, the older half is forgotten."""
        if key in self._recent or key in self._before:
            return False
        if len(self._recent) >= MAX_REMEMBERED // 2:
            self._before, self._recent = self._recent, set()
        self._recent.add(key)
        return True


class DatabaseReplayStore:
    """Remembers in a database, for all workers and machines that share it.

    While the database fails, tokens are remembered by this process alone: a stolen token could then be used once per
    worker, whereas refusing every call would take the advice from every patient.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._tokens = seen_tokens(database)
        self._clock = clock
        self._memory = MemoryReplayStore()
        self._purged_at = clock()
        self._failed_at = float("-inf")

    async def seen(self, issuer: str, jti: str, until: float) -> bool:
        key = digest(issuer, jti)
        if not self._memory.add(key):
            return True
        if self._failed():
            return False
        is_new = True
        try:
            is_new = await self._tokens.add(key, math.ceil(until))
            await self._purge()
        except StorageError:
            if not self._failed():
                logger.error("a token replayed to another process would not be noticed now")  # noqa: TRY400 - the database has said why
            self._failed_at = self._clock()
        return not is_new

    def _failed(self) -> bool:
        return self._clock() - self._failed_at < RETRY_SECONDS

    async def _purge(self) -> None:
        """Forget some of what has expired, from time to time: at once with each call until nothing is left.

        What expired less than a minute ago stays: the clock of another machine may be behind.
        """
        now = self._clock()
        if (
            now - self._purged_at >= PURGE_SECONDS
            and await self._tokens.forget(int(now - PURGE_SECONDS), MAX_PURGED) < MAX_PURGED
        ):
            self._purged_at = now


def digest(issuer: str, jti: str) -> str:
    """What stands for a token in a store: nothing can be read from it."""
    return hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode()).hexdigest()
