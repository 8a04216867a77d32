"""Connections as clients and proxies hold them: kept for the next call, and offering other protocols."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cds_hooks.connection import MAX_AHEAD

PATH = "/cds-services/twitching-patient-view"
HEALTH = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
ALIVE = b'{"status":"ok"}'
PATIENCE_SECONDS = 60
Connect = Callable[[], socket.socket]


@pytest.fixture(scope="module")
def good(root: Path) -> bytes:
    """A call that gets cards."""
    return (root / "examples" / "low-potassium-on-a-thiazide" / "request.json").read_bytes()


@pytest.fixture
def connect(service: str) -> Connect:
    """A new connection to a running service."""
    address = urlsplit(service)
    return lambda: socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS)


@pytest.fixture
def says(connect: Connect) -> Callable[..., bytes]:
    """Sends the parts and reads until the service closes; unless it `closes`, until it is silent after its answer."""

    def exchange(*parts: bytes, closes: bool = False) -> bytes:
        answer = b""
        with connect() as connection:
            with suppress(ConnectionError):
                for part in parts:
                    connection.sendall(part)
            with suppress(ConnectionError if closes else OSError):
                while chunk := connection.recv(65_536):
                    answer += chunk
                    if not closes:
                        connection.settimeout(0.5)
        return answer

    return exchange


def offering(*more: str, start: str = f"POST {PATH}", connection: str = "Upgrade, HTTP2-Settings") -> bytes:
    """The head of a request as Java's HTTP client makes it for a plain http address."""
    lines = [
        f"{start} HTTP/1.1",
        "Host: x",
        f"Connection: {connection}",
        "HTTP2-Settings: AAEAAEAAAAIAAAAB",
        "Upgrade: h2c",
        *more,
    ]
    return "\r\n".join((*lines, "", "")).encode()


def test_a_connection_waits_longer_than_a_pause_between_two_patients(connect: Connect) -> None:
    """A client that keeps its connections would send the next call into a closed one, and POST is not sent twice."""
    with connect() as connection:
        for pause in (0, 6):
            time.sleep(pause)
            connection.sendall(HEALTH)
            answer = b""
            while not answer.endswith(ALIVE):
                part = connection.recv(1000)
                assert part, "closed"
                answer += part


class TestOtherProtocols:
    """RFC 9110 7.8: a server may ignore what a client would rather speak."""

    @pytest.mark.parametrize("whole", [True, False], ids=["one packet", "head first"])
    def test_a_call_that_offers_http_2_is_answered(
        self, says: Callable[..., bytes], good: bytes, whole: bool
    ) -> None:
        head = offering(f"Content-Length: {len(good)}")
        parts = [head + good] if whole else [head[:60], head[60:], good]
        answer = says(*parts, HEALTH)
        assert answer.count(b"HTTP/1.1 200") == answer.count(b"HTTP/1.1 ") == 2
        assert answer.count(b'"cards"') == 1
        assert answer.endswith(ALIVE)

    def test_its_chunks_are_read_and_its_wish_to_close_is_kept(
        self, says: Callable[..., bytes], good: bytes
    ) -> None:
        head = offering("Transfer-Encoding: chunked", connection="close, upgrade")
        answer = says(head, b"%x\r\n%b\r\n0\r\n\r\n" % (len(good), good), closes=True)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"cards"' in answer

    def test_its_body_is_never_read_as_a_request(self, says: Callable[..., bytes]) -> None:
        answer = says(offering(f"Content-Length: {len(HEALTH)}"), HEALTH)
        assert answer.startswith(b"HTTP/1.1 400")
        assert answer.count(b"HTTP/1.1 ") == 1

    def test_many_at_once_are_bounded(self, says: Callable[..., bytes]) -> None:
        one = offering(start="GET /health/live")
        assert says(one * 20).count(b"HTTP/1.1 200") == 20
        assert b"HTTP/1.1 400" in says(one * (MAX_AHEAD + 5), closes=True)
        assert says(HEALTH).endswith(ALIVE)

    def test_a_tunnel_is_refused_and_the_connection_ends(self, says: Callable[..., bytes]) -> None:
        answer = says(b"CONNECT /cds-services HTTP/1.1\r\nHost: x\r\n\r\n", HEALTH, closes=True)
        assert answer.startswith(b"HTTP/1.1 405")
        assert ALIVE not in answer
