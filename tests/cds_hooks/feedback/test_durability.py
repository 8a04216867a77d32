"""What was acknowledged is there after the worst: the process is killed while it stores feedback.

`KILLS=200 make test ARGS=tests/cds_hooks/feedback/test_durability.py` for the long run.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select

from cds_hooks.feedback.report import Report, summarise
from cds_hooks.storage.database import Database
from cds_hooks.storage.tables import accepted_suggestion, feedback

KILLS = int(os.environ.get("KILLS", "10" if "CI" in os.environ else "5"))
CLIENTS = 4
PATH = "/cds-services/twitching-patient-view/feedback"
Item = Callable[..., dict[str, Any]]


class Client(threading.Thread):
    """Sends batches until nobody answers; what was not acknowledged it sends again the next time."""

    def __init__(self, base: str, make: Callable[[], bytes], pending: list[bytes]) -> None:
        super().__init__(daemon=True)
        self.base, self.make, self.pending = base, make, pending
        self.acknowledged: list[bytes] = []

    def run(self) -> None:
        with httpx2.Client(base_url=self.base, trust_env=False, timeout=60) as http:
            while True:
                if not self.pending:
                    self.pending.append(self.make())
                try:
                    response = http.post(PATH, content=self.pending[0])
                except httpx2.TransportError:
                    return
                if response.status_code == 503:  # it is to be sent again
                    continue
                assert response.status_code == 200
                self.acknowledged.append(self.pending.pop(0))


async def stored(url: str) -> tuple[list[str], int, Report]:
    """The times of the outcomes, the number of accepted suggestions, the report."""
    database = Database(url)
    try:
        async with database.reading() as connection:
            times = [str(time) for time in await connection.scalars(select(feedback.c.outcome_at))]
            accepted = len((await connection.execute(select(accepted_suggestion))).all())
        return times, accepted, await summarise(database)
    finally:
        await database.close()


def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(
    start: Callable[..., Any],
    database_url: str,
    item: Item,
    body: Callable[..., bytes],
    accepted: Item,
    until: Callable[..., None],
) -> None:
    """Every outcome has a time of its own, so that it can be found again."""
    lock, number, chance = threading.Lock(), 0, random.Random(20261122)  # noqa: S311 - when to kill

    def batch() -> bytes:
        nonlocal number
        items = []
        with lock:
            for _ in range(3):
                number += 1
                at = f"2026-03-01T{number // 3600000:02}:{number // 60000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}Z"
                items.append(item(outcomeTimestamp=at, **accepted("magnesium", "ecg")))
        return body(*items)

    acknowledged: list[bytes] = []
    pending: list[list[bytes]] = [[] for _ in range(CLIENTS)]
    for _ in range(KILLS if database_url.startswith("sqlite") else max(1, KILLS // 4)):
        running = start(database_url=database_url)
        running.wait_until_alive()
        clients = [Client(running.base, batch, waiting) for waiting in pending]
        for client in clients:
            client.start()
        until(lambda: any(client.acknowledged for client in clients), "nothing was acknowledged")  # noqa: B023
        time.sleep(chance.uniform(0.0, 0.4))
        running.kill()
        for client in clients:
            client.join()
            acknowledged += client.acknowledged
        running.http.close()
    with start(database_url=database_url) as running:
        for waiting in pending:
            for sent in waiting:
                assert running.http.post(PATH, content=sent).status_code == 200
                acknowledged.append(sent)
    times, suggestions, report = asyncio.run(stored(database_url))
    expected = sum(len(json.loads(sent)["feedback"]) for sent in acknowledged)
    assert [moment for moment, times_stored in Counter(times).items() if times_stored > 1] == []
    assert len(times) == expected == report.n
    assert suggestions == 2 * expected
    if database_url.startswith("sqlite"):
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def test_nothing_acknowledged_is_lost_when_postgresql_crashes(
    start: Callable[..., Any], postgres: Any, item: Item, body: Callable[..., bytes]
) -> None:
    url = postgres.new_database()
    acknowledged = 0
    with start(database_url=url) as running:
        for _ in range(max(1, KILLS // 10)):
            for _ in range(20):
                assert running.http.post(PATH, content=body(item())).status_code == 200
                acknowledged += 1
            postgres.stop("immediate")
            refused = running.http.post(PATH, content=body(item()))
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
            postgres.start()
        assert running.http.post(PATH, content=body(item())).status_code == 200
    assert asyncio.run(stored(url))[2].n == acknowledged + 1


def test_a_second_process_takes_over_the_file_of_a_killed_one(
    start: Callable[..., Any], tmp_path: Path, item: Item, body: Callable[..., bytes]
) -> None:
    url = f"sqlite:///{tmp_path / 'feedback.sqlite3'}"
    with start(database_url=url) as first, start(database_url=url) as second:
        assert first.http.post(PATH, content=body(item())).status_code == 200
        first.kill()
        assert second.http.post(PATH, content=body(item())).status_code == 200
    assert asyncio.run(stored(url))[2].n == 2
