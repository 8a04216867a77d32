"""Medicines that the record says are, were or will be taken. Not taken is not taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from msgspec.json import encode

from mappings.facts import DataGap, Medication
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.datatypes import CodeableConcept, Coding, Period
from mappings.from_fhir.dates import when
from mappings.from_fhir.meaning import statuses_of
from mappings.from_fhir.medication_shapes import (
    DOSAGES,
    MEDICINE,
    MedicationAdministration,
    MedicationRequest,
    MedicationStatement,
)
from mappings.from_fhir.medication_shapes import Medication as MedicationResource
from mappings.from_fhir.memory import remember
from terminology.drugs import DrugMatch, recognise

Status = Literal["active", "ended", "draft", "unknown"]

NOT_TAKEN: Final = frozenset(
    {"entered-in-error", "cancelled", "on-hold", "not-taken", "intended", "not-done"}
)
ENDED: Final = frozenset({"stopped", "completed"})
ACTIVE: Final = frozenset({"active", "recorded", "in-progress"})
NOT_ORDERED: Final = frozenset({"proposal", "option"})
"""Intents that ask nobody to take anything. `plan` counts only if the patient reports taking it."""
NOT_TAKING: Final = frozenset({"not-taking", "not-taken", "stopped", "on-hold"})
"""R5 MedicationStatement.adherence."""

_status_of: Final = attrgetter("resource.status")
_drafted: Final = attrgetter("draft")

Use = MedicationRequest | MedicationStatement | MedicationAdministration


class Named(NamedTuple):
    """All that says which medicine it is and by which route it is taken."""

    concepts: tuple[bytes, ...]
    """CodeableConcepts as JSON."""
    display: str
    dosages: bytes
    """As JSON."""


class Medicine(NamedTuple):
    """What the medicine is called, and what it is."""

    text: str
    match: DrugMatch


class Course(NamedTuple):
    """When it is taken."""

    start: date | None
    end: date | None


def read_medication(item: Item, chart: Chart) -> Iterator[Medication | DataGap]:
    """One medicine, or the reason why the order names none."""
    use = item.resource
    assert isinstance(use, Use)  # noqa: S101 - read.py dispatches by type
    status = _status(use, draft=item.draft)
    if status is None:
        return
    medicine = _medicine(_named(use, chart))
    if medicine is None:
        text = "a medicine is ordered or recorded that the record does not name"
        course = _course(use)
        ended = course.end or course.start if status == "ended" else None
        yield DataGap("medication", "medication-not-resolved", text, item.label or item.key, ended)
        return
    match = medicine.match
    if match.no_medicine:
        return
    course = _course(use)
    yield Medication(
        text=medicine.text,
        classes=match.classes,
        local=match.local,
        ingredients=match.ingredients,
        route=match.route,
        status=status,
        start=course.start,
        end=course.end,
        by=match.by,
        resource=item.label,
    )


def any_draft(items: Collection[Item]) -> bool:
    """Whether a medicine is being ordered now."""
    statuses = set(map(_status_of, items))
    if not any(map(_drafted, items)) and all(status.strip().lower() != "draft" for status in statuses):
        return False
    return any(
        isinstance(item.resource, Use) and _status(item.resource, draft=item.draft) == "draft"
        for item in items
    )


def _status(use: Use, *, draft: bool) -> Status | None:
    """None: not taken, so that the record holds no such medicine."""
    if isinstance(use, MedicationRequest):
        reported = use.reported or use.reported_boolean or use.reported_reference is not None
        return _ordered(Ordered(use.status, use.intent, use.do_not_perform, reported, draft))
    negated = (
        _is_not_taken(use) if isinstance(use, MedicationStatement) else (use.not_given or use.was_not_given)
    )
    administered = isinstance(use, MedicationAdministration)
    return _usual(use.status, negated=negated, draft=draft, administered=administered)


class Ordered(NamedTuple):
    """What an order says of whether it stands."""

    status: str
    intent: str
    do_not_perform: bool
    reported: bool
    draft: bool


@remember
def _ordered(order: Ordered) -> Status | None:
    intent = order.intent.strip().lower()
    intended_only = intent in NOT_ORDERED or (intent == "plan" and not order.reported)
    negated = order.do_not_perform or (intended_only and not order.draft)
    return _usual(order.status, negated=negated, draft=order.draft)


def _usual(written: str, *, negated: bool, draft: bool, administered: bool = False) -> Status | None:
    status = written.strip().lower()
    if status in NOT_TAKEN or negated:
        return None
    if status in ENDED:
        return "ended"
    if draft or status == "draft":
        return "draft"
    if administered and status not in ACTIVE:
        return "ended"
    return "active" if status in ACTIVE else "unknown"


def _is_not_taken(use: MedicationStatement) -> bool:
    said = statuses_of(use.adherence.code) if use.adherence else set()
    return use.was_not_taken or use.taken == "n" or bool(said & NOT_TAKING)


def _named(use: Use, chart: Chart) -> Named:
    concept, reference = bytes(use.medication_codeable_concept_json), use.medication_reference
    if not (reference or use.medication):
        return Named((concept,), "", bytes(use.dosages_json))
    concepts, display = [concept], ""
    if use.medication:
        of_r5 = (use.medication.concept, CodeableConcept(use.medication.coding, use.medication.text))
        concepts += map(encode, of_r5)
        reference = reference or use.medication.reference
    if reference:
        display = reference.display
        if medication := chart.resolve(reference.reference, use.contained, MedicationResource):
            concepts += _contents(medication)
    return Named(tuple(concepts), display, bytes(use.dosages_json))


def missing_medication(item: Item, chart: Chart) -> str:
    """The reference to the Medication that has to be fetched to know what this is; empty if none has."""
    use = item.resource
    if not isinstance(use, Use) or _status(use, draft=item.draft) is None:
        return ""
    reference = use.medication_reference or (use.medication.reference if use.medication else None)
    if reference is None or reference.reference.startswith("#") or chart.find(reference.reference):
        return ""
    return reference.reference


def _contents(medication: MedicationResource) -> list[bytes]:
    """Its code as JSON; without one, its ingredients."""
    written = bytes(medication.code_json)
    code = MEDICINE.read(written)
    if code and (code.coding or code.text):
        return [written]
    concepts: list[CodeableConcept | None] = []
    for ingredient in medication.ingredient:
        item = ingredient.item
        concepts += [ingredient.item_codeable_concept, item.concept if item else None]
        reference = ingredient.item_reference or (item.reference if item else None)
        if reference and reference.display:
            concepts.append(CodeableConcept((), reference.display))
    return [encode(concept) for concept in concepts]


@remember
def _medicine(named: Named) -> Medicine | None:
    """None: it has no name at all. Raises ValueError if what should name it cannot be read."""
    concepts = [concept for written in named.concepts if (concept := MEDICINE.read(written))]
    codings = tuple(c for concept in concepts for c in concept.coding if c.code or c.display)
    stated = [concept.text for concept in concepts]
    stated += [named.display, *(coding.display or "" for coding in codings)]
    texts = tuple(dict.fromkeys(text.strip() for text in stated if text.strip()))
    if not codings and not texts:
        return None
    text = texts[0] if texts else codings[0].code or ""
    return Medicine(text, _recognise(codings, texts, named))


def _recognise(codings: Sequence[Coding], texts: Sequence[str], named: Named) -> DrugMatch:
    """Instructions may tell the route and the form; a medicine that only they name is not the one ordered."""
    dosages = DOSAGES.read(named.dosages)
    routes = (name for dosage in dosages if dosage.route for name in _names(dosage.route))
    route = next((name for name in routes if name), "")
    instructions = [dosage.text for dosage in dosages if dosage.text]
    match = recognise(codings, [*texts, *instructions], route)
    if instructions and match.by in ("", "text"):
        by_name = recognise(codings, texts, route)
        return match if by_name.by else by_name
    return match


def _names(concept: CodeableConcept) -> tuple[str, ...]:
    return concept.text, *(
        name for coding in concept.coding for name in (coding.display, coding.code) if name
    )


def _course(use: Use) -> Course:
    """Start: the earliest stated, its latest possible day. End: the last stated, its latest possible day."""
    changed = ""
    periods: list[Period | None]
    if isinstance(use, MedicationRequest):
        periods = [use.dispense_request.validity_period] if use.dispense_request else []
        written = use.authored_on or use.date_written
        if use.status_changed and use.status.strip().lower() in ENDED:
            changed = use.status_changed
    elif isinstance(use, MedicationStatement):
        periods, written = [use.effective_period], use.effective_date_time
    else:
        written = use.effective_date_time or use.occurence_date_time
        periods = [use.effective_period, use.occurence_period, Period(written, written)]
    starts, ends = _bounds(bytes(use.dosages_json))
    if stated := [period for period in periods if period]:
        starts = (*starts, *_days(period.start for period in stated))
        ends = ends or _days(period.end for period in stated)
    if not starts:
        starts = _days((written,))
    return Course(min(starts, default=None), _end(ends, changed) if ends or changed else None)


class Bounds(NamedTuple):
    """The days on which dosages begin and end."""

    starts: tuple[date, ...]
    ends: tuple[date, ...]


@remember
def _bounds(dosages: bytes) -> Bounds:
    """The bounds that dosages, as JSON, name."""
    repeats = [dosage.timing.repeat for dosage in DOSAGES.read(dosages) if dosage.timing]
    periods = [repeat.bounds_period for repeat in repeats if repeat and repeat.bounds_period]
    return Bounds(_days(period.start for period in periods), _days(period.end for period in periods))


def _days(times: Iterable[str]) -> tuple[date, ...]:
    """The latest day that each of these times allows, of those that can be read."""
    return tuple(read.latest for time in times if time and (read := when(time)))


def _end(ends: tuple[date, ...], changed: str) -> date | None:
    """The end of taking it, else of the prescription; an order stopped before that ended when it was stopped."""
    stopped = when(changed) if changed else None
    if stopped:
        return min(max(ends), stopped.latest) if ends else stopped.latest
    return max(ends, default=None)
