"""The page, what it offers, its patients, and the facts read of the record that is tried."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.errors import Refused, issue
from cds_hooks.http import Disconnected, find_service, read_body
from cds_hooks.pages.pages import Pages
from cds_hooks.pages.playground.facts_read import facts_read
from cds_hooks.pages.playground.options import options
from cds_hooks.pages.playground.situations import situation
from cds_hooks.pages.rendering import render

JSON = "application/json"


def index(request: Request, pages: Pages) -> Response:
    """The playground."""
    form = next((area.path for area in pages.areas if area.name == "history_form"), "")
    return render("playground.html", request, pages, history_form=form)


def offered(_: Request, pages: Pages) -> Response:
    """What can be chosen, and the words."""
    return Response(options(pages.knowledge, pages.kit), media_type=JSON)


def patient(request: Request, pages: Pages) -> Response:
    """One made-up patient as of today."""
    found = situation(request.path_params["situation"], pages.today())
    if found is None:
        return _refused(Refused(404, issue("not-found", "There is no such patient in the playground.")))
    return Response(found, media_type=JSON)


async def facts(request: Request, pages: Pages) -> Response:
    """The facts read of a hook request."""
    try:
        service = find_service(pages.front.now.services, request.path_params["service"])
        async with asyncio.timeout(pages.settings.body_seconds):
            body = await read_body(request.receive, pages.settings.max_body_bytes)
        found = await run_in_threadpool(facts_read, service, body, pages.knowledge, pages.kit)
    except (TimeoutError, Disconnected):
        return _refused(Refused(408, issue("timeout", "The body did not arrive in time.")))
    except Refused as refused:
        return _refused(refused)
    return Response(found, media_type=JSON)


def _refused(refused: Refused) -> Response:
    return Response(refused.body(), refused.status, media_type=JSON)
