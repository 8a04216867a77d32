"""The service without a network: an ASGI call in, its answer and everything that was logged out."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from starlette.types import Message, Scope

from cds_hooks.app import create_app
from cds_hooks.monitoring.log_lines import JsonLines
from cds_hooks.settings import Settings

TODAY = date(2026, 11, 22)
"""The day that the examples were made for."""


class Answer(NamedTuple):
    """`logged` are the lines as they would stand in the log at level DEBUG."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    logged: str


class _Lines(logging.Handler):
    """Keeps what was logged, as the service writes it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def take(self) -> str:
        text = "\n".join(self.lines)
        self.lines.clear()
        return text


class InProcess:
    """The whole application with its settings, one call at a time; used as a context manager."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        url = f"sqlite:///{folder / 'service.sqlite3'}"
        self.app = create_app(Settings(**{"database_url": url} | settings), today=lambda: TODAY)
        self._loop = asyncio.new_event_loop()
        self._log = _Lines()
        self._life: AbstractAsyncContextManager[Any] = self.app.router.lifespan_context(self.app)

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(self._log)
        self._loop.run_until_complete(self._life.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.run_until_complete(self._life.__aexit__(kind, error, trace))
        root = logging.getLogger()
        root.removeHandler(self._log)
        root.setLevel(self._level)
        self._loop.close()

    @staticmethod
    def encode(body: Any) -> bytes:
        """JSON, also of what is no Unicode."""
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def post(
        self, path: str, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = (), query: bytes = b""
    ) -> Answer:
        """One POST; whatever the application raises is raised here."""
        self._log.take()
        return self._loop.run_until_complete(self._call("POST", path, body, headers, query))

    async def _call(
        self, method: str, path: str, body: bytes, headers: tuple[tuple[bytes, bytes], ...], query: bytes
    ) -> Answer:
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query,
            "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        waiting = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Message] = []

        async def receive() -> Message:
            if waiting:
                return waiting.pop()
            await asyncio.sleep(3600)
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start, *rest = sent
        return Answer(
            start["status"],
            {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]},
            b"".join(message.get("body", b"") for message in rest),
            self._log.take(),
        )
