"""The command `twitching-cds database upgrade`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from cds_hooks.cli import app
from cds_hooks.storage.database import Database
from cds_hooks.storage.migrate import HEAD, is_current

Using = Callable[[str, Callable[[Database], Awaitable[Any]]], Any]


def test_upgrade(database_url: str, using: Using, monkeypatch: pytest.MonkeyPatch) -> None:
    async def current(database: Database) -> bool:
        async with database.engine.connect() as connection:
            return await connection.run_sync(is_current)

    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    assert using(database_url, current) is False
    for _ in range(2):
        ran = CliRunner().invoke(
            app, ["database", "upgrade"], env={"TWITCHING_CDS_DATABASE_URL": database_url}
        )
        assert (ran.exit_code, ran.output) == (0, f"The database is up to date (revision {HEAD}).\n")
    assert using(database_url, current) is True
