"""The thin HTTP rim: bounded body in, JSON out, one answer to every failure. Pure ASGI, because it is on the hot path."""

from __future__ import annotations

import asyncio
import logging
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_hooks.errors import Refused, issue, outcome
from cds_hooks.monitoring.call_record import CALL, new_request_id
from cds_hooks.services import SERVICE_BY_ID, Service

logger = logging.getLogger("twitching_cds")
PATIENCE = 10
Answer = Callable[[Service, bytes], Awaitable[bytes]]


class Disconnected(Exception):  # noqa: N818 - it is nobody's error
    """The client went away before its body was complete."""


class ServiceCall:
    """ASGI endpoint of `/cds-services/{id}…`: the body of a call in, the body of its answer out."""

    def __init__(
        self,
        answer: Answer,
        max_body_bytes: int,
        body_seconds: float,
        services: Callable[[], Mapping[str, Service]] = lambda: SERVICE_BY_ID,
    ) -> None:
        """`services` are those that answer at the time of a call, by id."""
        self.answer = answer
        self.services = services
        self.max_body_bytes = max_body_bytes
        self.body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        headers: tuple[tuple[bytes, bytes], ...] = ()
        try:
            body = await self._read(receive)
            status, content = (
                200,
                await self.answer(find_service(self.services(), scope["path_params"]["service"]), body),
            )
        except Refused as refused:
            status, content = refused.status, refused.body()
            if refused.retry_after:
                headers = ((b"retry-after", b"%d" % refused.retry_after),)
        except Disconnected:
            return
        await respond(send, status, content, headers)

    async def _read(self, receive: Receive) -> bytes:
        """The whole body. Raises Refused (408, 413)."""
        try:
            async with asyncio.timeout(self.body_seconds):
                return await read_body(receive, self.max_body_bytes)
        except TimeoutError:
            raise Refused(
                408, issue("timeout", f"The body did not arrive within {self.body_seconds:g} seconds.")
            ) from None


def find_service(services: Mapping[str, Service], identifier: str) -> Service:
    """The service of this id. Raises Refused (404)."""
    service = services.get(identifier)
    if service is None:
        raise Refused(404, issue("not-found", "There is no such service; see GET /cds-services."))
    return service


async def read_body(receive: Receive, limit: int) -> bytes:
    """The body, at most `limit` bytes. Raises Refused (413), Disconnected.

    A byte order mark before it is left out, as a reader of JSON may (RFC 8259 8.1).

    A body over the limit is read on without being kept, up to `PATIENCE` times the limit: a client that is still
    sending would see a broken connection instead of the answer.
    """
    chunks: list[bytes] = []
    size = 0
    more = True
    while more and size <= PATIENCE * limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        more = message.get("more_body", False)
    if size > limit:
        raise Refused(413, issue("too-long", f"The body has more than {limit} bytes."))
    return (chunks[0] if len(chunks) == 1 else b"".join(chunks)).removeprefix(BOM_UTF8)


async def respond(
    send: Send, status: int, content: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Send JSON that no cache may keep."""
    close = ((b"connection", b"close"),) if status in (408, 413) else ()
    start = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
        *headers,
        *close,
    ]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": content})


class LastResort:
    """Turns whatever was not foreseen into a 500 that tells the caller nothing, and the log only where it happened."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, note)
        except Exception as error:  # noqa: BLE001 - the last resort
            call = CALL.get()
            reference = call.request_id if call else new_request_id()
            logger.error("unforeseen %s at %s, reference %s", type(error).__name__, origin(error), reference)  # noqa: TRY400 - the message of the error may hold patient data
            if started:
                raise ConnectionAbortedError(reference) from None
            text = f"The service failed; nothing can be said about this patient. Reference: {reference}."
            await respond(send, 500, outcome(issue("exception", text)))


def origin(error: BaseException) -> str:
    """`cards.py:120`: where an error arose, without anything it was about."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (
        f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "an unknown place"
    )
