"""The table of tokens that were seen, in the way that costs least with each kind of database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import delete, select

from cds_hooks.storage.database import BUSY_SECONDS, Database, StorageError
from cds_hooks.storage.direct import DirectConnection
from cds_hooks.storage.insert import insert
from cds_hooks.storage.tables import seen_token

MAX_BATCH = 500
ADD = "INSERT INTO seen_token (key, until) VALUES (?, ?) ON CONFLICT DO NOTHING"
FORGET = "DELETE FROM seen_token WHERE key IN (SELECT key FROM seen_token WHERE until < ? LIMIT ?)"


class SeenTokens(Protocol):
    """The table, for all processes that share the database."""

    async def add(self, key: str, until: int) -> bool:
        """Whether `key` was not there before; now it is. Of several at once only one is first. Raises StorageError."""
        ...

    async def forget(self, before: int, most: int) -> int:
        """Remove keys whose `until` is before that time, at most so many; their number. Raises StorageError."""
        ...


def seen_tokens(database: Database) -> SeenTokens:
    """The table in this database."""
    return FileTokens(database.direct) if database.direct else ServerTokens(database)


class FileTokens:
    """In a SQLite file: a statement each."""

    def __init__(self, connection: DirectConnection) -> None:
        self._connection = connection

    async def add(self, key: str, until: int) -> bool:
        return await self._connection.execute(ADD, key, until, seconds=BUSY_SECONDS) == 1

    async def forget(self, before: int, most: int) -> int:
        return await self._connection.execute(FORGET, before, most, seconds=BUSY_SECONDS)


class _Waiting(NamedTuple):
    key: str
    until: int
    is_new: asyncio.Future[bool]


class ServerTokens:
    """In PostgreSQL: keys that arrive while a statement is under way share the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = (
            insert(database.engine.dialect, seen_token).on_conflict_do_nothing().returning(seen_token.c.key)
        )
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, key: str, until: int) -> bool:
        waiting = _Waiting(key, until, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await waiting.is_new

    async def forget(self, before: int, most: int) -> int:
        expired = select(seen_token.c.key).where(seen_token.c.until < before).limit(most)
        async with self._database.transaction() as connection:
            return (
                await connection.execute(delete(seen_token).where(seen_token.c.key.in_(expired)))
            ).rowcount

    async def _write(self) -> None:
        """Write what waits, batch by batch. Whoever has gone away meanwhile gets no answer."""
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            try:
                new = await self._remember(batch)
            except StorageError as error:
                for waiting in batch:
                    if not waiting.is_new.done():
                        waiting.is_new.set_exception(error)
            else:
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
            return set(await connection.scalars(self._insert, rows))
