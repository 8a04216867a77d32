"""What stays quiet, for whom and for how long; what is critical and what is a red flag never does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from cds_hooks.advice_id import TOPIC, new_id, subject_of
from cds_hooks.card_kit import CardKit
from cds_hooks.card_wording import CardKind
from cds_hooks.feedback.message import Outcome
from cds_hooks.monitoring.call_record import CALL
from cds_hooks.quiet.keys import Keys, Note
from cds_hooks.quiet.situation import INDICATORS, situation_of
from cds_hooks.quiet.store import Overridden, recall
from cds_hooks.request import HookRequest
from cds_hooks.response import Card
from cds_hooks.site_rules import Withheld
from cds_hooks.storage.database import Database, StorageError
from mappings.assessment import Assessment

logger = logging.getLogger("twitching_cds")
MAY_BE_QUIET: tuple[CardKind, ...] = ("contributors", "orders", "tests")
CRITICAL = INDICATORS.index("critical")
PATIENCE_SECONDS = 0.25
"""How long an answer waits to hear what is quiet; then everything is shown."""


@dataclass(frozen=True, slots=True)
class QuietRules:
    """The section `quiet` of a site profile."""

    keys: Keys
    days: int
    scope: Literal["user", "site"]
    reasons: frozenset[str]
    """Our codes of the override reasons that count."""

    def patient(self, request: HookRequest) -> str:
        """What stands for the patient of a call, at its client and (in the scope of a user) for its user."""
        call, context = CALL.get(), request.context
        issuer, tenant = call.caller if call else ("", "")
        user = context.user_id if self.scope == "user" else ""
        return self.keys.patient(issuer, tenant, request.fhir_server, context.patient_id, user)

    def signed(self, kit: CardKit, patient: str, assessment: Assessment) -> CardKit:
        """The kit whose identifiers say, masked, which patient and situation a card is about."""
        notes = {
            f"{TOPIC}{kit.sources[kind].topic.code}": Note(patient, situation_of(assessment, kind))
            for kind in MAY_BE_QUIET
        }

        def signed_id(subject: str) -> str:
            note = notes.get(subject)
            return new_id(subject, self.keys.sealed(note) if note else b"")

        return replace(kit, new_id=signed_id)

    async def quiet(
        self, database: Database, kit: CardKit, patient: str, assessment: Assessment, cards: Sequence[Card]
    ) -> dict[CardKind, Withheld]:
        """The kinds of these cards that were overridden in a situation no better than this."""
        kinds = {kit.sources[kind].topic.code: kind for kind in MAY_BE_QUIET}
        shown = {card.source.topic.code: card for card in cards if card.indicator != "critical"}
        if not kinds.keys() & shown.keys():
            return {}
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                before = await recall(database, patient, self.oldest())
        except (StorageError, TimeoutError):
            logger.warning("what is quiet is not known: the database did not answer; all cards are shown")
            return {}
        return {
            kinds[topic]: Withheld(topic, shown[topic].indicator, "overridden")
            for topic, then in before.items()
            if topic in kinds
            and topic in shown
            and not situation_of(assessment, kinds[topic]).is_worse_than(then)
        }

    def overridden(
        self, outcomes: Iterable[Outcome], known: Mapping[str, str], kit: CardKit
    ) -> list[Overridden]:
        """Those that say that the advice does not apply, about cards that may be quiet. `known`: `store.subjects`."""
        topics = {kit.sources[kind].topic.code for kind in MAY_BE_QUIET}
        found = []
        for one in outcomes:
            topic = subject_of(one.card, known).removeprefix(TOPIC)
            if one.outcome != "overridden" or one.reason.code not in self.reasons or topic not in topics:
                continue
            note = self.keys.opened(one.card)
            if note and note.situation.indicator != CRITICAL:
                found.append(Overridden(note.patient, topic, note.situation))
        return found

    def oldest(self) -> datetime:
        """What was overridden before this is quiet no longer."""
        return datetime.now(UTC) - timedelta(days=self.days)
