"""One database of either kind: brought up to date, durable, away for a while and back again."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from cds_hooks.storage import migrate
from cds_hooks.storage.database import Database, DatabaseUrlError, StorageError, create_engine
from cds_hooks.storage.tables import metadata

Using = Callable[[str, Callable[[Database], Awaitable[Any]]], Any]


async def upgraded(database: Database) -> None:
    await database.upgrade()


async def write(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("INSERT INTO seen_token (key, until) VALUES ('k', 1)"))


async def count(database: Database) -> int:
    async with database.reading() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM seen_token")) or 0)


class TestUrls:
    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            ("", "write sqlite:///FILE"),
            ("secret-7f3a", "write sqlite:///FILE"),
            ("mysql://u:secret-7f3a@db/x", "other databases are not supported"),
            ("postgresql+psycopg://u:secret-7f3a@db/x", "other databases are not supported"),
            ("sqlite://", "name a file"),
            ("sqlite:///:memory:", "name a file"),
            ("sqlite://secret-7f3a/x", "name a file"),
            ("postgresql://u:secret-7f3a@db:port/x", "write sqlite:///FILE"),
        ],
    )
    def test_one_that_cannot_be_used_is_explained_without_repeating_it(self, url: str, problem: str) -> None:
        with pytest.raises(DatabaseUrlError) as caught:
            create_engine(url)
        assert problem in str(caught.value)
        assert "secret-7f3a" not in str(caught.value)

    @pytest.mark.parametrize(
        ("url", "driver"),
        [
            ("sqlite:///f.sqlite3", "sqlite+aiosqlite"),
            ("sqlite+aiosqlite:////var/f", "sqlite+aiosqlite"),
            ("postgresql://u@h/n", "postgresql+asyncpg"),
            ("postgres://u@h/n", "postgresql+asyncpg"),
        ],
    )
    def test_the_driver_is_ours(self, url: str, driver: str) -> None:
        engine = create_engine(url)
        assert engine.url.drivername == driver
        assert engine.sync_engine.hide_parameters

    def test_postgresql_without_its_driver_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cds_hooks.storage.database.find_spec", lambda _: None)
        with pytest.raises(DatabaseUrlError, match=r"pip install 'twitching-cds\[postgres\]'"):
            create_engine("postgresql://u@h/n")


class TestMigrations:
    def test_they_make_exactly_the_tables_that_are_declared(self, using: Using, database_url: str) -> None:
        def differences(connection: Connection) -> list[Any]:
            context = MigrationContext.configure(connection, opts={"compare_server_default": True})
            return list(compare_metadata(context, metadata))

        async def compare(database: Database) -> list[Any]:
            async with database.transaction() as connection:
                return await connection.run_sync(differences)

        assert using(database_url, compare) == []

    def test_they_are_one_line_that_ends_at_the_newest(self) -> None:
        script = ScriptDirectory(str(Path(migrate.__file__).with_name("migrations")))
        assert script.get_heads() == [migrate.HEAD]
        revisions = [step.revision for step in script.walk_revisions()]
        assert revisions == sorted(revisions, reverse=True)  # `is_current` compares them as text

    def test_running_them_again_changes_nothing(self, using: Using, database_url: str) -> None:
        using(database_url, write)
        using(database_url, upgraded)
        assert using(database_url, count) == 1

    def test_whoever_waited_for_another_has_nothing_left_to_do(self, using: Using, database_url: str) -> None:
        async def again(database: Database) -> None:
            await database.upgrade()
            async with database.transaction() as connection:
                await connection.run_sync(migrate.upgrade)

        using(database_url, again)

    def test_a_database_of_a_newer_version_is_used_as_it_is(self, using: Using, database_url: str) -> None:
        async def from_the_future(database: Database) -> None:
            async with database.transaction() as connection:
                await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        using(database_url, from_the_future)
        using(database_url, write)
        assert using(database_url, count) == 1

    def test_processes_that_start_together_do_not_disturb_each_other(
        self, using: Using, database_url: str, root: Path
    ) -> None:
        command = [sys.executable, "-m", "cds_hooks.cli", "database", "upgrade"]
        environment = os.environ | {"PYTHONPATH": str(root), "TWITCHING_CDS_DATABASE_URL": database_url}
        started = [
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for _ in range(3)
        ]
        said = [process.communicate(timeout=60)[0].decode() for process in started]
        assert said == [f"The database is up to date (revision {migrate.HEAD}).\n"] * 3
        using(database_url, write)


class TestTransactions:
    def test_an_error_inside_stores_nothing(
        self, using: Using, database_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def fail(database: Database) -> None:
            async with database.transaction() as connection:
                await connection.execute(text("INSERT INTO seen_token (key, until) VALUES ('k', 1)"))
                raise ValueError("canary-7f3a")

        with caplog.at_level(logging.ERROR), pytest.raises(StorageError, match="ValueError"):
            using(database_url, fail)
        assert "canary-7f3a" not in caplog.text
        assert "ValueError at test_database.py" in caplog.text
        assert using(database_url, count) == 0

    def test_a_refused_row_is_not_repeated_in_the_log(
        self, using: Using, database_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def twice(database: Database) -> None:
            async with database.transaction() as connection:
                statement = text("INSERT INTO seen_token (key, until) VALUES (:key, 1)")
                await connection.execute(statement, [{"key": "canary-7f3a"}] * 2)

        with caplog.at_level(logging.INFO), pytest.raises(StorageError):
            using(database_url, twice)
        assert "canary-7f3a" not in caplog.text
        assert "IntegrityError" in caplog.text or "UniqueViolation" in caplog.text

    def test_readers_do_not_wait_for_a_writer(self, using: Using, database_url: str) -> None:
        async def both(database: Database) -> int:
            other = Database(database_url)
            try:
                async with database.transaction() as connection:
                    await connection.execute(text("INSERT INTO seen_token (key, until) VALUES ('k', 1)"))
                    async with asyncio.timeout(30):
                        return await count(other)
            finally:
                await other.close()

        using(database_url, upgraded)
        assert using(database_url, both) == 0

    def test_many_writers_in_several_processes_all_get_through(
        self, using: Using, database_url: str, root: Path
    ) -> None:
        code = """
import asyncio, sys
from sqlalchemy import text
from cds_hooks.storage.database import Database
async def one(database, key):
    async with database.transaction() as connection:
        await connection.execute(text("INSERT INTO seen_token (key, until) VALUES (:k, 1)"), {"k": key})
async def main():
    database = Database(sys.argv[1])
    await asyncio.gather(*(one(database, f"{sys.argv[2]}-{i}") for i in range(50)))
    await database.close()
asyncio.run(main())
"""
        using(database_url, upgraded)
        environment = os.environ | {"PYTHONPATH": str(root)}
        started = [
            subprocess.Popen([sys.executable, "-c", code, database_url, str(i)], env=environment)
            for i in range(2)
        ]
        assert [process.wait(timeout=60) for process in started] == [0, 0]
        assert using(database_url, count) == 100

    def test_sqlite_commits_are_on_the_disk(self, using: Using, tmp_path: Path) -> None:
        async def pragmas(database: Database) -> list[Any]:
            async with database.reading() as connection:
                names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
                return [await connection.scalar(text(f"PRAGMA {name}")) for name in names]

        full = 2
        found = using(f"sqlite:///{tmp_path / 'f.sqlite3'}", pragmas)
        assert found == ["wal", full, 1, 2000]
