"""Clients that send slowly, endlessly, ahead of time or not quite HTTP: little memory, and everybody else is served."""

from __future__ import annotations

import gzip
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cds_hooks.connection import HEAD_SECONDS, MAX_AHEAD
from cds_hooks.feedback.message import read_feedback
from cds_hooks.request import read_request
from cds_hooks.services import SERVICES

PATH = "/cds-services/twitching-patient-view"
MARKER = "Zq7marker"
LIMIT = 1_000_000
MAX_GROWTH_MB = 40
PATIENCE_SECONDS = 60
"""How long a test waits for an end that a busy machine may put off."""
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


class Target:
    """A running service, spoken to byte by byte."""

    def __init__(self, running: Any, good: bytes) -> None:
        self.running, self.good = running, good

    def connect(self, seconds: float = PATIENCE_SECONDS) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.running.port), timeout=seconds)

    def says(self, *parts: bytes | str, seconds: float) -> bytes:
        """Send the parts and read until the service closes or is silent for half a second after its answer."""
        answer = b""
        with self.connect(seconds) as connection:
            with suppress(OSError):
                for part in parts:
                    connection.sendall(part.encode("latin-1") if isinstance(part, str) else part)
            with suppress(OSError):
                while chunk := connection.recv(65_536):
                    answer += chunk
                    connection.settimeout(0.5)
        return answer

    def cuts_off(self, *parts: bytes | str) -> bytes:
        """Send the parts, which have no end, and read until the service closes: raises TimeoutError if it does not."""
        answer = b""
        with self.connect() as connection:
            with suppress(ConnectionError):
                for part in parts:
                    connection.sendall(part.encode("latin-1") if isinstance(part, str) else part)
            with suppress(ConnectionError):
                while chunk := connection.recv(65_536):
                    answer += chunk
        return answer

    def memory(self) -> float:
        """Resident megabytes."""
        status = Path(f"/proc/{self.running.process.pid}/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def files(self) -> int:
        """Open file descriptors."""
        return len(list(Path(f"/proc/{self.running.process.pid}/fd").iterdir()))

    def processor_seconds(self) -> float:
        """Spent so far, however many others want the processor."""
        numbers = (
            Path(f"/proc/{self.running.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        )
        user, system = numbers.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def serves(self, calls: int = 20) -> None:
        """Some honest calls on connections of their own: each must be answered."""
        for _ in range(calls):
            with httpx2.Client(base_url=self.running.base, trust_env=False, timeout=PATIENCE_SECONDS) as http:
                assert http.post(PATH, content=self.good).status_code == 200


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, root: Path, start_in: Any) -> Iterator[Target]:
    good = (root / "examples" / "low-potassium-on-a-thiazide" / "request.json").read_bytes()
    with start_in(
        tmp_path_factory.mktemp("target"), max_body_bytes=str(LIMIT), body_seconds="1.5", log_level="info"
    ) as running:
        target = Target(running, good)
        target.serves(50)
        yield target
        assert MARKER not in running.written
        assert "unforeseen" not in running.written


def endless(piece: bytes, megabytes: int = 30) -> Iterator[bytes]:
    whole = piece * (100_000 // len(piece))
    return (whole for _ in range(megabytes * 10))


def chunk(size: str, content: bytes = b"") -> bytes:
    return size.encode() + b"\r\n" + content + b"\r\n"


class TestSlow:
    def test_others_are_served_while_hundreds_send_slowly_and_all_are_cut_off(self, target: Target) -> None:
        """200 half-sent heads, 100 half-sent bodies, 100 that say nothing: the slow-loris family."""
        before, files = target.memory(), target.files()
        with ExitStack() as stack:
            held = [stack.enter_context(target.connect()) for _ in range(400)]
            for number, connection in enumerate(held):
                if number % 4 < 2:
                    connection.sendall(HEAD.encode() + b"X-Slow: " + MARKER.encode())
                elif number % 4 == 2:
                    connection.sendall(HEAD.encode() + b"Content-Length: 1000\r\n\r\n{")
            target.serves(40)
            deadline = time.monotonic() + HEAD_SECONDS + PATIENCE_SECONDS
            while target.files() > files + 20:
                assert time.monotonic() < deadline, "connections are held for ever"
                for connection in held[::4]:
                    with suppress(OSError):
                        connection.sendall(b"X-More: 1\r\n")  # a sign of life buys no time
                time.sleep(0.5)
            target.serves()
        assert target.memory() - before < MAX_GROWTH_MB

    def test_a_dripping_body_is_answered_with_408(self, target: Target) -> None:
        with target.connect() as connection:
            connection.sendall(HEAD.encode() + b"Content-Length: 1000\r\n\r\n")
            sent = 0
            with suppress(ConnectionError):  # its end may overtake its answer
                while sent < 900 and not select.select([connection], [], [], 0.1)[0]:
                    connection.sendall(b" ")
                    sent += 1
                assert connection.recv(1000).startswith(b"HTTP/1.1 408")
            assert sent < 900, "it waits for the last of the 1000 bytes"

    def test_a_reader_that_does_not_read_costs_little(self, target: Target) -> None:
        before = target.memory()
        with ExitStack() as stack:
            for _ in range(20):
                connection = stack.enter_context(target.connect())
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * (MAX_AHEAD // 2))
            target.serves()
            assert target.memory() - before < MAX_GROWTH_MB


class TestEndless:
    @pytest.mark.parametrize(
        ("opening", "piece"),
        [
            pytest.param("GET /", b"a", id="an address"),
            pytest.param(HEAD + "X-Long: ", b"a", id="the value of a header"),
            pytest.param(HEAD + "X-", b"a", id="the name of a header"),
            pytest.param(HEAD, b"A: b\r\n", id="headers"),
            pytest.param(HEAD, b"Cookie: " + MARKER.encode() + b"\r\n", id="cookies"),
            pytest.param("", b"\r\n", id="empty lines before the request"),
            pytest.param(
                HEAD + "Transfer-Encoding: chunked\r\n\r\n1;", b"x=y;", id="the extension of a chunk"
            ),
            pytest.param(HEAD + "Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n", id="trailers"),
            pytest.param(HEAD + "Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="chunks of one byte"),
        ],
    )
    def test_is_cut_off(self, target: Target, opening: str, piece: bytes) -> None:
        before = target.memory()
        answer = target.cuts_off(opening, *endless(piece))
        assert answer[:12] in (b"", b"HTTP/1.1 431", b"HTTP/1.1 400", b"HTTP/1.1 413")
        assert target.memory() - before < MAX_GROWTH_MB
        target.serves(1)

    def test_a_body_of_a_gigabyte_is_refused(self, target: Target) -> None:
        before = target.memory()
        head = HEAD + "Content-Length: 1000000000\r\n\r\n"
        answer = target.cuts_off(head, *endless(b" ", 60))
        assert answer[:12] in (b"", b"HTTP/1.1 413")
        chunked = HEAD + "Transfer-Encoding: chunked\r\n\r\n"
        answer = target.cuts_off(chunked, *(chunk("186a0", part) for part in endless(b" ", 60)))
        assert answer[:12] in (b"", b"HTTP/1.1 413")
        assert target.memory() - before < MAX_GROWTH_MB

    def test_requests_ahead_are_answered_in_order_up_to_a_limit(self, target: Target) -> None:
        one = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        last = one.replace(b"Host", b"Connection: close\r\nHost")
        answer = target.cuts_off(one * (MAX_AHEAD // 2) + last)
        assert answer.count(b"HTTP/1.1 200") == MAX_AHEAD // 2 + 1
        before = target.memory()
        target.cuts_off(*(one * 2_000 for _ in range(100)))
        assert target.memory() - before < MAX_GROWTH_MB
        target.serves(1)


class TestBodies:
    @pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"prefetch":{"labs":[', b'{"context":' * 2])
    def test_deep_nesting_is_refused_quickly(self, target: Target, opening: bytes) -> None:
        before = target.processor_seconds()
        response = target.running.http.post(PATH, content=opening * (900_000 // len(opening)))
        assert response.status_code == 400
        assert target.processor_seconds() - before < 1

    @pytest.mark.parametrize("read", [lambda body: read_request(body, SERVICES[0]), read_feedback])
    def test_a_compressed_body_is_refused_in_words_and_never_unpacked(
        self, target: Target, read: Callable[[bytes], Any]
    ) -> None:
        bomb = gzip.compress(b" " * 200_000_000)
        before = target.memory()
        response = target.running.http.post(PATH, content=bomb, headers={"Content-Encoding": "gzip"})
        assert (response.status_code, "compressed" in response.text) == (400, True)
        assert target.memory() - before < MAX_GROWTH_MB
        with pytest.raises(Exception, match="400"):
            read(bomb)


BAD = {
    "two lengths": "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a negative length": "Content-Length: -1\r\n\r\n",
    "a length beyond 64 bits": "Content-Length: 99999999999999999999\r\n\r\n",
    "a length in words": "Content-Length: two\r\n\r\n{}",
    "length and chunks": "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "an unknown coding": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding with a tab": "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "a chunk of negative size": "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a chunk beyond 64 bits": "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n\r\n",
    "a chunk in words": "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "a chunk longer than said": "Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n",
    "a null byte in a header": "X: a\x00b\r\n\r\n",
    "a folded header": "X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "a space before the colon": "Content-Length : 2\r\n\r\n{}",
}


class TestNotQuiteHttp:
    @pytest.mark.parametrize("rest", BAD.values(), ids=BAD)
    def test_ambiguous_framing_is_refused_and_hides_no_second_request(
        self, target: Target, rest: str
    ) -> None:
        smuggled = f"GET /health/live?{MARKER} HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = target.says(HEAD, rest, smuggled, seconds=3)
        assert answer.count(b"HTTP/1.1 ") <= 1 or answer.startswith(b"HTTP/1.1 400")
        assert b"HTTP/1.1 5" not in answer
        assert b'{"status":"ok"}' not in answer

    @pytest.mark.parametrize(
        "opening",
        [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
            b"GET / HTTP/9.9\r\n\r\n",
            b"get / HTTP/1.1\r\n\r\n",
            b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /%00%ff%2e%2e/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /cds-services/..%2f..%2fetc HTTP/1.1\r\nHost: x\r\n\r\n",
            (
                b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ),
            b"\x00" * 5_000,
            pytest.param(os.urandom(5_000), id="noise"),
        ],
    )
    def test_nothing_fails(self, target: Target, opening: bytes) -> None:
        answer = target.says(opening, seconds=1)
        assert not answer.startswith(b"HTTP/1.1 5")
        target.serves(1)
