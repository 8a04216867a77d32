"""The web application: routes, CORS, and an OperationOutcome for everything that is not a success."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from pathlib import Path

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

import cds_hooks
from cds_hooks import calls
from cds_hooks.card_kit import card_kit
from cds_hooks.discovery import discovery
from cds_hooks.errors import IssueCode, issue, outcome
from cds_hooks.http import LastResort, ServiceCall
from cds_hooks.openapi import describe
from cds_hooks.services import SERVICES, Service
from cds_hooks.settings import Settings, load_settings
from mappings.knowledge import Knowledge, load_knowledge

GC_THRESHOLDS = 50_000, 20, 100
"""A call makes a few thousand short-lived objects and no cycles: collect rarely."""
WARM_UP = Path(__file__).with_name("warm_up.json")
"""A call that reads every kind of table, so that the first real one need not wait for them."""
REFUSALS: dict[int, tuple[IssueCode, str]] = {
    404: ("not-found", "There is nothing at this address; see GET /cds-services."),
    405: ("not-supported", "This address does not support this HTTP method."),
}


def create_app(
    settings: Settings | None = None,
    *,
    knowledge: Knowledge | None = None,
    today: Callable[[], date] = date.today,
) -> FastAPI:
    """The application. `today` is the only clock: the server's local date.

    Raises KnowledgeError, OrderError or SettingsError when what it stands on is not in order.
    """
    settings = settings or load_settings()
    rules = knowledge or load_knowledge()
    kit = card_kit(rules, settings.base_url or "")
    app = FastAPI(
        title="twitching-cds",
        version=cds_hooks.__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        exception_handlers={HTTPException: _refuse, RequestValidationError: _refuse},
    )
    app.add_middleware(LastResort)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
        allow_private_network=True,
    )
    services = discovery(SERVICES)
    ready = msgspec.json.encode({"status": "ready", "knowledgeVersion": rules.version})

    @app.get("/cds-services", summary="The services and their prefetch templates")
    async def _discovery() -> Response:
        return Response(services, media_type="application/json")

    @app.get("/health/live", summary="The process answers")
    async def _live() -> Response:
        return Response(b'{"status":"ok"}', media_type="application/json")

    @app.get("/health/ready", summary="The rules are loaded")
    async def _ready() -> Response:
        return Response(ready, media_type="application/json")

    def answer(service: Service, body: bytes) -> bytes:
        return calls.answer(service, body, rules, today(), kit)

    def explain(service: Service, body: bytes) -> bytes:
        return calls.explain(service, body, rules, today())

    call = partial(ServiceCall, max_body_bytes=settings.max_body_bytes, body_seconds=settings.body_seconds)
    # Plain routes: FastAPI's dependency and validation layers cost as much as the assessment itself.
    app.routes.append(Route("/cds-services/{service}", call(answer), methods=["POST"]))
    app.routes.append(Route("/cds-services/{service}/explain", call(explain), methods=["POST"]))
    describe(app)
    answer(SERVICES[0], WARM_UP.read_bytes())
    return app


def from_environment() -> FastAPI:
    """The application of one worker process, as its environment says."""
    settings = load_settings()
    log(settings)
    return create_app(settings)


def log(settings: Settings) -> None:
    """Log to standard error; no record of this package holds anything that a caller sent."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Everything that lives as long as the process is taken out of the garbage collector's sight."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    yield


async def _refuse(_: Request, error: Exception) -> Response:
    """What the framework itself refuses; it must not repeat what was sent."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    code, text = REFUSALS.get(status, ("value", "The request cannot be answered."))
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else None
    return Response(outcome(issue(code, text)), status, headers, "application/json")
