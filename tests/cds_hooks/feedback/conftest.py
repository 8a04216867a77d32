"""Feedback as clients send it, and a database to keep it in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from cds_hooks.advice_id import new_id
from cds_hooks.storage.database import Database

T = TypeVar("T")
HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"


@pytest.fixture(scope="session")
def item() -> Callable[..., dict[str, Any]]:
    """One outcome: an overridden test card, with the given fields replaced (or removed: `...`)."""

    def make(**fields: Any) -> dict[str, Any]:
        whole = {
            "card": new_id("topic:twitching-tests"),
            "outcome": "overridden",
            "outcomeTimestamp": "2026-03-01T09:30:00Z",
        }
        return {name: value for name, value in (whole | fields).items() if value is not ...}

    return make


@pytest.fixture(scope="session")
def body() -> Callable[..., bytes]:
    """The body of a feedback call with these items."""
    return lambda *items: json.dumps({"feedback": items}).encode()


@pytest.fixture(scope="session")
def accepted() -> Callable[..., dict[str, Any]]:
    """The fields of an acceptance of the suggestions about these tests."""
    return lambda *tests: {
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": new_id(f"test:{test}")} for test in tests],
    }


@pytest.fixture(scope="session")
def reason() -> Callable[..., dict[str, Any]]:
    """The field that says why."""
    return lambda code, system=HL7: {"overrideReason": {"reason": {"code": code, "system": system}}}


@pytest.fixture
def using(database_url: str) -> Callable[[Callable[[Database], Awaitable[Any]]], Any]:
    """Runs a coroutine with an open database of each kind; what it keeps is there the next time."""

    def use(work: Callable[[Database], Awaitable[T]]) -> T:
        async def run() -> T:
            database = Database(database_url)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(run())

    return use
