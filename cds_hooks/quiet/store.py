"""Which advice is quiet for which patient: a keyed digest of the patient, a topic, the situation then, the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Insert, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cds_hooks.quiet.situation import Situation
from cds_hooks.storage.database import Database
from cds_hooks.storage.insert import insert
from cds_hooks.storage.tables import overridden_advice as table


class Overridden(NamedTuple):
    """One piece of advice that does not apply to this patient, somebody said."""

    patient: str
    topic: str
    situation: Situation


async def remember(connection: AsyncConnection, found: Iterable[Overridden], since: datetime) -> None:
    """Keep what was overridden, the latest of each topic and patient; part of the caller's transaction."""
    rows = {
        (one.patient, one.topic): {
            "patient": one.patient,
            "topic": one.topic,
            "situation": one.situation.number,
            "since": since,
        }
        for one in found
    }
    if rows:
        await connection.execute(_upsert(connection), [rows[key] for key in sorted(rows)])


async def forget(connection: AsyncConnection, before: datetime) -> None:
    """Remove what has been quiet long enough; part of the caller's transaction."""
    await connection.execute(delete(table).where(table.c.since < before))


async def recall(database: Database, patient: str, after: datetime) -> Mapping[str, Situation]:
    """Topic -> the situation in which it was overridden, of what is quiet still. Raises StorageError."""
    wanted = select(table.c.topic, table.c.situation).where(
        table.c.patient == patient, table.c.since >= after
    )
    async with database.reading() as connection:
        return {topic: Situation.of_number(number) for topic, number in await connection.execute(wanted)}


def _upsert(connection: AsyncConnection) -> Insert:
    added = insert(connection.dialect, table)
    return added.on_conflict_do_update(
        index_elements=["patient", "topic"],
        set_={"situation": added.excluded.situation, "since": added.excluded.since},
    )
