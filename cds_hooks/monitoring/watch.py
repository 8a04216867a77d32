"""One request id, one log line and one count per call. Pure ASGI, because it is on the hot path."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_hooks.monitoring.call_record import CALL, CallRecord, Operation, new_request_id
from cds_hooks.monitoring.daily_counts import DailyCounts
from cds_hooks.monitoring.metrics import Metrics
from cds_hooks.response import Card
from cds_hooks.services import SERVICE_BY_ID

logger = logging.getLogger("twitching_cds")
REQUEST_ID = b"x-request-id"
ADDRESS = re.compile(r"/cds-services/([^/]+)(?:/(explain|feedback))?")
OPERATIONS: dict[str | None, Operation] = {None: "cards", "explain": "explain", "feedback": "feedback"}
API = "/cds-services"
SURPLUS = re.compile(r"/+$|(?<=/)/+")
"""Slashes too many: clients join a base URL that ends in one, or end every address in one, and mean the same."""
PATH_AS_SENT = "path_as_sent"
"""Where the path with its slashes is kept in the scope: a token is meant for the address that was called."""
SEVERITIES = ("critical", "warning", "info")


class Watch:
    """Middleware around everything else; calls of services are counted and logged, other requests get an id only.

    A slash too many in the address of the API is passed over. A redirect would not do: many clients lose the body of a
    call or its token on the way, and show a call that failed as if there were nothing to say.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, counts: DailyCounts) -> None:
        self.app = app
        self.metrics = metrics
        self.counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if (path[-1:] == "/" or "//" in path) and API in path:
            scope = {**scope, "path": SURPLUS.sub("", path), PATH_AS_SENT: path}
        started = time.perf_counter()
        service, operation = _called(scope)
        call = CallRecord(new_request_id(), service, operation)

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID, call.request_id.encode())]
            await send(message)

        token = CALL.set(call)
        try:
            await self.app(scope, receive, note)
        finally:
            CALL.reset(token)
            if service:
                self._tell(call, time.perf_counter() - started, _client(scope))

    def _tell(self, call: CallRecord, seconds: float, client: str) -> None:
        self.metrics.count_call(call, seconds)
        self.counts.count_call(call)
        if not logger.isEnabledFor(logging.INFO):
            return
        line = {
            "name": logger.name,
            "levelno": logging.INFO,
            "levelname": "INFO",
            "msg": "call",
            "request_id": call.request_id,
            "service": call.service,
            "operation": call.operation,
            "status": call.status,
            "ms": round(seconds * 1000, 1),
            "cards": len(call.cards) if call.operation == "cards" else None,
            "indicator": _most_severe(call.cards),
            "gaps": len(call.gaps) if call.operation == "cards" else None,
            "outcomes": call.outcomes,
            "withheld": len(call.withheld) or None,
            "trigger": call.trigger,
            "client": client,
        }
        # `logger.info` would look for its caller in the stack, at every call.
        logger.handle(logging.makeLogRecord(line))


def _called(scope: Scope) -> tuple[str, Operation]:
    """The service and what is asked of it; no service for a request that is no call."""
    found = ADDRESS.fullmatch(scope["path"]) if scope["method"] == "POST" else None
    if found is None:
        return "", "cards"
    return found[1] if found[1] in SERVICE_BY_ID else "unknown", OPERATIONS[found[2]]


def _client(scope: Scope) -> str:
    """The host of the issuer of the verified token, if there was one."""
    caller = scope.get("state", {}).get("caller")
    return urlsplit(caller.issuer).hostname or "" if caller else ""


def _most_severe(cards: Sequence[Card]) -> str:
    found = {card.indicator for card in cards}
    return next((severity for severity in SEVERITIES if severity in found), "")
