"""One call of the corpus to every service, and servers that behave badly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx2
import pytest

Json = dict[str, Any]
HOOKS = ("patient-view", "encounter-start", "problem-list-item-create", "order-select", "order-sign")


@pytest.fixture
def right_cards(
    http: httpx2.Client, sound: Callable[..., Json], chart: Any, told: Callable[[list[Json]], str]
) -> Callable[[Json, Sequence[str], Sequence[str]], None]:
    """Makes sure that every service answers the record of a patient-view call with cards that say, and never say."""
    more = {"conditions": chart.bundle(), "draftOrders": chart.bundle(type="collection")}

    def check(call: Json, says: Sequence[str], never: Sequence[str]) -> None:
        for hook in HOOKS:
            sent = call | {"hook": hook, "context": (more if hook != HOOKS[0] else {}) | call["context"]}
            said = told(sound(http.post(f"/cds-services/twitching-{hook}", json=sent))["cards"])
            assert said, hook
            assert [text for text in says if text not in said] == [], (hook, said)
            assert [text for text in never if text in said] == [], (hook, said)

    return check


class Web:
    """A web server on loopback; `answers` maps a path with its query to (status, body), or to seconds of silence."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str] | float] = {}
        self.asked: list[str] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                answer = web.answers.get(self.path) or web.answers.get("*", (404, ""))
                if isinstance(answer, float):
                    time.sleep(answer)
                    return
                status, body = answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # the client may have had enough
                    self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.block_on_close = False
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    """An EHR's servers, as badly behaved as a test wants."""
    made = Web()
    yield made
    made.server.shutdown()
    made.server.server_close()
