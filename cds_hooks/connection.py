"""One HTTP connection: uvicorn's, with limits on what a client may send besides bodies, and a polite end.

uvicorn with httptools bounds neither the headers of a request nor the time they take nor the requests sent ahead, and
closes a connection that is idle when the process is told to stop in the face of a call that may be on its way. Bodies
are bounded in `cds_hooks.http`.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_FRAMING_BYTES = 65_536
"""What one request may hold besides its body: request line, headers, trailers, the framing of chunks."""
HEAD_SECONDS = 10.0
"""How long request line and headers may take, from the opening of the connection or from their first byte."""
MAX_AHEAD = 100
"""Requests that may wait for their turn on one connection."""
FAREWELL_SECONDS = 1.0
"""How long an idle connection stays open, once the process is told to stop, for a call that may be on its way."""
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection(HttpToolsProtocol):
    """For `uvicorn.run(http=…)`."""

    _framing = 0  # bytes of the present request that were no body
    _leaving = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._framing += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        idle = self._idle()
        if self._framing > MAX_FRAMING_BYTES:
            if idle:
                self.transport.write(TOO_LARGE)
            self.transport.close()
        elif idle and self._framing and self._deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._head_is_here()
        super().on_headers_complete()
        if self._leaving:
            self.cycle.keep_alive = False
        if len(self.pipeline) > MAX_AHEAD:
            raise ValueError  # the parser stops, uvicorn answers with 400 and closes

    def on_body(self, body: bytes) -> None:
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._framing = 0
        super().on_message_complete()

    def shutdown(self) -> None:
        """Close as soon as no call is under way or may be on its way."""
        if not self._leaving and self._idle():
            self._leaving = True
            self.loop.call_later(FAREWELL_SECONDS, self.shutdown)
        elif not self.transport.is_closing():
            super().shutdown()

    def _idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _head_is_here(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
