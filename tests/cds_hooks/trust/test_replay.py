"""No token counts twice: not in this process, not in another one, not while the database is away."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cds_hooks.storage.database import Database
from cds_hooks.storage.tables import seen_token
from cds_hooks.trust import replay
from cds_hooks.trust.replay import DatabaseReplayStore, MemoryReplayStore, digest

ISSUER = "https://ehr.example"
RACE = """
import asyncio, sys, time
from cds_hooks.storage.database import Database
from cds_hooks.trust.replay import DatabaseReplayStore

async def main(url, count):
    database = Database(url)
    store = DatabaseReplayStore(database)
    asked = [store.seen("https://ehr.example", f"jti-{n}", time.time() + 60) for n in range(count)]
    print("".join("0" if seen else "1" for seen in await asyncio.gather(*asked)))
    await database.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def with_database(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def run() -> None:
        database = Database(url)
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(run())


async def rows(database: Database) -> int:
    async with database.reading() as connection:
        return (await connection.scalars(select(func.count()).select_from(seen_token))).one()


def test_memory_sees_the_second_use() -> None:
    store = MemoryReplayStore()
    assert not asyncio.run(store.seen(ISSUER, "a", 1))
    assert asyncio.run(store.seen(ISSUER, "a", 1))
    assert not asyncio.run(store.seen(ISSUER + "/", "a", 1))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MAX_REMEMBERED", 2)
    store = MemoryReplayStore()
    assert [store.add(key) for key in ("a", "b", "c", "b", "a")] == [True, True, True, False, True]


def test_issuer_and_jti_cannot_be_shifted_into_each_other() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert len(digest("https://ehr.example", "\x00'; DROP TABLE seen_token; --")) == 64


def test_another_worker_sees_it(database_url: str) -> None:
    async def work(database: Database) -> None:
        first, second = DatabaseReplayStore(database), DatabaseReplayStore(database)
        until = time.time() + 60
        assert not await first.seen(ISSUER, "a", until)
        assert await first.seen(ISSUER, "a", until)
        assert await second.seen(ISSUER, "a", until)
        assert not await second.seen(ISSUER, "b", until)

    with_database(database_url, work)


def test_of_10_000_simultaneous_replays_none_is_accepted(database_url: str) -> None:
    async def work(database: Database) -> None:
        stores = [DatabaseReplayStore(database) for _ in range(2)]
        until = time.time() + 60
        asked = [store.seen(ISSUER, f"jti-{n % 500}", until) for store in stores for n in range(5_250)]
        answers = await asyncio.gather(*asked)
        assert answers.count(False) == 500
        assert answers.count(True) == 10_000

    with_database(database_url, work)


def test_two_processes_on_one_file_accept_each_token_once(database_url: str, root: Path) -> None:
    command = [sys.executable, "-c", RACE, database_url, "2000"]
    racing = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (process.communicate(timeout=60)[0].strip() for process in racing)
    assert [process.returncode for process in racing] == [0, 0]
    assert len(first) == len(second) == 2000
    assert all({one, other} == {"0", "1"} for one, other in zip(first, second, strict=True))


def test_what_expired_is_forgotten_a_minute_later(database_url: str) -> None:
    now = 1_000_000.0

    async def work(database: Database) -> None:
        nonlocal now
        store = DatabaseReplayStore(database, clock=lambda: now)
        await store.seen(ISSUER, "soon", now + 10)
        await store.seen(ISSUER, "later", now + 100)
        now += 65
        await store.seen(ISSUER, "x", now + 1_000)
        assert await rows(database) == 3  # expired 55 seconds ago: the clock of another machine may be behind
        now += 65
        await store.seen(ISSUER, "y", now + 1_000)
        assert await rows(database) == 3  # without `soon`
        assert await DatabaseReplayStore(database, clock=lambda: now).seen(ISSUER, "later", now)

    with_database(database_url, work)


def test_of_much_that_expired_each_call_forgets_a_part(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(replay, "MAX_PURGED", 2)

    async def work(database: Database) -> None:
        nonlocal now
        store = DatabaseReplayStore(database, clock=lambda: now)
        for number in range(5):
            await store.seen(ISSUER, f"{number}", now)
        now += 61
        left = []
        for number in range(4):
            await store.seen(ISSUER, f"new {number}", now + 1_000)
            left.append(await rows(database))
        assert left == [4, 3, 3, 4]

    with_database(database_url, work)


def test_a_failure_to_forget_makes_no_used_token_new(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0

    async def work(database: Database) -> None:
        nonlocal now
        first, second = (DatabaseReplayStore(database, clock=lambda: now) for _ in range(2))
        assert not await first.seen(ISSUER, "a", now + 1_000)
        now += 61
        monkeypatch.setattr(replay, "MAX_PURGED", 2**70)  # no database takes such a number
        assert await second.seen(ISSUER, "a", now + 1_000)

    with_database(database_url, work)


def test_without_a_database_this_process_still_remembers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1_000.0

    async def work(database: Database) -> None:
        nonlocal now
        store = DatabaseReplayStore(database, clock=lambda: now)
        assert not await store.seen(ISSUER, "canary-7f3a", now)
        assert await store.seen(ISSUER, "canary-7f3a", now)
        assert not await store.seen(ISSUER, "b", now)
        assert caplog.text.count("would not be noticed") == 1
        (tmp_path / "folder").mkdir()
        now += replay.RETRY_SECONDS
        assert not await store.seen(ISSUER, "c", now)
        assert await rows(database) == 1

    with_database(f"sqlite:///{tmp_path / 'folder' / 'service.db'}", work)
    assert "canary" not in caplog.text


def test_a_caller_that_goes_away_leaves_the_others_an_answer(database_url: str) -> None:
    async def work(database: Database) -> None:
        store = DatabaseReplayStore(database)
        asked = [asyncio.create_task(store.seen(ISSUER, f"{n}", time.time())) for n in range(3)]
        await asyncio.sleep(0)
        asked[1].cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [answers[0], answers[2]] == [False, False]
        assert isinstance(answers[1], asyncio.CancelledError)

    with_database(database_url, work)
