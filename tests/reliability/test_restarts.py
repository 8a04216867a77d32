"""Stopping and replacing processes: no client notices."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

PATH = "/cds-services/twitching-patient-view"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture
def good(root: Path) -> bytes:
    return (root / "examples" / "low-potassium-on-a-thiazide" / "request.json").read_bytes()


def calls_until(stop: threading.Event, running: Any, good: bytes, failures: list[str]) -> int:
    """Calls over a kept connection and over new ones in turn; what a client would see as an error is kept."""
    done = 0
    with httpx2.Client(base_url=running.base, trust_env=False, timeout=10) as http:
        while not stop.is_set():
            headers = {"Connection": "close"} if done % 2 else {}
            try:
                status = http.post(PATH, content=good, headers=headers).status_code
            except httpx2.TransportError as error:
                failures.append(repr(error))
            else:
                failures += [str(status)] if status != 200 else []
            done += 1
            stop.wait(0.02)
    return done


class TestRestarts:
    def test_a_call_on_its_way_to_a_stopping_process_is_answered(
        self, start: Callable[..., Any], good: bytes
    ) -> None:
        with start() as running:
            with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
                connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                first = b""
                while b"}" not in first:  # head and body may come apart
                    first += connection.recv(1000)
                assert first.startswith(b"HTTP/1.1 200")
                running.process.send_signal(signal.SIGTERM)
                deadline = time.monotonic() + 10
                while "Shutting down" not in running.written:
                    assert time.monotonic() < deadline, "it does not stop"
                    time.sleep(0.01)
                connection.sendall(HEAD.encode() + b"Content-Length: %d\r\n\r\n" % len(good) + good)
                answer = connection.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in answer
            assert running.process.wait(timeout=10) in (0, -signal.SIGTERM)

    def test_no_client_notices_that_workers_are_replaced(
        self, start: Callable[..., Any], good: bytes
    ) -> None:
        with start("--workers", "2") as running:
            stop, failures = threading.Event(), list[str]()
            both_at_work(running)
            counts: list[int] = []
            clients = [
                threading.Thread(
                    target=lambda: counts.append(calls_until(stop, running, good, failures)),
                    daemon=True,
                )
                for _ in range(3)
            ]
            for client in clients:
                client.start()
            first = workers(running)
            running.process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + 60
            while len(workers(running) - first) < 2 or workers(running) & first:
                assert time.monotonic() < deadline, "the workers were not replaced"
                time.sleep(0.1)
            time.sleep(0.5)
            stop.set()
            for client in clients:
                client.join()
        assert failures == []
        assert sum(counts) > 50


def both_at_work(running: Any) -> None:
    """Wait until both workers have said so."""
    deadline = time.monotonic() + 30
    while running.written.count("Application startup complete") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def workers(running: Any) -> set[int]:
    """The processes that answer, by id: the children that were spawned, without the helper that tracks resources."""
    tasks = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    return {
        int(child)
        for child in tasks.read_text(encoding="ascii").split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    }
