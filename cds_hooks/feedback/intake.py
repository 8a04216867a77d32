"""Taking feedback in: acknowledged when it is stored, and not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cds_hooks.card_kit import CardKit
from cds_hooks.desk import Desk
from cds_hooks.errors import Refused, issue
from cds_hooks.feedback.message import Outcome, Reason, read_feedback
from cds_hooks.feedback.store import Also, save, subjects
from cds_hooks.http import Answer
from cds_hooks.monitoring.call_record import note_outcomes
from cds_hooks.monitoring.metrics import Metrics
from cds_hooks.quiet.store import forget, remember
from cds_hooks.services import Service
from cds_hooks.storage.database import Database, StorageError

RETRY_SECONDS = 30
TAKEN = b"{}"
"""The specification defines no body (CDS Hooks 2.0, Feedback)."""


def feedback_intake(
    database: Database, kit: CardKit, metrics: Metrics, now: Callable[[], Desk] | None = None
) -> Answer:
    """What answers a feedback call. Raises Refused: 400 naming the field at fault, 503 when it cannot be stored now.

    `now` is the desk at the time of a call, for a site with reasons of its own or advice that stays quiet.
    """
    known = subjects(kit)

    async def take(service: Service, body: bytes) -> bytes:
        outcomes = read_feedback(body)
        note_outcomes(len(outcomes))
        desk = now() if now else None
        if desk and desk.reasons:
            outcomes = tuple(_in_our_codes(one, desk.reasons) for one in outcomes)
        received = datetime.now(UTC)
        try:
            also = _silencing(desk, kit, known, received) if desk else None
            stored = await save(database, service.id, outcomes, received, known, also)
        except StorageError:
            text = "The feedback cannot be stored at the moment; nothing of it was. Send it again later."
            raise Refused(503, issue("transient", text), retry_after=RETRY_SECONDS) from None
        metrics.count_feedback(stored)
        return TAKEN

    return take


def _in_our_codes(outcome: Outcome, reasons: Mapping[tuple[str, str], tuple[str, str]]) -> Outcome:
    """With our code in place of the site's, so that reports of all sites say the same; some clients send no system."""
    system, code = outcome.reason
    ours = reasons.get((system, code)) or (None if system else reasons.get(("", code)))
    return outcome._replace(reason=Reason(*ours)) if ours else outcome


def _silencing(desk: Desk, kit: CardKit, known: Mapping[str, str], received: datetime) -> Also | None:
    """What keeps overridden advice quiet from now on, where the site wants that."""
    quiet = desk.quiet
    if quiet is None:
        return None

    async def also(connection: AsyncConnection, outcomes: Sequence[Outcome]) -> None:
        await remember(connection, quiet.overridden(outcomes, known, kit), received)
        await forget(connection, quiet.oldest())

    return also
