"""One database, SQLite or PostgreSQL, that may be away for a while: transactions, readiness, recovery."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cds_hooks.http import origin
from cds_hooks.storage import migrate
from cds_hooks.storage.direct import DirectConnection

logger = logging.getLogger("twitching_cds")
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
BUSY_SECONDS = 2.0
"""How long to wait for SQLite's one writer, for a connection, or for PostgreSQL to accept one."""
STATEMENT_SECONDS = 5.0
CHECK_SECONDS = 1.0
"""How long a readiness probe waits."""
DOUBT_SECONDS = 60.0
"""How long a failed commit tells more than a successful probe, which leaves nothing on the disk and so cannot know
that it is full."""


class DatabaseUrlError(ValueError):
    """A database URL that cannot be used, with what to write instead; it may hold a password and is not repeated."""


class StorageError(Exception):
    """The database could not do it now; nothing was stored. Trying again later may help."""


def create_engine(url: str) -> AsyncEngine:
    """An engine for `sqlite:///FILE` or `postgresql://…`; connects when first used. Raises DatabaseUrlError."""
    parsed = _read(url)
    if parsed.get_backend_name() == "sqlite":
        # One connection per process: SQLite has one writer, and waiting in line is fairer than its busy loop.
        options: dict[str, Any] = {
            "pool_size": 1,
            "max_overflow": 0,
            "connect_args": {} if "timeout" in parsed.query else {"timeout": BUSY_SECONDS},
        }
    else:
        options = {
            "pool_size": 5,
            "max_overflow": 0,
            "pool_pre_ping": True,
            "connect_args": {
                "timeout": BUSY_SECONDS,
                "command_timeout": STATEMENT_SECONDS,
                "server_settings": {"application_name": "twitching-cds"},
            },
        }
    engine = create_async_engine(parsed, pool_timeout=STATEMENT_SECONDS, hide_parameters=True, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _durable)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _read(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseUrlError("write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME") from None
    scheme = parsed.drivername
    if scheme not in (*DRIVERS, *DRIVERS.values()):
        raise DatabaseUrlError("begin it with sqlite:/// or postgresql://; other databases are not supported")
    parsed = parsed.set(drivername=DRIVERS.get(scheme, scheme))
    if parsed.get_backend_name() == "sqlite":
        if parsed.host or not parsed.database or parsed.database == ":memory:":
            raise DatabaseUrlError(
                "name a file: sqlite:///relative/path or sqlite:////absolute/path; memory is lost with the process"
            )
    elif find_spec("asyncpg") is None:
        raise DatabaseUrlError("PostgreSQL needs one more package: pip install 'twitching-cds[postgres]'")
    return parsed


def _durable(connection: Any, _: object) -> None:
    """A commit is on the disk, and transactions begin where we say so."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock at once: one taken half-way fails without waiting (SQLITE_BUSY_SNAPSHOT)."""
    connection.exec_driver_sql(
        "BEGIN" if connection.get_execution_options().get("read") else "BEGIN IMMEDIATE"
    )


class Database:
    """A database that is brought up to date when it can be reached, at the start or at any later use."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        self._file = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        self.direct = DirectConnection(partial(_connect, self.engine), self._storing) if self._file else None
        """For small statements on a SQLite file; PostgreSQL has none."""
        self._open: tuple[int, int] | None = None
        self._current = False
        self._check: asyncio.Task[bool] | None = None
        self._preparing = asyncio.Lock()
        self._failed_at = float("-inf")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A write transaction, committed when the block ends. Raises StorageError; then nothing is stored."""
        async with self._storing(), self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def _storing(self) -> AsyncIterator[None]:
        """A time in which something is stored; what goes wrong in it is remembered. Raises StorageError."""
        try:
            await self._prepare()
            yield
        except Exception as error:  # noqa: BLE001 - see below
            # Drivers raise what they like, and whatever it is, the rows are not stored.
            self._failed_at = time.monotonic()
            raise self._failed(error) from None
        self._failed_at = float("-inf")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view that stands in no writer's way. Raises StorageError."""
        try:
            await self._prepare()
            async with self.engine.connect() as connection:
                yield await connection.execution_options(read=True)
        except Exception as error:  # noqa: BLE001 - as in `transaction`
            raise self._failed(error) from None

    async def upgrade(self) -> None:
        """Bring the tables up to date. Raises StorageError."""
        try:
            await self._prepare()
        except Exception as error:  # noqa: BLE001 - as in `transaction`
            raise self._failed(error) from None

    async def ready(self) -> bool:
        """Whether a row could be stored right now; False as well if that cannot be said within a second.

        False for a minute after a commit that failed, unless one succeeds.
        """
        if time.monotonic() - self._failed_at < DOUBT_SECONDS:
            return False
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._try_to_write())
        done, _ = await asyncio.wait({self._check}, timeout=CHECK_SECONDS)
        return bool(done) and self._check.result()

    async def close(self) -> None:
        """Let go of every connection."""
        if self._check:
            await asyncio.wait({self._check}, timeout=BUSY_SECONDS)
        await self._let_go()

    async def _let_go(self) -> None:
        if self.direct:
            self.direct.close()
        await self.engine.dispose()

    async def _prepare(self) -> None:
        """Connect, and bring the tables up to date unless this was done before; one caller at a time."""
        async with self._preparing:
            if self._file and self._open != _identity(self._file):
                # Never opened, or removed or replaced since: what is written into a removed file is gone with it.
                await self._let_go()
                self._current = False
            if self._current:
                return
            if self._file:
                async with self.engine.connect() as connection:
                    await connection.run_sync(_write_ahead)
                self._open = _identity(self._file)
            async with self.engine.connect() as connection:
                await connection.execution_options(read=True)
                current = await connection.run_sync(migrate.is_current)
            if not current:
                async with self.engine.begin() as connection:
                    await connection.run_sync(migrate.upgrade)
            self._current = True

    async def _try_to_write(self) -> bool:
        try:
            await self._prepare()
            async with self.engine.connect() as connection:
                await connection.execute(text(f"UPDATE {migrate.VERSIONS} SET version_num = version_num"))  # noqa: S608 - our own constant
                await connection.rollback()
        except Exception as error:  # noqa: BLE001 - as in `transaction`
            self._failed(error)
            return False
        return True

    def _failed(self, error: Exception) -> StorageError:
        """The error without its text, which may hold what a caller sent; the log says its kind and place."""
        self._current = False
        kind = type(getattr(error, "orig", None) or error).__name__
        logger.error("the database failed: %s at %s", kind, origin(error))
        return StorageError(kind)


def _connect(engine: AsyncEngine) -> sqlite3.Connection:
    """A connection to the engine's file that commits each statement and waits for nobody."""
    (file,), options = engine.dialect.create_connect_args(engine.url)
    own = {"timeout": 0.0, "isolation_level": None, "check_same_thread": False}
    connection: sqlite3.Connection = sqlite3.connect(file, **{**options, **own})
    return connection


def _write_ahead(connection: Connection) -> None:
    """Readers and the writer do not wait for each other. The file remembers this."""
    cursor = connection.connection.cursor()  # outside a transaction, where alone it is possible
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _identity(file: str) -> tuple[int, int] | None:
    """What tells this file from another one of its name; None if there is none."""
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
