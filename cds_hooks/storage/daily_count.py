"""The table of daily counts: adding to it, and reading a span of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, select

from cds_hooks.monitoring.daily_counts import Counted
from cds_hooks.storage.database import Database, StorageError
from cds_hooks.storage.insert import insert
from cds_hooks.storage.tables import daily_count

KEY = Counted._fields


class StoredCounts:
    """Adds to the table, for all workers and machines that share it."""

    def __init__(self, database: Database) -> None:
        inserted = insert(database.engine.dialect, daily_count)
        self._add = inserted.on_conflict_do_update(
            index_elements=KEY, set_={"n": daily_count.c.n + inserted.excluded.n}
        )
        self._database = database

    async def add(self, counts: Mapping[Counted, int]) -> bool:
        """Add to what is there, all of it or nothing.

        In one order everywhere: two processes with the same rows wait for each other instead of deadlocking.
        """
        rows = [counted._asdict() | {"n": n} for counted, n in sorted(counts.items())]
        try:
            async with self._database.transaction() as connection:
                await connection.execute(self._add, rows)
        except StorageError:
            return False
        return True


async def read_counts(database: Database, since: date) -> Sequence[Row[Any]]:
    """The rows from `since` on, oldest first. Raises StorageError."""
    wanted = (
        select(daily_count).where(daily_count.c.day >= since).order_by(*(daily_count.c[name] for name in KEY))
    )
    async with database.reading() as connection:
        return (await connection.execute(wanted)).all()
