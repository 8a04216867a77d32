"""Taking feedback in: acknowledged when it is stored, and not before."""

from __future__ import annotations

from datetime import UTC, datetime

from cds_hooks.card_kit import CardKit
from cds_hooks.errors import Refused, issue
from cds_hooks.feedback.message import read_feedback
from cds_hooks.feedback.store import save, subjects
from cds_hooks.http import Answer
from cds_hooks.monitoring.call_record import note_outcomes
from cds_hooks.monitoring.metrics import Metrics
from cds_hooks.services import Service
from cds_hooks.storage.database import Database, StorageError

RETRY_SECONDS = 30
TAKEN = b"{}"
"""The specification defines no body (CDS Hooks 2.0, Feedback)."""


def feedback_intake(database: Database, kit: CardKit, metrics: Metrics) -> Answer:
    """What answers a feedback call. Raises Refused: 400 naming the field at fault, 503 when it cannot be stored now."""
    known = subjects(kit)

    async def take(service: Service, body: bytes) -> bytes:
        outcomes = read_feedback(body)
        note_outcomes(len(outcomes))
        try:
            stored = await save(database, service.id, outcomes, datetime.now(UTC), known)
        except StorageError:
            text = "The feedback cannot be stored at the moment; nothing of it was. Send it again later."
            raise Refused(503, issue("transient", text), retry_after=RETRY_SECONDS) from None
        metrics.count_feedback(stored)
        return TAKEN

    return take
