"""The database is locked, read-only, full, missing or down: cards are sent, feedback waits, nothing needs a restart."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.storage.database import BUSY_SECONDS

SERVICE = "/cds-services/twitching-patient-view"
Send = Callable[[Any], int]
Check = Callable[[Any], None]


@pytest.fixture
def send(item: Callable[..., dict[str, Any]], body: Callable[..., bytes]) -> Send:
    """Sends one new outcome; the status of the answer."""

    def post(running: Any) -> int:
        response = running.http.post(f"{SERVICE}/feedback", content=body(item()))
        if response.status_code == 503:
            assert response.headers["retry-after"] == "30"
            assert response.json()["issue"][0]["code"] == "transient"
        return int(response.status_code)

    return post


@pytest.fixture
def works_without(root: Path) -> Callable[[Any], None]:
    """Asserts that all but feedback works."""
    request = (root / "examples" / "low-potassium-on-a-thiazide" / "request.json").read_bytes()

    def check(running: Any) -> None:
        seconds = []
        for _ in range(5):
            began = time.monotonic()
            response = running.http.post(SERVICE, content=request)
            seconds.append(time.monotonic() - began)
            assert response.status_code == 200
            assert response.json()["cards"]
        assert min(seconds) < BUSY_SECONDS / 2, "cards wait for the database, every time"
        assert running.http.get("/health/live").json() == {"status": "ok"}
        ready = running.http.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")

    return check


@pytest.fixture
def ready_again(until: Callable[..., None]) -> Callable[[Any], None]:
    """Waits until nothing is amiss."""
    return lambda running: until(
        lambda: running.http.get("/health/ready").json()["status"] == "ready", "it is still degraded"
    )


def without_root() -> list[str]:
    """What starts a command that obeys file permissions, even if root starts it."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def test_locked(
    start: Callable[..., Any], tmp_path: Path, send: Send, works_without: Check, ready_again: Check
) -> None:
    path = tmp_path / "feedback.sqlite3"
    with start(database_url=f"sqlite:///{path}") as running:
        assert send(running) == 200
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("BEGIN EXCLUSIVE")
        assert send(running) == 503
        works_without(running)
        locker.execute("ROLLBACK")
        locker.close()
        assert send(running) == 200
        ready_again(running)


def test_read_only(
    start: Callable[..., Any], tmp_path: Path, send: Send, works_without: Check, ready_again: Check
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    url = f"sqlite:///{folder / 'feedback.sqlite3'}"
    with start(database_url=url, prefix=without_root()) as running:
        assert send(running) == 200
    for path in (*folder.iterdir(), folder):
        path.chmod(0o500 if path.is_dir() else 0o400)
    with start(database_url=url, prefix=without_root()) as running:
        assert send(running) == 503
        works_without(running)
        for path in (folder, *folder.iterdir()):
            path.chmod(0o700 if path.is_dir() else 0o600)
        assert send(running) == 200
        ready_again(running)


def test_missing_folder(
    start: Callable[..., Any], tmp_path: Path, send: Send, works_without: Check, ready_again: Check
) -> None:
    folder = tmp_path / "state"
    with start(database_url=f"sqlite:///{folder / 'feedback.sqlite3'}") as running:
        assert send(running) == 503
        works_without(running)
        folder.mkdir()
        assert send(running) == 200
        shutil.rmtree(folder)
        assert send(running) == 503
        works_without(running)
        folder.mkdir()
        assert send(running) == 200
        ready_again(running)


def test_full(
    start: Callable[..., Any],
    tmp_path: Path,
    send: Send,
    works_without: Check,
    ready_again: Check,
) -> None:
    """No file may grow: what a full disk or a used-up quota does to SQLite."""
    with start(database_url=f"sqlite:///{tmp_path / 'feedback.sqlite3'}", log_level="error") as running:
        assert send(running) == 200
        _, hard = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
        size = (tmp_path / "feedback.sqlite3").stat().st_size // 2
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, hard))
        assert 503 in {send(running) for _ in range(20)}
        works_without(running)
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert send(running) == 200
        ready_again(running)


def test_postgresql_is_down(
    start: Callable[..., Any], postgres: Any, send: Send, works_without: Check, ready_again: Check
) -> None:
    url = postgres.new_database()
    with start(database_url=url) as running:
        assert send(running) == 200
        postgres.stop()
        try:
            assert send(running) == 503
            works_without(running)
            with start(database_url=url) as started_meanwhile:
                assert send(started_meanwhile) == 503
                works_without(started_meanwhile)
                postgres.start()
                assert send(started_meanwhile) == 200
        finally:
            postgres.start()
        assert send(running) == 200
        ready_again(running)
