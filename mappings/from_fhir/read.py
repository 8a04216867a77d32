"""The entry point: everything an EHR sent about one patient, as facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any, Final

from mappings.facts import (
    Answer,
    DataGap,
    Finding,
    LabResult,
    Measure,
    Medication,
    Order,
    PatientFacts,
    Problem,
)
from mappings.from_fhir.bundle import Item, next_links
from mappings.from_fhir.chart import Chart, Source, collect
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.identity import bare_id, own
from mappings.from_fhir.limits import Person
from mappings.from_fhir.medication import any_draft, missing_medication, read_medication
from mappings.from_fhir.newest import read_newest, sort_observations
from mappings.from_fhir.observation import read_observation
from mappings.from_fhir.orders import read_report, read_request
from mappings.from_fhir.panels import contained_results, listing, member_times
from mappings.from_fhir.patient import read_patient
from mappings.from_fhir.problems import read_condition, read_encounter, read_procedure
from mappings.from_fhir.questionnaire import read_answers

__all__ = ["Source", "next_links", "read_patient_facts", "unresolved_medications"]

Reader = Callable[[Item, Chart], Iterator[Any]]

MEDICINES: Final = ("MedicationRequest", "MedicationOrder", "MedicationStatement", "MedicationAdministration")
READERS: Final[dict[str, Reader]] = {
    **dict.fromkeys(MEDICINES, read_medication),
    "Condition": read_condition,
    "Procedure": read_procedure,
    "Encounter": read_encounter,
    "ServiceRequest": read_request,
    "ProcedureRequest": read_request,
    "DiagnosticReport": read_report,
    "QuestionnaireResponse": read_answers,
}
"""All but Observation, which is read later: its reference intervals depend on who the patient is."""

FIRST: Final = ("Condition", "Procedure", "Encounter", "QuestionnaireResponse")
"""What says, with the Observations that are no results, which problems the patient has."""
LATER: Final = tuple(type_ for type_ in READERS if type_ not in FIRST)


def read_patient_facts(
    patient_id: str,
    sources: Sequence[Source],
    newest_until: date | None = None,
    enough: Callable[[Sequence[Problem]], bool] | None = None,
) -> PatientFacts:
    """Read all sources into the facts about one patient.

    With `newest_until` only the newest usable result of each analyte is read, and what is newer (see
    `newest.read_newest`); the rules ask for no other. If the problems are `enough` and no medicine is drafted,
    results, medicines and orders are left out. `patient_id` is `context.patientId`, with or without `Patient/`.
    Pure: no clock, no network. Never raises on any JSON: what cannot be read is a DataGap. Nothing about another
    patient is used.
    """
    patient_id = bare_id(patient_id)
    chart = collect(sources)
    mine, foreign = own(chart, patient_id)
    facts: defaultdict[type, list[Any]] = defaultdict(list, {DataGap: [*chart.gaps, *foreign]})

    def add(found: Iterable[Any]) -> None:
        for fact in found:
            facts[type(fact)].append(fact)

    def read_all(types: Iterable[str]) -> None:
        for type_ in types:
            for item in mine.get(type_, ()):
                add(_facts(READERS[type_], item, chart))

    read_all(FIRST)
    sent = mine.get("Observation", [])
    listings = listing(sent, mine.get("DiagnosticReport", ()))
    for found in contained_results(listings, chart):
        if isinstance(found, Item):
            sent = [*sent, found]
        else:
            add([found])
    observations = sort_observations(sent)
    others = observations.others
    patient = read_patient(patient_id, mine.get("Patient", ()), others, facts[Problem])
    person = Person(patient.sex, patient.birth_date, patient.pregnant)
    times = member_times(listings, chart)
    read = partial(_facts, partial(read_observation, person=person, member_times=times), chart=chart)
    for item in others:
        add(read(item))
    medicines = [item for type_ in MEDICINES for item in mine.get(type_, ())]
    if not (enough and enough(facts[Problem]) and not any_draft(medicines)):
        read_all(LATER)
        add(read_newest(observations.results(), read, times, newest_until))
    return PatientFacts(
        patient=patient,
        labs=tuple(facts[LabResult]),
        medications=tuple(facts[Medication]),
        problems=tuple(facts[Problem]),
        findings=tuple(facts[Finding]),
        measures=tuple(facts[Measure]),
        answers=tuple(facts[Answer]),
        orders=tuple(facts[Order]),
        gaps=tuple(dict.fromkeys(facts[DataGap])),
        read=frozenset(chart.read),
    )


def _facts(reader: Reader, item: Item, chart: Chart) -> list[Any]:
    """What a reader makes of one resource; data that no reader expected costs this resource only."""
    try:
        return list(reader(item, chart))
    except DATA_ERRORS:
        return [
            DataGap(item.type, "not-readable", f"one {item.type} could not be read", item.label or item.key)
        ]


def unresolved_medications(patient_id: str, sources: Sequence[Source]) -> list[str]:
    """References to Medications that the patient's orders name only by reference and that were not sent.

    Fetch them and pass them as further sources. Relative (`Medication/1`) or absolute, as written: check an
    absolute one before following it.
    """
    chart = collect(sources)
    mine, _ = own(chart, bare_id(patient_id))
    missing = (missing_medication(item, chart) for type_ in MEDICINES for item in mine.get(type_, ()))
    return list(dict.fromkeys(reference for reference in missing if reference))
