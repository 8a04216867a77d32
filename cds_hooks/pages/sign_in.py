"""Signing in and out of the pages, without a script."""

from __future__ import annotations

import logging
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cds_hooks.errors import Refused
from cds_hooks.http import read_body
from cds_hooks.pages.guard import cookie_name, cookie_of, from_this_site, header
from cds_hooks.pages.pages import Pages
from cds_hooks.pages.rendering import render
from cds_hooks.storage.database import StorageError
from cds_hooks.trust.operators import FAILURE_SECONDS, SESSION_SECONDS, TooManyAttempts

logger = logging.getLogger("twitching_cds")
LONGEST_FORM = 2_000


async def sign_in(request: Request, pages: Pages) -> Response:
    """The form, and what it sends."""
    if request.method != "POST":
        return await _form(request, pages, 200, "")
    if not _ours(request):
        return await _form(request, pages, 403, "foreign")
    try:
        sent = parse_qs((await read_body(request.receive, LONGEST_FORM)).decode("utf-8", "replace"))
        key = sent.get("key", [""])[0]
        session = await pages.operators.sign_in(key, request.client.host if request.client else "")
    except Refused:
        return await _form(request, pages, 413, "wrong")
    except TooManyAttempts:
        answer = await _form(request, pages, 429, "often")
        answer.headers["Retry-After"] = f"{FAILURE_SECONDS:.0f}"
        return answer
    except StorageError:
        return await _form(request, pages, 503, "away")
    if session is None:
        logger.warning("operator sign-in refused")
        return await _form(request, pages, 403, "wrong")
    logger.info("operator signed in: %s", session.name)
    response = RedirectResponse(pages.settings.root_path + _next(request, pages), 303)
    secure = _secure(pages)
    response.set_cookie(
        cookie_name(secure=secure),
        session.cookie,
        max_age=SESSION_SECONDS,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )
    return response


async def sign_out(request: Request, pages: Pages) -> Response:
    """End the session, in the database and in the browser."""
    name = cookie_name(secure=_secure(pages))
    if _ours(request):
        try:
            await pages.operators.sign_out(cookie_of(request.scope, name))
        except StorageError:
            return await _form(request, pages, 503, "away")
    response = RedirectResponse(f"{pages.settings.root_path}/sign-in", 303)
    response.delete_cookie(name, path="/", secure=_secure(pages), httponly=True, samesite="strict")
    return response


async def _form(request: Request, pages: Pages, status: int, problem: str) -> Response:
    return await run_in_threadpool(
        lambda: render(
            "sign_in.html", request, pages, status=status, problem=problem, next=_next(request, pages)
        )
    )


def _next(request: Request, pages: Pages) -> str:
    """Where to go afterwards: only a page of ours, whatever the address says."""
    wanted = request.query_params.get("next")
    return next((area.path for area in pages.areas if area.path == wanted), "/dashboard")


def _ours(request: Request) -> bool:
    """Sent by our own form: another site could sign somebody in as somebody else."""
    return from_this_site(request.scope) or not header(request.scope, b"sec-fetch-site")


def _secure(pages: Pages) -> bool:
    return pages.settings.endpoint_base.startswith("https:")
