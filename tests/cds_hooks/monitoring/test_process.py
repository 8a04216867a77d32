"""The real service: several workers behind one port and one scrape, and an end that loses no call."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

SERVICE = "/cds-services/twitching-patient-view"


def counted(page: str, start_of_line: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(start_of_line))


def page_of(running: Any) -> str:
    """The counters, or nothing if the connection was that of a worker that died."""
    try:
        return str(running.http.get("/metrics", headers={"Connection": "close"}).text)
    except httpx2.TransportError:
        return ""


@pytest.fixture
def wait_until_counted(until: Callable[..., None]) -> Callable[[Any, int], None]:
    """A call is counted and logged after its answer was sent."""

    def wait(running: Any, calls: int) -> None:
        name = "twitching_cds_call_seconds_count"
        until(lambda: counted(page_of(running), name) >= calls, "a call was not counted")
        until(lambda: len(logged(running)) >= calls, "a call was not logged")

    return wait


def logged(running: Any) -> list[Any]:
    """The lines of the log, whole ones, that are about a call."""
    whole = running.written.rpartition("\n")[0]
    return [line for line in map(json.loads, whole.splitlines()) if line["message"] == "call"]


def children(process: int) -> set[int]:
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def test_several_workers_are_one_service(
    start: Callable[..., Any],
    tmp_path: Path,
    record: bytes,
    monkeypatch: pytest.MonkeyPatch,
    wait_until_counted: Callable[[Any, int], None],
) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-03-01T09:30:00Z"}
    with start("--workers", "2", database_url=f"sqlite:///{tmp_path / 'f.sqlite3'}") as running:
        for number in range(20):
            headers = {"Connection": "close"}  # so that each call may reach another worker
            assert running.http.post(SERVICE, content=record, headers=headers).status_code == 200
            outcome = item | {"card": f"c-{number}"}
            sent = json.dumps({"feedback": [outcome]})
            assert running.http.post(f"{SERVICE}/feedback", content=sent, headers=headers).status_code == 200
        wait_until_counted(running, 40)
        pages = [page_of(running) for _ in range(4)]
        for page in pages:
            assert counted(page, 'twitching_cds_calls_total{operation="cards"') == 20
            assert counted(page, "twitching_cds_feedback_total") == 20
            assert counted(page, "twitching_cds_call_seconds_count") == 40
        assert running.http.get("/health/ready").json()["status"] == "ready"
        assert len({line["request_id"] for line in logged(running)}) == 40


def test_a_worker_that_dies_is_replaced_and_its_counts_are_kept(
    start: Callable[..., Any],
    tmp_path: Path,
    record: bytes,
    until: Callable[..., None],
    wait_until_counted: Callable[[Any, int], None],
) -> None:
    with start("--workers", "2", database_url=f"sqlite:///{tmp_path / 'f.sqlite3'}") as running:
        for _ in range(10):
            running.http.post(SERVICE, content=record, headers={"Connection": "close"})
        wait_until_counted(running, 10)
        before = children(running.process.pid)
        workers = [one for one in before if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        until(lambda: children(running.process.pid) - before, "the dead worker was not replaced")
        pages: list[str] = []
        until(lambda: pages.append(page_of(running)) or pages[-1], "nobody shows the counters")
        assert counted(pages[-1], 'twitching_cds_calls_total{operation="cards"') == 10


def test_the_folder_of_the_counters_is_removed(
    start: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with start("--workers", "2", database_url=f"sqlite:///{tmp_path / 'f.sqlite3'}"):
        (folder,) = (tmp_path / "tmp").glob("twitching-cds-*")
        assert folder.is_dir()
    assert list((tmp_path / "tmp").glob("twitching-cds-*")) == []


def test_a_call_that_is_under_way_is_answered_before_the_end(
    start: Callable[..., Any], tmp_path: Path, record: bytes, until: Callable[..., None]
) -> None:
    with start(database_url=f"sqlite:///{tmp_path / 'f.sqlite3'}") as running:
        head = f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(record)}\r\n"
        with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
            connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode() + record[:100])
            assert connection.recv(1000).startswith(b"HTTP/1.1 100 "), "it waits for the rest"
            running.process.send_signal(signal.SIGTERM)
            until(lambda: "Shutting down" in running.written, "it does not stop")
            connection.sendall(record[100:])
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"cards":[{' in answer
        assert running.process.wait(timeout=60) in (0, -signal.SIGTERM)
    lines = [json.loads(line) for line in running.written.splitlines()]
    assert lines[-1]["message"].startswith("Finished server process")
    assert [line["status"] for line in lines if line["message"] == "call"] == [200]
    assert not (tmp_path / "f.sqlite3-wal").exists()  # the database was closed


def test_no_line_of_the_log_is_anything_but_json(
    start: Callable[..., Any], tmp_path: Path, record: bytes
) -> None:
    with start(database_url=f"sqlite:///{tmp_path / 'later' / 'f.sqlite3'}", log_level="debug") as running:
        running.http.post(SERVICE, content=record)
        running.http.post(f"{SERVICE}/feedback", content=b'{"feedback":[{}]}')
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.sendall(b"canary-7f3a\r\n\r\n")
            connection.recv(1000)
    lines = [json.loads(line) for line in running.written.splitlines()]
    assert {line["level"] for line in lines} <= {"DEBUG", "INFO", "WARNING", "ERROR"}
    assert "canary-7f3a" not in running.written
    assert any("the database failed" in line["message"] for line in lines)
