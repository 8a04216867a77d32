"""Whether a database could store something now, and what becomes of one that was away, removed or restored."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from cds_hooks.storage import database
from cds_hooks.storage.database import Database, StorageError
from cds_hooks.storage.tables import feedback, metadata, seen_token

Using = Callable[[str, Callable[[Database], Awaitable[Any]]], Any]


async def upgraded(database: Database) -> None:
    await database.upgrade()


async def write(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(seen_token.insert(), {"key": "k", "until": 1})


async def count(database: Database) -> int:
    async with database.reading() as connection:
        return len((await connection.execute(select(seen_token))).all())


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may need longer to make the tables than an answer about readiness may take."""
    monkeypatch.setattr(database, "CHECK_SECONDS", 60)


class TestReadiness:
    @pytest.mark.usefixtures("_patient")
    def test_ready(self, using: Using, database_url: str) -> None:
        async def twice(database: Database) -> list[bool]:
            return [await database.ready(), await database.ready()]

        assert using(database_url, twice) == [True, True]

    @pytest.mark.usefixtures("_patient")
    def test_a_missing_folder_is_noticed_and_so_is_its_return(self, using: Using, tmp_path: Path) -> None:
        folder = tmp_path / "later"

        async def use(database: Database) -> list[bool]:
            before = await database.ready()
            folder.mkdir()
            return [before, await database.ready()]

        assert using(f"sqlite:///{folder / 'f.sqlite3'}", use) == [False, True]

    def test_a_locked_file_is_noticed_in_time_and_so_is_its_release(
        self, using: Using, tmp_path: Path
    ) -> None:
        path = tmp_path / "f.sqlite3"
        using(f"sqlite:///{path}", upgraded)
        locker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

        async def use(database: Database) -> list[bool]:
            locker.execute("BEGIN EXCLUSIVE")
            loop = asyncio.get_running_loop()
            took = []
            for _ in range(3):
                began = loop.time()
                locked = await database.ready()
                took.append(loop.time() - began)
            assert min(took) < 1.5, "it waits for the lock, every time"
            locker.execute("ROLLBACK")
            async with asyncio.timeout(60):
                while not await database.ready():
                    pass
            return [locked, await database.ready()]

        assert using(f"sqlite:///{path}", use) == [False, True]
        locker.close()

    def test_a_file_that_is_not_a_database(self, using: Using, tmp_path: Path) -> None:
        path = tmp_path / "f.sqlite3"
        path.write_text("not a database, but long enough to be taken for the header of one " * 10)
        assert using(f"sqlite:///{path}", Database.ready) is False

    def test_a_server_that_is_not_there(self, using: Using) -> None:
        assert using("postgresql://u@127.0.0.1:1/n", Database.ready) is False

    def test_closing_waits_for_a_check_that_is_under_way(self, using: Using, tmp_path: Path) -> None:
        path = tmp_path / "f.sqlite3"
        using(f"sqlite:///{path}", upgraded)
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("BEGIN EXCLUSIVE")
        assert using(f"sqlite:///{path}", Database.ready) is False
        locker.close()

    @pytest.mark.usefixtures("_patient")
    def test_a_failed_commit_is_remembered_until_one_succeeds(self, using: Using, database_url: str) -> None:
        async def use(database: Database) -> list[bool]:
            await write(database)
            with pytest.raises(StorageError):
                await write(database)  # the same key
            doubtful = await database.ready()
            async with database.transaction():
                pass
            return [doubtful, await database.ready()]

        assert using(database_url, use) == [False, True]

    def test_checking_writes_nothing(self, using: Using, database_url: str) -> None:
        async def rows(database: Database) -> int:
            await database.ready()
            async with database.reading() as connection:
                return len((await connection.execute(select(feedback))).all())

        assert using(database_url, rows) == 0


class TestRemoval:
    """What is written into a file that was removed is gone with it, so it is not written there."""

    def test_a_removed_file_is_made_anew(self, using: Using, tmp_path: Path) -> None:
        path = tmp_path / "f.sqlite3"

        async def use(database: Database) -> None:
            await write(database)
            path.unlink()
            await write(database)

        using(f"sqlite:///{path}", use)
        assert using(f"sqlite:///{path}", count) == 1

    def test_a_restored_file_is_opened_anew(self, using: Using, tmp_path: Path) -> None:
        path, backup = tmp_path / "f.sqlite3", tmp_path / "backup.sqlite3"
        using(f"sqlite:///{backup}", upgraded)

        async def use(database: Database) -> int:
            await write(database)
            for name in ("f.sqlite3-wal", "f.sqlite3-shm"):
                (tmp_path / name).unlink()
            backup.rename(path)
            return await count(database)

        assert using(f"sqlite:///{path}", use) == 0

    def test_tables_that_were_dropped_are_made_anew_after_one_failure(
        self, using: Using, database_url: str
    ) -> None:
        async def use(database: Database) -> int:
            await write(database)
            async with database.engine.begin() as connection:
                await connection.run_sync(metadata.drop_all)
                await connection.execute(text("DROP TABLE alembic_version"))
            with pytest.raises(StorageError):
                await write(database)
            await write(database)
            return await count(database)

        assert using(database_url, use) == 1
