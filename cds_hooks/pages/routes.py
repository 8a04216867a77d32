"""The addresses of the pages, for the application. What a page needs is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.pages.pages import SIGN_IN, Pages, View

SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
"""What a page may load, and where it may send: nothing but its own origin, and nothing written into the page itself."""
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {source}" for name, source in SOURCES.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every page and file. A response that says otherwise keeps its own."""
STATIC = View("/static/{name:path}", "cds_hooks.pages.static_files:static_file")


def page_routes(pages: Pages) -> list[Route]:
    """A route per address that the settings serve."""
    views = [view for area in pages.areas for view in area.views]
    if pages.operators and pages.settings.trust.mode == "required":
        views += SIGN_IN
    return [_route(view, pages) for view in (*views, STATIC)]


def _route(view: View, pages: Pages) -> Route:
    async def endpoint(request: Request) -> Response:
        answer = await run_in_threadpool(_load, view.target)
        if iscoroutinefunction(answer):
            response: Response = await answer(request, pages)
        else:
            response = await run_in_threadpool(answer, request, pages)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return Route(view.path, endpoint, methods=list(view.methods))


def _load(target: str) -> Callable[..., Any]:
    module, _, function = target.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
