"""One HTTP connection: uvicorn's, with limits on what a client may send besides bodies, and a polite end.

uvicorn with httptools bounds neither the headers of a request nor the time they take nor the requests sent ahead, and
closes a connection that is idle when the process is told to stop in the face of a call that may be on its way. Where a
client offers another protocol (Java's HTTP client offers HTTP/2 with every call to a plain http address), the parser
takes the body of the call for that protocol's. Bodies are bounded in `cds_hooks.http`.
"""

from __future__ import annotations

import asyncio

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_FRAMING_BYTES = 65_536
"""What one request may hold besides its body: request line, headers, trailers, the framing of chunks."""
HEAD_SECONDS = 10.0
"""How long request line and headers may take, from the opening of the connection or from their first byte."""
MAX_AHEAD = 100
"""Requests that may wait for their turn on one connection."""
OFFERS = (b"upgrade", b"http2-settings")
"""What a client offers another protocol with, as headers and in `Connection` (RFC 9110 7.8)."""
FAREWELL_SECONDS = 1.0
"""How long an idle connection stays open, once the process is told to stop, for a call that may be on its way."""
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Parser(httptools.HttpRequestParser):
    """Reads a request that offers another protocol as the HTTP/1.1 that it is."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._connection = connection
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it

    @property
    def offered(self) -> bool:
        """Whether the present request offers another protocol."""
        return bool(self.should_upgrade()) and self.get_method() != b"CONNECT"

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # what asyncio reads
        """Parse more bytes. Raises HttpParserError."""
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            if self.offered:
                self._connection.decline(data[stopped.args[0] :])


class Connection(HttpToolsProtocol):
    """For `uvicorn.run(http=…)`."""

    _framing = 0  # bytes of the present request that were no body
    _leaving = False
    _deadline: asyncio.TimerHandle | None = None
    parser: Parser

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.parser = Parser(self)
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

    def decline(self, rest: bytes) -> None:
        """Read the head that has just been parsed once more, without its offer, and then what follows it."""
        head = [
            b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        ]
        for name, value in self.headers:
            kept = value
            if name == b"connection":
                kept = b",".join(part for part in value.split(b",") if part.strip().lower() not in OFFERS)
            if name not in OFFERS:
                head.append(b"%b: %b" % (name, kept))
        self.parser = Parser(self)
        self.parser.feed_data(b"\r\n".join((*head, b"", rest)))

    def on_headers_complete(self) -> None:
        if self.parser.offered:
            return  # see `decline`
        self._head_is_here()
        super().on_headers_complete()
        if self._leaving or self.scope["method"] == "CONNECT":
            self.cycle.keep_alive = False
        if len(self.pipeline) > MAX_AHEAD:
            raise ValueError  # the parser stops, uvicorn answers with 400 and closes

    def on_body(self, body: bytes) -> None:
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.offered:
            return
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
