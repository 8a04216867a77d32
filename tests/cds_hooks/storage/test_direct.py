"""The short way to a SQLite file: seen by everybody at once, never waiting in the event loop's place."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.storage.database import Database, StorageError
from cds_hooks.storage.direct import DirectConnection

Using = Callable[[str, Callable[[Database], Awaitable[Any]]], Any]
ADD = "INSERT INTO seen_token VALUES (?, 1) ON CONFLICT DO NOTHING"
DIES = """
import asyncio, os, signal, sys
from cds_hooks.storage.database import Database

async def main(url):
    await Database(url).direct.execute("INSERT INTO seen_token VALUES ('k', 1)", seconds=2)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "f.sqlite3"


@pytest.fixture
def locker(path: Path, using: Using) -> Iterator[sqlite3.Connection]:
    """Another connection, which can hold the file's one write lock."""
    using(f"sqlite:///{path}", Database.upgrade)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    yield connection
    connection.close()


def direct(database: Database) -> DirectConnection:
    assert database.direct is not None
    return database.direct


def keys(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    found = [key for (key,) in connection.execute("SELECT key FROM seen_token ORDER BY key")]
    connection.close()
    return found


def test_says_how_many_rows_it_changed_and_others_see_them(path: Path, using: Using) -> None:
    async def use(database: Database) -> list[int]:
        changed = [await direct(database).execute(ADD, key, seconds=1) for key in ("a", "a", "b")]
        assert keys(path) == ["a", "b"]
        return changed

    assert using(f"sqlite:///{path}", use) == [1, 0, 1]


def test_postgresql_has_none(using: Using) -> None:
    async def use(database: Database) -> bool:
        return database.direct is None

    assert using("postgresql://u@127.0.0.1:1/n", use)


def test_what_was_committed_outlives_a_killed_process(path: Path, root: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", DIES, f"sqlite:///{path}"], cwd=root, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert keys(path) == ["k"]


def test_it_syncs_before_a_checkpoint_and_leaves_that_to_the_others(path: Path, using: Using) -> None:
    async def use(database: Database) -> list[int]:
        await direct(database).execute(ADD, "a", seconds=1)
        connection = direct(database)._opened()  # noqa: SLF001 - a connection alone knows its settings
        return [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "wal_autocheckpoint", "busy_timeout")
        ]

    normal = 1  # less could damage the file when the power fails
    assert using(f"sqlite:///{path}", use) == [normal, 0, 0]


def test_others_are_served_while_it_waits_for_a_writer(
    path: Path, locker: sqlite3.Connection, using: Using
) -> None:
    async def use(database: Database) -> None:
        await direct(database).execute(ADD, "a", seconds=1)
        locker.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(direct(database).execute(ADD, "b", seconds=30))
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert not waiting.done()
        locker.execute("COMMIT")
        assert await waiting == 1

    using(f"sqlite:///{path}", use)


def test_one_that_is_locked_for_too_long_is_given_up(
    path: Path, locker: sqlite3.Connection, using: Using
) -> None:
    async def use(database: Database) -> list[bool]:
        await direct(database).execute(ADD, "a", seconds=1)
        locker.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="OperationalError"):
            await direct(database).execute(ADD, "b", seconds=0.05)
        doubtful = await database.ready()
        locker.execute("ROLLBACK")
        await direct(database).execute(ADD, "c", seconds=1)
        return [doubtful, await database.ready()]

    assert using(f"sqlite:///{path}", use) == [False, True]
    assert keys(path) == ["a", "c"]


def test_a_removed_file_is_made_anew(path: Path, using: Using) -> None:
    async def use(database: Database) -> None:
        await direct(database).execute(ADD, "a", seconds=1)
        await asyncio.to_thread(path.unlink)
        await direct(database).execute(ADD, "b", seconds=1)

    using(f"sqlite:///{path}", use)
    assert keys(path) == ["b"]
