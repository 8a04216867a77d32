"""Who may see a page when callers need a token: anybody a public one, operators who are signed in the others."""

from __future__ import annotations

from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Scope

from cds_hooks.pages.pages import Area, View
from cds_hooks.storage.database import StorageError
from cds_hooks.trust.middleware import Guard
from cds_hooks.trust.operators import Operators

CALLS = "/cds-services"
"""What the playground calls."""
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"


def cookie_name(*, secure: bool) -> str:
    """The prefix binds the cookie to this host and to TLS; without TLS a browser would not take it."""
    return "__Host-twitching-cds" if secure else "twitching-cds"


def page_guard(areas: Sequence[Area], operators: Operators, *, secure: bool, root: str) -> Guard:
    """Says who answers a request without a token: the application, the way to the sign-in, or nobody (None)."""
    name = cookie_name(secure=secure)
    public = [view for area in areas if area.public for view in area.views]
    guarded = [view for area in areas if not area.public for view in area.views]
    tried_out = any(area.name == "playground" for area in areas)

    async def answers(scope: Scope, app: ASGIApp) -> ASGIApp | None:
        path = scope["path"]
        if (operators and path in (SIGN_IN, SIGN_OUT)) or _any_covers(public, path):
            return app
        page = _any_covers(guarded, path)
        if not operators or not (page or (tried_out and path.startswith(CALLS) and from_this_site(scope))):
            return None
        try:
            if await operators.knows(cookie_of(scope, name)):
                scope.setdefault("state", {})["operator"] = True
                return app
        except StorageError:
            return None
        if page and scope["method"] == "GET" and "text/html" in header(scope, b"accept"):
            return RedirectResponse(
                f"{root}{SIGN_IN}?{urlencode({'next': path})}", 303, {"Cache-Control": "no-store"}
            )
        return None

    return answers


def _any_covers(views: Sequence[View], path: str) -> bool:
    for view in views:
        fixed, brace, _ = view.path.partition("{")
        if path == fixed or (brace and path.startswith(fixed)):
            return True
    return False


def from_this_site(scope: Scope) -> bool:
    """Whether a browser says that one of our own pages sent this."""
    return header(scope, b"sec-fetch-site") == "same-origin"


def cookie_of(scope: Scope, name: str) -> str:
    """The value of a cookie; empty if there is none."""
    try:
        found = SimpleCookie(header(scope, b"cookie")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def header(scope: Scope, name: bytes) -> str:
    """The first value of a header; empty if it is not there."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
