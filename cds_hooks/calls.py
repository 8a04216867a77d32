"""From the body of a call to the body of its answer."""

from __future__ import annotations

from datetime import date

from cds_hooks import prefetch
from cds_hooks.card_kit import CardKit
from cds_hooks.cards import build_cards
from cds_hooks.explanation import explanation
from cds_hooks.request import HookRequest, read_request
from cds_hooks.response import encode
from cds_hooks.services import Service
from mappings.assess.assess import assess
from mappings.assess.readings import CLOCK_SKEW
from mappings.assessment import Assessment
from mappings.from_fhir.read import read_patient_facts
from mappings.knowledge import Knowledge


def evaluate(
    service: Service, body: bytes, knowledge: Knowledge, today: date
) -> tuple[HookRequest, Assessment]:
    """The checked call and its assessment. Raises Refused (400, 412)."""
    request = read_request(body, service)
    facts = read_patient_facts(
        request.context.patient_id, prefetch.sources(service, request), newest_until=today + CLOCK_SKEW
    )
    facts = prefetch.name_gaps(service, request, prefetch.selected(request, facts))
    assessment = assess(facts, knowledge, today)
    prefetch.require(service, facts, assessment)
    return request, assessment


def answer(service: Service, body: bytes, knowledge: Knowledge, today: date, kit: CardKit) -> bytes:
    """The cards, as JSON."""
    request, assessment = evaluate(service, body, knowledge, today)
    return encode(build_cards(assessment, request.context, kit))


def explain(service: Service, body: bytes, knowledge: Knowledge, today: date) -> bytes:
    """The assessment behind the cards, as JSON."""
    request, assessment = evaluate(service, body, knowledge, today)
    return explanation(service, request, assessment)
