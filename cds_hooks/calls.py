"""From the body of a call to the body of its answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from msgspec.structs import replace

from cds_hooks import prefetch
from cds_hooks.card_kit import CardKit
from cds_hooks.card_wording import CardKind
from cds_hooks.cards import build_cards
from cds_hooks.explanation import explanation
from cds_hooks.monitoring.call_record import note_answer, note_trigger
from cds_hooks.prefetch import NOTHING_MORE, Completion
from cds_hooks.request import HookRequest, read_request
from cds_hooks.response import Card, encode
from cds_hooks.services import Service
from cds_hooks.site_rules import SiteRules, Withheld, marked, nothing_abnormal, without_silent
from mappings.assess.assess import assess
from mappings.assess.case import documents_twitching
from mappings.assess.readings import CLOCK_SKEW
from mappings.assessment import Assessment
from mappings.facts import PatientFacts, Problem
from mappings.from_fhir.read import read_patient_facts
from mappings.knowledge import Knowledge


class Considered(NamedTuple):
    """One call with its assessment, what of it may be shown, and what the site keeps back."""

    request: HookRequest
    assessment: Assessment
    shown: Assessment
    withheld: tuple[Withheld, ...] = ()
    silent: bool = False
    """No card at all is shown, whatever was found."""


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
    request = read_request(body, service)
    return request, _assess(service, request, knowledge, today, more, thorough=thorough)[1]


def _assess(
    service: Service,
    request: HookRequest,
    knowledge: Knowledge,
    today: date,
    more: Completion,
    *,
    thorough: bool,
) -> tuple[PatientFacts, Assessment]:
    def silent(problems: Sequence[Problem]) -> bool:
        return not thorough and not any(documents_twitching(problem, knowledge) for problem in problems)

    facts = read_patient_facts(
        request.context.patient_id, prefetch.sources(service, request, more), today + CLOCK_SKEW, silent
    )
    facts = prefetch.name_gaps(service, request, prefetch.selected(request, facts), more)
    assessment = assess(facts, knowledge, today)
    prefetch.require(service, facts, assessment)
    return facts, assessment


def consider(
    service: Service,
    body: bytes,
    knowledge: Knowledge,
    today: date,
    more: Completion = NOTHING_MORE,
    site: SiteRules | None = None,
    *,
    thorough: bool = True,
) -> Considered | None:
    """The call as this site wants it answered. Raises Refused (400, 412).

    None when the site wants no answer to what set the hook off; a `thorough` one is given all the same.
    """
    request = read_request(body, service)
    if request.trigger:
        note_trigger(request.trigger)
    return consider_request(service, request, knowledge, today, more, site, thorough=thorough)


def consider_request(
    service: Service,
    request: HookRequest,
    knowledge: Knowledge,
    today: date,
    more: Completion = NOTHING_MORE,
    site: SiteRules | None = None,
    *,
    thorough: bool = True,
) -> Considered | None:
    """The same for a call that is checked already; the replay of an export comes in here. Raises Refused (412)."""
    off = site is not None and request.trigger in site.triggers_off
    if off and not thorough:
        return None
    facts, assessment = _assess(service, request, knowledge, today, more, thorough=thorough)
    if site is None:
        return Considered(request, assessment, assessment)
    if site.mark:
        assessment = marked(assessment, site.mark)
    if assessment.silent_reason is not None:
        return Considered(request, assessment, assessment)
    if off:
        return _kept_back(request, assessment, Withheld("answer", assessment.indicator, "trigger-off"))
    if site.only_if_abnormal and nothing_abnormal(assessment):
        found = [p for p in facts.problems if documents_twitching(p, knowledge)]
        if found and not any(site.only_if_abnormal.isdisjoint(problem.concepts) for problem in found):
            return _kept_back(
                request, assessment, Withheld("answer", assessment.indicator, "only-if-abnormal")
            )
    shown, withheld = without_silent(assessment, site.silent) if site.silent else (assessment, [])
    if site.everything_silent:
        return Considered(request, _mode_silent(assessment), shown, tuple(withheld), silent=True)
    return Considered(request, assessment, shown, tuple(withheld))


def _kept_back(request: HookRequest, assessment: Assessment, why: Withheld) -> Considered:
    silent = _mode_silent(assessment)
    return Considered(request, silent, silent, (why,))


def _mode_silent(assessment: Assessment) -> Assessment:
    return replace(assessment, silent_reason="mode-silent")


def answer(
    service: Service,
    body: bytes,
    knowledge: Knowledge,
    today: date,
    kit: CardKit,
    more: Completion = NOTHING_MORE,
    site: SiteRules | None = None,
) -> bytes:
    """The cards, as JSON."""
    found = consider(service, body, knowledge, today, more, site, thorough=False)
    return tell(found, cards_of(found, kit) if found else ())


def cards_of(found: Considered, kit: CardKit, quiet: Collection[CardKind] = ()) -> tuple[Card, ...]:
    """The cards of what may be shown."""
    return build_cards(found.shown, found.request.context, kit, quiet)


def tell(found: Considered | None, cards: tuple[Card, ...], quiet: Sequence[Withheld] = ()) -> bytes:
    """The cards as JSON, counted; those of a silent site are counted only."""
    if found is None:
        note_answer((), (), (Withheld("answer", "none", "trigger-off"),))
        return encode(())
    if found.silent:
        kept_back = [Withheld(card.source.topic.code, card.indicator, "silent-site") for card in cards]
        note_answer((), found.assessment.gaps, (*found.withheld, *kept_back))
        return encode(())
    note_answer(cards, found.assessment.gaps, (*found.withheld, *quiet))
    return encode(cards)


def explain(
    service: Service,
    body: bytes,
    knowledge: Knowledge,
    today: date,
    more: Completion = NOTHING_MORE,
    site: SiteRules | None = None,
) -> bytes:
    """The assessment behind the cards, as JSON, with what the site keeps back of it."""
    found = consider(service, body, knowledge, today, more, site)
    assert found is not None  # noqa: S101 - a thorough answer is always given
    return explanation(service, found.request, found.assessment, found.withheld)
