"""Stopping and replacing processes: no client notices."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

PATH = "/cds-services/twitching-patient-view"
AT_WORK = "Application startup complete"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture
def good(root: Path) -> bytes:
    return (root / "examples" / "low-potassium-on-a-thiazide" / "request.json").read_bytes()


def calls_until(stop: threading.Event, running: Any, good: bytes, seen: list[str]) -> None:
    """Calls over a kept connection and over new ones in turn; what a client sees is noted, "200" unless it is an error."""
    with httpx2.Client(base_url=running.base, trust_env=False, timeout=60) as http:
        for number in count():
            if stop.wait(0.02):
                return
            headers = {"Connection": "close"} if number % 2 else {}
            try:
                seen.append(str(http.post(PATH, content=good, headers=headers).status_code))
            except httpx2.TransportError as error:
                seen.append(repr(error))


class TestRestarts:
    def test_a_call_on_its_way_to_a_stopping_process_is_answered(
        self, start: Callable[..., Any], until: Callable[..., None], good: bytes
    ) -> None:
        with start() as running:
            with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
                connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                first = b""
                while b"}" not in first:  # head and body may come apart
                    first += connection.recv(1000)
                assert first.startswith(b"HTTP/1.1 200")
                running.process.send_signal(signal.SIGTERM)
                until(lambda: "Shutting down" in running.written, "it does not stop")
                connection.sendall(HEAD.encode() + b"Content-Length: %d\r\n\r\n" % len(good) + good)
                answer = connection.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in answer
            assert running.process.wait(timeout=60) in (0, -signal.SIGTERM)

    def test_no_client_notices_that_workers_are_replaced(
        self, start: Callable[..., Any], until: Callable[..., None], good: bytes
    ) -> None:
        with start("--workers", "2") as running:
            stop, seen = threading.Event(), list[str]()
            until(lambda: running.written.count(AT_WORK) >= 2, "the workers did not start")
            clients = [
                threading.Thread(target=calls_until, args=(stop, running, good, seen), daemon=True)
                for _ in range(3)
            ]
            for client in clients:
                client.start()
            until(lambda: len(seen) > 10, "nobody answers")
            first = workers(running)
            running.process.send_signal(signal.SIGHUP)
            # One after the other, under load.
            until(lambda: not workers(running) & first, "the workers were not replaced", 300)
            until(lambda: running.written.count(AT_WORK) >= 4, "their successors did not start", 300)
            before = len(seen)
            until(lambda: len(seen) > before + 20, "their successors do not answer")
            stop.set()
            for client in clients:
                client.join()
        assert set(seen) == {"200"}


def workers(running: Any) -> set[int]:
    """The processes that answer, by id: the children that were spawned, without the helper that tracks resources."""
    tasks = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    found = set()
    for child in tasks.read_text(encoding="ascii").split():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(int(child))
    return found
