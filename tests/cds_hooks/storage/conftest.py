"""A database, opened for as long as something is done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cds_hooks.storage.database import Database


@pytest.fixture(scope="session")
def using() -> Callable[[str, Callable[[Database], Awaitable[Any]]], Any]:
    """`using(url, use)`: what `use` returns, with the database open."""

    async def run(url: str, use: Callable[[Database], Awaitable[Any]]) -> Any:
        database = Database(url)
        try:
            return await use(database)
        finally:
            await database.close()

    return lambda url, use: asyncio.run(run(url, use))
