"""What is kept about overridden advice, in each kind of database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from cds_hooks.quiet.keys import Keys, Note
from cds_hooks.quiet.situation import Situation
from cds_hooks.quiet.store import Overridden, forget, recall, remember
from cds_hooks.storage.database import Database

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MILD, GRAVE = Situation(1, 5, 0), Situation(2, 2, 77)


def test_the_latest_of_each_topic_until_its_time_is_over(database_url: str) -> None:
    async def use() -> list[object]:
        database = Database(database_url)
        found: list[object] = []
        async with database.transaction() as connection:
            await remember(connection, [Overridden("a", "t", MILD), Overridden("b", "t", MILD)], NOW)
        async with database.transaction() as connection:
            await remember(connection, [Overridden("a", "t", GRAVE)], NOW + timedelta(days=2))
        found += [await recall(database, "a", NOW), await recall(database, "b", NOW + timedelta(days=1))]
        async with database.transaction() as connection:
            await forget(connection, NOW + timedelta(days=1))
        found += [await recall(database, "b", NOW), await recall(database, "a", NOW)]
        await database.close()
        return found

    assert asyncio.run(use()) == [{"t": GRAVE}, {}, {}, {"t": GRAVE}]


def test_a_note_in_an_identifier_is_read_with_the_same_secret_only() -> None:
    from cds_hooks.advice_id import new_id

    keys = Keys("s" * 32)
    note = Note(keys.patient("issuer", "p-1"), GRAVE)
    identifier = new_id("topic:twitching-tests", keys.sealed(note))
    assert keys.opened(identifier) == note
    assert Keys("t" * 32).opened(identifier) != note
    assert keys.opened("of another service") is None


def test_parts_of_a_patients_key_do_not_run_together() -> None:
    keys = Keys("s" * 32)
    assert keys.patient("a", "bc") != keys.patient("ab", "c")
