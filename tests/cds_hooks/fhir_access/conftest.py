"""A FHIR server on loopback that behaves well, badly or maliciously."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

EMPTY = {"resourceType": "Bundle", "type": "searchset"}


class Ehr(BaseHTTPRequestHandler):
    """Answers by path: `answers` maps a path with its query to (status, headers, body) or seconds of silence."""

    answers: ClassVar[dict[str, Any]] = {}
    seen: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        answer = self.answers.get(self.path, self.answers.get("*", (200, {}, json.dumps(EMPTY))))
        if isinstance(answer, float):
            time.sleep(answer)
            answer = (200, {}, json.dumps(EMPTY))
        status, headers, body = answer
        content = body.encode()
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ehr() -> Iterator[str]:
    Ehr.answers.clear()
    Ehr.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ehr)
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    server.server_close()


@pytest.fixture
def answers() -> dict[str, Any]:
    """What the server answers, by path and query; fill it in."""
    return Ehr.answers


@pytest.fixture
def seen() -> list[tuple[str, str]]:
    """Every request it got: path with query, and Authorization."""
    return Ehr.seen
