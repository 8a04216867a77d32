"""The web application: routes, CORS, and an OperationOutcome for everything that is not a success."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

import cds_hooks
from cds_hooks import calls
from cds_hooks.answering import Answering
from cds_hooks.card_kit import card_kit
from cds_hooks.errors import IssueCode, issue, outcome
from cds_hooks.feedback.intake import feedback_intake
from cds_hooks.fhir_access.client import FhirClient
from cds_hooks.front import Front
from cds_hooks.http import LastResort, ServiceCall
from cds_hooks.monitoring.daily_counts import DailyCounts, gap_names
from cds_hooks.monitoring.log_lines import log_to_standard_error
from cds_hooks.monitoring.metrics import Metrics
from cds_hooks.monitoring.readiness import readiness
from cds_hooks.monitoring.watch import Watch
from cds_hooks.openapi import describe
from cds_hooks.pages.pages import Area, Pages, served
from cds_hooks.pages.routes import page_routes
from cds_hooks.services import SERVICES, Service
from cds_hooks.settings import Settings, load_settings
from cds_hooks.storage.daily_count import StoredCounts
from cds_hooks.storage.database import Database, StorageError
from cds_hooks.trust.operators import Operators
from mappings.knowledge import Knowledge, load_knowledge

GC_THRESHOLDS = 50_000, 20, 100
"""A call makes a few thousand short-lived objects and no cycles: collect rarely."""
WARM_UP = Path(__file__).with_name("warm_up.json")
"""A call that reads every kind of table, so that the first real one need not wait for them."""
MAX_FEEDBACK_BYTES = 1_000_000
"""Thousands of outcomes; a batch is stored in one transaction."""
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
    """The application. `today` is the only clock of the rules: the server's local date.

    Raises KnowledgeError, OrderError, SettingsError, ProfileError or DatabaseUrlError when what it stands on is not in
    order. A database that does not answer is no reason not to start: cards need none.
    """
    settings = settings or load_settings()
    rules = knowledge or load_knowledge()
    front = Front(settings, rules)
    kit = card_kit(rules)
    database = Database(settings.database_url)
    fhir = FhirClient(settings.fhir)
    metrics = Metrics(reason.code for reasons in kit.override_reasons.values() for reason in reasons)
    areas, operators = served(settings), Operators(database, settings.pages.operators)
    counts, keeper = DailyCounts(gap_names(rules)), StoredCounts(database)
    app = FastAPI(
        title="twitching-cds",
        version=cds_hooks.__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=partial(_lifespan, database=database, fhir=fhir, front=front, counts=counts, keeper=keeper),
        exception_handlers={HTTPException: _refuse, RequestValidationError: _refuse},
    )
    if settings.trust.mode == "required":
        _protect(app, settings, database, areas, operators)
    app.add_middleware(LastResort)
    # Browser clients add headers that trace or mark their calls; nothing here depends on any but two.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["*"],
        expose_headers=["X-Request-Id"],
        allow_private_network=True,
    )
    app.add_middleware(Watch, metrics=metrics, counts=counts)

    @app.head("/cds-services", include_in_schema=False)
    @app.get("/cds-services", summary="The services and their prefetch templates")
    async def _discovery() -> Response:
        return Response(front.now.discovery, media_type="application/json")

    @app.head("/health/live", include_in_schema=False)
    @app.get("/health/live", summary="The process answers")
    async def _live() -> Response:
        return Response(b'{"status":"ok"}', media_type="application/json")

    @app.head("/health/ready", include_in_schema=False)
    @app.get("/health/ready", summary="The rules are loaded; `degraded` while feedback cannot be stored")
    async def _ready() -> Response:
        return Response(await readiness(database, front), media_type="application/json")

    @app.head("/metrics", include_in_schema=False)
    @app.get("/metrics", summary="Counters for Prometheus")
    def _metrics() -> Response:  # not async: it reads the counters of every worker
        return Response(metrics.page(), media_type=CONTENT_TYPE_LATEST)

    answering = Answering(front, fhir, database, today)

    def services() -> Mapping[str, Service]:
        return front.now.services

    feedback = feedback_intake(database, kit, metrics, lambda: front.now)
    most = settings.max_body_bytes
    call = partial(ServiceCall, max_body_bytes=most, body_seconds=settings.body_seconds)
    # Plain routes: FastAPI's dependency and validation layers cost as much as the assessment itself.
    # The first of all: routes are tried in turn.
    app.routes.insert(
        0, Route("/cds-services/{service}", call(answering.answer, services=services), methods=["POST"])
    )
    app.routes.append(
        Route("/cds-services/{service}/explain", call(answering.explain, services=services), methods=["POST"])
    )
    small = partial(call, max_body_bytes=min(most, MAX_FEEDBACK_BYTES))
    app.routes.append(Route("/cds-services/{service}/feedback", small(feedback), methods=["POST"]))
    app.routes.extend(page_routes(Pages(settings, front, database, today, counts, keeper, operators, areas)))
    describe(app)
    calls.answer(SERVICES[0], WARM_UP.read_bytes(), front.now.knowledge, today(), front.now.kit)
    return app


def _protect(
    app: FastAPI, settings: Settings, database: Database, areas: Sequence[Area], operators: Operators
) -> None:
    """Let registered clients and operators in, and nobody else."""
    from cds_hooks.pages.guard import page_guard  # noqa: PLC0415 - loads the cryptography and an HTTP client
    from cds_hooks.trust.middleware import RequireTrust  # noqa: PLC0415
    from cds_hooks.trust.verifier import create_verifier  # noqa: PLC0415

    verifier = create_verifier(settings.trust, database)
    secure = settings.endpoint_base.startswith("https:")
    guard = page_guard(areas, operators, secure=secure, root=settings.root_path)
    app.add_middleware(RequireTrust, verifier=verifier, base=settings.endpoint_base, guard=guard)


def from_environment() -> FastAPI:
    """The application of one worker process, as its environment says."""
    gc.disable()  # until everything is loaded
    settings = load_settings()
    log_to_standard_error(settings.log_level)
    return create_app(settings)


@asynccontextmanager
async def _lifespan(
    _: FastAPI,
    database: Database,
    fhir: FhirClient,
    front: Front,
    counts: DailyCounts,
    keeper: StoredCounts,
) -> AsyncIterator[None]:
    """Everything that lives as long as the process is taken out of the garbage collector's sight.

    What was loaded goes unsearched: that would take 0.15 s and find some hundred kilobytes.
    """
    gc.freeze()
    with suppress(StorageError):  # it is tried again with the first feedback
        await database.upgrade()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()
    following = asyncio.create_task(front.follow())
    writer = asyncio.create_task(counts.keep_flushing(keeper))
    yield
    following.cancel()
    await fhir.close()
    await counts.close(keeper, writer)
    await database.close()


async def _refuse(_: Request, error: Exception) -> Response:
    """What the framework itself refuses; it must not repeat what was sent."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    code, text = REFUSALS.get(status, ("value", "The request cannot be answered."))
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else None
    return Response(outcome(issue(code, text)), status, headers, "application/json")
