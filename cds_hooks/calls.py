"""From the body of a call to the body of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cds_hooks import prefetch
from cds_hooks.card_kit import CardKit
from cds_hooks.cards import build_cards
from cds_hooks.explanation import explanation
from cds_hooks.monitoring.call_record import note_answer
from cds_hooks.prefetch import NOTHING_MORE, Completion
from cds_hooks.request import HookRequest, read_request
from cds_hooks.response import encode
from cds_hooks.services import Service
from mappings.assess.assess import assess
from mappings.assess.case import documents_twitching
from mappings.assess.readings import CLOCK_SKEW
from mappings.assessment import Assessment
from mappings.facts import Problem
from mappings.from_fhir.read import read_patient_facts
from mappings.knowledge import Knowledge


def evaluate(
    service: Service,
    body: bytes,
    knowledge: Knowledge,
    today: date,
    more: Completion = NOTHING_MORE,
    *,
    thorough: bool = True,
) -> tuple[HookRequest, Assessment]:
    """The checked call and its assessment. Raises Refused (400, 412).

    Unless `thorough`, a call without documented twitching is not read further than it takes to be silent.
    """

    def silent(problems: Sequence[Problem]) -> bool:
        return not thorough and not any(documents_twitching(problem, knowledge) for problem in problems)

    request = read_request(body, service)
    facts = read_patient_facts(
        request.context.patient_id, prefetch.sources(service, request, more), today + CLOCK_SKEW, silent
    )
    facts = prefetch.name_gaps(service, request, prefetch.selected(request, facts), more)
    assessment = assess(facts, knowledge, today)
    prefetch.require(service, facts, assessment)
    return request, assessment


def answer(
    service: Service,
    body: bytes,
    knowledge: Knowledge,
    today: date,
    kit: CardKit,
    more: Completion = NOTHING_MORE,
) -> bytes:
    """The cards, as JSON."""
    request, assessment = evaluate(service, body, knowledge, today, more, thorough=False)
    cards = build_cards(assessment, request.context, kit)
    note_answer(cards, assessment.gaps)
    return encode(cards)


def explain(
    service: Service, body: bytes, knowledge: Knowledge, today: date, more: Completion = NOTHING_MORE
) -> bytes:
    """The assessment behind the cards, as JSON."""
    request, assessment = evaluate(service, body, knowledge, today, more)
    return explanation(service, request, assessment)
