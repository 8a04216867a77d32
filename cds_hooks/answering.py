"""A call's way from the web to its answer: the desk of the moment, what must be fetched, what is quiet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from cds_hooks import calls
from cds_hooks.desk import Desk
from cds_hooks.explanation import explanation
from cds_hooks.fhir_access.client import FhirClient
from cds_hooks.fhir_access.complete import complete
from cds_hooks.front import Front
from cds_hooks.prefetch import NOTHING_MORE, Completion
from cds_hooks.response import with_plain_topics
from cds_hooks.services import Service
from cds_hooks.storage.database import Database


class Answering:
    """Answers calls with cards or with the assessment behind them. Both raise Refused (400, 412)."""

    def __init__(self, front: Front, fhir: FhirClient, database: Database, today: Callable[[], date]) -> None:
        self._front = front
        self._fhir = fhir
        self._database = database
        self._today = today

    async def answer(self, service: Service, body: bytes) -> bytes:
        """The cards, as JSON, without those that somebody overrode as not applying to the patient."""
        desk = self._front.now
        answer = await self._answer(desk, service, body)
        return with_plain_topics(answer) if desk.kit.shape.plain_topics else answer

    async def _answer(self, desk: Desk, service: Service, body: bytes) -> bytes:
        more = await self._besides(service, body)
        if desk.quiet is None:
            return calls.answer(service, body, desk.knowledge, self._today(), desk.kit, more, desk.site)
        found = calls.consider(service, body, desk.knowledge, self._today(), more, desk.site, thorough=False)
        if found is None or found.silent:
            return calls.tell(found, calls.cards_of(found, desk.kit) if found else ())
        patient = desk.quiet.patient(found.request)
        kit = desk.quiet.signed(desk.kit, patient, found.shown)
        cards = calls.cards_of(found, kit)
        quiet = await desk.quiet.quiet(self._database, kit, patient, found.shown, cards)
        return calls.tell(found, calls.cards_of(found, kit, quiet) if quiet else cards, tuple(quiet.values()))

    async def explain(self, service: Service, body: bytes) -> bytes:
        """The assessment, as JSON: everything, with what is not shown named under `withheld`."""
        desk, more = self._front.now, await self._besides(service, body)
        if desk.quiet is None:
            return calls.explain(service, body, desk.knowledge, self._today(), more, desk.site)
        found = calls.consider(service, body, desk.knowledge, self._today(), more, desk.site)
        assert found is not None  # noqa: S101 - a thorough answer is always given
        patient = desk.quiet.patient(found.request)
        cards = () if found.silent else calls.cards_of(found, desk.kit)
        quiet = await desk.quiet.quiet(self._database, desk.kit, patient, found.shown, cards)
        return explanation(service, found.request, found.assessment, (*found.withheld, *quiet.values()))

    async def _besides(self, service: Service, body: bytes) -> Completion:
        """What the FHIR server adds to the prefetch."""
        if not self._fhir.settings.servers:
            return NOTHING_MORE
        return await complete(self._fhir, service, body, self._today())
