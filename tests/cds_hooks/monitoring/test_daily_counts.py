"""Counts per day: exact, added up over processes, kept while the database is away, and free of what a caller sent."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.monitoring.call_record import CallRecord
from cds_hooks.monitoring.daily_counts import Counted, DailyCounts, gap_names
from cds_hooks.storage.daily_count import StoredCounts, read_counts
from cds_hooks.storage.database import Database
from mappings.facts import DataGap
from mappings.knowledge import load_knowledge

DAY = date(2026, 3, 1)
SERVICE = "twitching-patient-view"


def at_night() -> datetime:
    return datetime(2026, 3, 1, 23, 59, tzinfo=UTC)


def call(status: int = 200, **fields: Any) -> CallRecord:
    return CallRecord("id", SERVICE, fields.pop("operation", "cards"), status, **fields)


def in_database(url: str, *work: Callable[[Database], Any]) -> list[tuple[Any, ...]]:
    async def run() -> list[tuple[Any, ...]]:
        database = Database(url)
        try:
            for one in work:
                await one(database)
            return [tuple(row) for row in await read_counts(database, DAY)]
        finally:
            await database.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("given", "kind", "detail"),
    [
        (call(), "cards", "silent"),
        (call(400), "cards", "refused"),
        (call(500), "cards", "failed"),
        (call(0), "cards", "gone"),
        (call(operation="feedback"), "feedback", "answered"),
        (call(503, operation="feedback"), "feedback", "failed"),
    ],
)
def test_a_call_is_counted_by_what_became_of_it(
    database_url: str, given: CallRecord, kind: str, detail: str
) -> None:
    counts = DailyCounts((), at_night)
    counts.count_call(given)
    stored = in_database(database_url, lambda database: counts.flush(StoredCounts(database)))
    assert stored == [(DAY, "calls", SERVICE, kind, detail, 1)]


def test_what_is_missing_is_counted_by_our_words_only(database_url: str) -> None:
    counts = DailyCounts(gap_names(load_knowledge()), at_night)
    gaps = [
        DataGap("potassium", "no-unit"),
        DataGap("potassium", "no-unit"),
        DataGap("ServiceRequest", "not-provided"),
        DataGap("Jane Doe, born 1950", "not-readable"),
    ]
    counts.count_call(call(gaps=gaps))
    stored = in_database(database_url, lambda database: counts.flush(StoredCounts(database)))
    assert [row[3:] for row in stored if row[1] == "gaps"] == [
        ("no-unit", "potassium", 2),
        ("not-provided", "ServiceRequest", 1),
        ("not-readable", "other", 1),
    ]


def test_processes_add_to_the_same_counts(database_url: str) -> None:
    both = [DailyCounts((), at_night) for _ in range(2)]

    async def add(database: Database) -> None:
        keepers = [StoredCounts(database) for _ in both]
        for _ in range(3):
            for counts in both:
                counts.count_call(call())
                counts.count_call(call(400))
            await asyncio.gather(*(c.flush(k) for c, k in zip(both, keepers, strict=True)))
        assert all(await asyncio.gather(*(c.flush(k) for c, k in zip(both, keepers, strict=True))))

    assert [(row[4], row[5]) for row in in_database(database_url, add)] == [("refused", 6), ("silent", 6)]


def test_what_cannot_be_written_now_is_written_later(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'later' / 'counts.sqlite3'}"
    counts = DailyCounts((), at_night)

    async def away_and_back(database: Database) -> None:
        keeper = StoredCounts(database)
        counts.count_call(call())
        assert await counts.flush(keeper) is False
        counts.count_call(call())
        (tmp_path / "later").mkdir()
        assert await counts.flush(keeper) is True
        assert await counts.flush(keeper) is True

    assert in_database(url, away_and_back) == [(DAY, "calls", SERVICE, "cards", "silent", 2)]


def test_the_task_writes_by_itself_and_what_is_left_at_the_end(database_url: str) -> None:
    counts = DailyCounts((), at_night)

    class Noted(StoredCounts):
        written = asyncio.Event()

        async def add(self, given: Any) -> bool:
            done = await super().add(given)
            self.written.set()
            return done

    async def run(database: Database) -> None:
        keeper = Noted(database)
        task = asyncio.create_task(counts.keep_flushing(keeper, 0.01))
        counts.count_call(call())
        await keeper.written.wait()
        counts.count_call(call())
        await counts.close(keeper, task)
        assert task.cancelled()

    assert in_database(database_url, run) == [(DAY, "calls", SERVICE, "cards", "silent", 2)]


def test_nothing_is_lost_when_writing_is_interrupted() -> None:
    class Interrupted:
        async def add(self, counts: Any) -> bool:  # noqa: ARG002 - it never gets that far
            raise asyncio.CancelledError

    class Noting:
        async def add(self, counts: Any) -> bool:
            assert counts == {Counted(DAY, "calls", SERVICE, "cards", "silent"): 1}
            return True

    async def run() -> None:
        counts = DailyCounts((), at_night)
        counts.count_call(call())
        with pytest.raises(asyncio.CancelledError):
            await counts.flush(Interrupted())
        assert await counts.flush(Noting()) is True

    asyncio.run(run())


def test_a_service_stores_every_call_before_it_ends(
    start: Callable[..., Any], tmp_path: Path, root: Path, until: Callable[..., None]
) -> None:
    file = tmp_path / "counts.sqlite3"

    def ready() -> bool:  # or else it may not have the time to make its tables at the end
        return bool(service.http.get("/health/ready").json()["status"] == "ready")

    body = json.loads((root / "examples/low-potassium-on-a-thiazide/request.json").read_text())
    with start(database_url=f"sqlite:///{file}") as service:
        until(ready, "it has no database")
        for _ in range(12):
            answer = service.http.post(f"/cds-services/{SERVICE}", json=body)
            assert answer.status_code == 200
        cards = len(answer.json()["cards"])
    with sqlite3.connect(file) as connection:
        rows = dict(connection.execute("SELECT measure, sum(n) FROM daily_count GROUP BY measure").fetchall())
    connection.close()
    assert (rows["calls"], rows["cards"]) == (12, 12 * cards)
