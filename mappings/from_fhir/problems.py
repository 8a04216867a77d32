"""Diagnoses, procedures and reasons of encounters, as problems of the concepts they name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mappings.facts import DataGap, Order, Problem
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.datatypes import CodeableConcept
from mappings.from_fhir.dates import end_or_start, first_readable, is_unset
from mappings.from_fhir.meaning import (
    concepts_named,
    procedures_of,
    spoken,
    statuses_of,
    text_of,
    without_diseases,
)
from mappings.from_fhir.shapes import Condition, Diagnosis, Encounter, Procedure
from mappings.from_fhir.vocabulary import CERTAINTIES, CERTAINTY

REFUTED: Final = frozenset({"refuted", "entered-in-error"})
DOUBTED: Final = frozenset({"unconfirmed", "provisional", "differential"})
"""A disease that is only suspected is not known; a symptom is there all the same."""
INACTIVE: Final = frozenset({"inactive", "remission", "resolved"})
ACTIVE: Final = frozenset({"active", "recurrence", "relapse"})
DONE: Final = frozenset({"completed", "in-progress", ""})
UNDER_WAY: Final = frozenset({"in-progress", "arrived", "triaged", "onleave", "on-hold"})


def read_condition(item: Item, _chart: Chart) -> Iterator[Problem | DataGap]:
    """A Condition of any category, unless refuted or entered in error; of a suspected one only the symptoms are there."""
    condition = item.resource
    assert isinstance(condition, Condition)  # noqa: S101 - read.py dispatches by type
    said = statuses_of(condition.clinical_status)
    verified = statuses_of(condition.verification_status)
    if condition.code and any(coding.extension for coding in condition.code.coding):
        stated = set(_certainty(condition.code))
        said, verified = said | stated, verified | stated
    if REFUTED & {*said, *verified, condition.status}:
        return
    if condition.code is None or not (condition.code.coding or condition.code.text):
        yield DataGap(
            "Condition", "not-readable", "a Condition does not say what it is", item.label or item.key
        )
        return
    named = concepts_named(condition.code)
    meant = without_diseases(named.concepts) if verified & DOUBTED else named.concepts
    suspected = (*(name for name in named.concepts if name not in meant), *named.suspected)
    if not (meant or suspected):
        return
    period, abatement = condition.onset_period, condition.abatement_period
    onset = first_readable(condition.onset_date_time, period.start if period else "", condition.onset_string)
    ended = first_readable(
        condition.abatement_date_time, *end_or_start(abatement), condition.abatement_string
    )
    recorded = first_readable(condition.recorded_date, condition.asserted_date, condition.date_recorded)
    yield Problem(
        concepts=meant,
        text=text_of(condition.code) or spoken((*named.concepts, *suspected)[:1]),
        active=bool(said & ACTIVE) or not (said & INACTIVE or _has_abated(condition)),
        onset=onset.earliest if onset else None,
        recorded=recorded.earliest if recorded else None,
        ended=ended.latest if ended else None,
        site=_sites(condition.body_site),
        by_text=named.by_text,
        draft=item.draft,
        resource=item.label,
        suspected=suspected,
    )


def _certainty(diagnosis: Diagnosis) -> Iterator[str]:
    """Refuted, provisional or resolved, where the codes themselves say so."""
    for extension in (extension for coding in diagnosis.coding for extension in coding.extension):
        if extension.url.endswith(CERTAINTY) and extension.value_coding:
            yield CERTAINTIES.get((extension.value_coding.code or "").strip(), "")


def _has_abated(condition: Condition) -> bool:
    period = condition.abatement_period
    return bool(
        not is_unset(condition.abatement_date_time)
        or (period and not (is_unset(period.start) and is_unset(period.end)))
        or condition.abatement_string
        or condition.abatement_boolean
        or condition.abatement_age
    )


def _sites(concepts: Sequence[CodeableConcept]) -> str:
    names = [name for c in concepts for name in (c.text, *(coding.display for coding in c.coding)) if name]
    return ", ".join(dict.fromkeys(names))


def read_procedure(item: Item, _chart: Chart) -> Iterator[Problem | Order]:
    """A procedure that was carried out or is under way; a test that was carried out is an order done."""
    procedure = item.resource
    assert isinstance(procedure, Procedure)  # noqa: S101 - read.py dispatches by type
    status = procedure.status.strip().lower()
    if procedure.code is None or status not in DONE or procedure.not_done or procedure.not_performed:
        return
    done = first_readable(
        procedure.performed_date_time or procedure.occurrence_date_time,
        *end_or_start(procedure.performed_period or procedure.occurrence_period),
        procedure.performed_string,
    )
    named = concepts_named(procedure.code)
    if status == "completed" and (tests := procedures_of(procedure.code)):
        yield Order(
            tests,
            "done",
            text_of(procedure.code) or spoken(tests),
            done.earliest if done else None,
            item.label,
        )
    if named.concepts:
        yield Problem(
            concepts=named.concepts,
            text=text_of(procedure.code) or spoken(named.concepts[:1]),
            onset=done.earliest if done else None,
            recorded=done.earliest if done else None,
            site=_sites(procedure.body_site),
            kind="Procedure",
            by_text=named.by_text,
            draft=item.draft,
            resource=item.label,
        )


def read_encounter(item: Item, chart: Chart) -> Iterator[Problem]:
    """The reasons of an encounter: active ones if it is under way or is the one that was asked for."""
    encounter = item.resource
    assert isinstance(encounter, Encounter)  # noqa: S101 - read.py dispatches by type
    status = encounter.status.strip().lower()
    if status in ("entered-in-error", "cancelled"):
        return
    period = encounter.period or encounter.actual_period
    start = first_readable(period.start if period else "")
    for reason in _reasons(encounter, chart):
        named = concepts_named(reason)
        if named.concepts or named.suspected:
            yield Problem(
                concepts=named.concepts,
                suspected=named.suspected,
                text=text_of(reason) or spoken(named.concepts[:1]),
                active=status in UNDER_WAY or item.alone,
                recorded=start.earliest if start else None,
                kind="Encounter",
                by_text=named.by_text,
                draft=item.draft,
                resource=item.label,
            )


def _reasons(encounter: Encounter, chart: Chart) -> Iterator[CodeableConcept]:
    """Codes, and the displays of references to Conditions that were not sent: those sent speak for themselves."""
    yield from encounter.reason_code
    references = list(encounter.reason_reference)
    for reason in encounter.reason:
        yield CodeableConcept(reason.coding, reason.text)
        for value in reason.value:
            if value.concept:
                yield value.concept
            if value.reference:
                references.append(value.reference)
    for reference in references:
        contained = chart.resolve(reference.reference, encounter.contained, Condition)
        if reference.reference.startswith("#") and contained:
            if contained.code and not REFUTED & statuses_of(contained.verification_status):
                yield contained.code
        elif not contained and reference.display:
            yield CodeableConcept((), reference.display)
