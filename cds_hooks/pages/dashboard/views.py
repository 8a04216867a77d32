"""The dashboard as a page and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.feedback.by_day import outcomes_by_day
from cds_hooks.pages.dashboard.figures import Figures, read_figures
from cds_hooks.pages.dashboard.spans import SPANS, Span, chosen
from cds_hooks.pages.pages import Pages
from cds_hooks.pages.rendering import render
from cds_hooks.storage.daily_count import read_counts
from cds_hooks.storage.database import StorageError

HEADINGS = ("day", "measure", "service", "kind", "detail", "n")


async def dashboard(request: Request, pages: Pages) -> Response:
    """The page of the chosen span; without its database it says so."""
    span = _span(request)
    figures: Figures | None = None
    try:
        await pages.counts.flush(pages.keeper)
        figures = await read_figures(pages.database, span, pages.kit, pages.knowledge)
    except StorageError:
        pass
    return await run_in_threadpool(
        lambda: render(
            "dashboard/dashboard.html",
            request,
            pages,
            status=200 if figures else 503,
            figures=figures,
            span=span,
            spans=SPANS,
        )
    )


async def counts_csv(request: Request, pages: Pages) -> Response:
    """The same numbers, one row per day and what was counted: for a spreadsheet."""
    span = _span(request)
    try:
        await pages.counts.flush(pages.keeper)
        rows: list[Sequence[object]] = [
            tuple(row) for row in await read_counts(pages.database, span.since) if row.day <= span.until
        ]
        for day in await outcomes_by_day(pages.database, span.since):
            rows += [(day.day, "feedback", "", day.topic, "accepted", day.accepted)] * bool(day.accepted)
            rows += [(day.day, "feedback", "", day.topic, "overridden", day.overridden)] * bool(
                day.overridden
            )
    except StorageError:
        return Response("The database does not answer; try again later.\n", 503, media_type="text/plain")
    name = f"twitching-cds-{span.since}-to-{span.until}.csv"
    return Response(
        _csv(rows), media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _span(request: Request) -> Span:
    return chosen(request.query_params.get("days"), datetime.now(UTC).date())


def _csv(rows: Iterable[Sequence[object]]) -> str:
    """As RFC 4180 has it. Every text in it is ours, so that no cell can be a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    writer.writerows(rows)
    return text.getvalue()
