"""Lets trusted callers pass. Pure ASGI, because it is on the hot path."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_hooks.http import respond
from cds_hooks.monitoring.call_record import CALL
from cds_hooks.monitoring.watch import PATH_AS_SENT
from cds_hooks.trust.refusal import Unauthorised
from cds_hooks.trust.verifier import Verifier

logger = logging.getLogger("twitching_cds")
Guard = Callable[[Scope, ASGIApp], Awaitable[ASGIApp | None]]
OPEN = ("/health/live", "/health/ready", "/knowledge", "/openapi.json", "/static")
"""What anybody may read, with everything below: whether the service is well, the published rules, which cards link to,
and the looks of the pages. Nothing of it depends on a patient or a caller."""
LOCAL = ("/metrics",)
"""What needs no token from a loopback address, where the collector or a proxy that guards it runs."""
BODY = msgspec.json.encode(
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "login"}]}
)
"""The answer to every refusal, whatever its reason."""
CHALLENGE = ((b"www-authenticate", b"Bearer"),)


class RequireTrust:
    """Answers 401 to everybody but trusted callers; the Caller is then `scope["state"]["caller"]`.

    `base` is the URL at which clients reach this service, without a slash at its end: a token must be meant for the
    endpoint that is called, below this base, whatever host the call itself names.
    """

    def __init__(self, app: ASGIApp, verifier: Verifier, base: str, guard: Guard | None = None) -> None:
        """`guard` says who answers a request without a token: itself, if it is for a page, or nobody."""
        self.app = app
        self.verifier = verifier
        self.base = base
        self.guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or refuse it."""
        if scope["type"] == "http" and not _is_open(scope):
            authorization = [value for name, value in scope["headers"] if name == b"authorization"]
            if self.guard and not authorization and (answers := await self.guard(scope, self.app)):
                await answers(scope, receive, send)
                return
            path: str = scope.get(PATH_AS_SENT) or scope["path"]
            try:
                caller = await self.verifier.verify(authorization, self.base + path)
            except Unauthorised as refused:
                logger.warning(
                    "call refused: %s (issuer %s)", refused.reason, refused.issuer_host or "unknown"
                )
                await respond(send, 401, BODY, CHALLENGE)
                return
            scope.setdefault("state", {})["caller"] = caller
            if call := CALL.get():
                call.caller = caller.issuer, caller.tenant or ""
        await self.app(scope, receive, send)


def _is_open(scope: Scope) -> bool:
    path = scope["path"]
    if any(path == named or path.startswith(f"{named}/") for named in OPEN):
        return True
    return path in LOCAL and _is_loopback(scope.get("client"))


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
