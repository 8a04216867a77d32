"""The key sets of the registered clients, cached: each is read seldom, and only once however many calls wait for it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from cds_hooks.addresses import parse
from cds_hooks.trust.key_source import FetchError, KeySource
from cds_hooks.trust.keys import Key, KeyId, KeySetError, read_key_set

logger = logging.getLogger("twitching_cds")
FRESH_SECONDS = 600.0
"""How long a key set is used without asking again: a withdrawn key works for this long at most."""
STALE_SECONDS = 24 * 3_600.0
"""How long a key set is used while its server does not answer. A night's outage there must not silence the advice here;
a key known to be stolen is withdrawn at once by taking its client out of the settings."""
COOLDOWN_SECONDS = 10.0
"""The least time between two attempts for one key set, whatever ids are asked for."""

Fetch = Callable[[KeySource], Awaitable[bytes]]


class _KeySet:
    """One key set, with when it was last read and last tried (seconds of a monotonic clock)."""

    def __init__(self) -> None:
        self.keys: Mapping[KeyId, Key] = {}
        self.read_at = float("-inf")
        self.tried_at = float("-inf")
        self.attempt: asyncio.Task[None] | None = None


class KeySets:
    """The cached key sets by where they are. `fetch` raises FetchError."""

    def __init__(
        self, fetch: Fetch, *, public_test: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._public_test = public_test
        self._clock = clock
        self._sets: dict[KeySource, _KeySet] = {}

    async def find(self, source: KeySource, identifier: KeyId) -> Key | None:
        """The key of this id in the key set of `source`, or None.

        An unknown id has the set fetched again, because keys rotate. A known key of a set that is no longer fresh is
        given at once while the set is fetched in the background.
        """
        held = self._sets.setdefault(source, _KeySet())
        key = self._usable(held, identifier)
        fresh = self._clock() - held.read_at < FRESH_SECONDS
        if key is not None and fresh:
            return key
        attempt = self._refresh(source, held)
        if key is not None or attempt is None:
            return key
        await asyncio.shield(attempt)  # one impatient caller must not end the wait of the others
        return self._usable(held, identifier)

    def _usable(self, held: _KeySet, identifier: KeyId) -> Key | None:
        return held.keys.get(identifier) if self._clock() - held.read_at < STALE_SECONDS else None

    def _refresh(self, source: KeySource, held: _KeySet) -> asyncio.Task[None] | None:
        """The attempt under way, or a new one unless the last was a moment ago."""
        if held.attempt is None or held.attempt.done():
            if self._clock() - held.tried_at < COOLDOWN_SECONDS:
                return None
            held.tried_at = self._clock()
            held.attempt = asyncio.create_task(self._read(source, held))
        return held.attempt

    async def _read(self, source: KeySource, held: _KeySet) -> None:
        """Fetch one key set; the one held before stays if that fails."""
        try:
            held.keys = read_key_set(await self._fetch(source), public_test=self._public_test)
            held.read_at = self._clock()
        except (FetchError, KeySetError) as error:
            logger.warning("the key set of %s could not be read: %s", named(source), error)


def named(source: KeySource) -> str:
    """A key set's host or file name, for a log."""
    if isinstance(source, Path):
        return source.name
    return "the settings" if isinstance(source, bytes) else parse(source).host
