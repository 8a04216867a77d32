"""Who the patient is, as far as the rules need to know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from typing import Final, Literal, NamedTuple

from mappings.facts import Patient, Problem
from mappings.from_fhir import shapes
from mappings.from_fhir.answers import Said, said, value_concepts, value_text
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.dates import is_unset, when
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.laboratory import USABLE
from mappings.from_fhir.meaning import meaning_of
from mappings.from_fhir.panels import stated_time
from mappings.from_fhir.vocabulary import NOT_PREGNANT, PREGNANCY_UNCERTAIN

SEXES: Final[dict[str, Literal["female", "male", "other"]]] = {
    "female": "female",
    "male": "male",
    "other": "other",
}


class Pregnancy(NamedTuple):
    """One statement about pregnancy; the latest counts, and of one day the one that says pregnant."""

    day: date
    pregnant: bool
    text: str = ""


def read_patient(
    patient_id: str, patients: Iterable[Item], observations: Iterable[Item], problems: Iterable[Problem]
) -> Patient:
    """The patient, known or not: what no Patient resource says stays unknown.

    Of `observations` those about pregnancy are read; one that cannot be read leaves its gap elsewhere.
    """
    known = shapes.Patient()
    for item in patients:
        if isinstance(item.resource, shapes.Patient):
            known = item.resource
    statements: list[Pregnancy] = []
    for item in observations:
        observation = item.resource
        if isinstance(observation, shapes.Observation) and observation.value_quantity is None:
            with suppress(*DATA_ERRORS):
                statements += _stated(observation)
    statements += _diagnosed(problems)
    latest = max(statements, default=None)
    born = when(known.birth_date)
    return Patient(
        id=patient_id,
        birth_date=(born.earliest, born.latest) if born else None,
        sex=SEXES.get(known.gender.strip().lower(), ""),
        deceased=known.deceased_boolean or not is_unset(known.deceased_date_time),
        pregnant=latest is not None and latest.pregnant,
        pregnancy_text=latest.text if latest and latest.pregnant else "",
    )


def _stated(observation: shapes.Observation) -> Iterator[Pregnancy]:
    """LOINC 82810-3: pregnant, not pregnant; possible or unknown says nothing."""
    meaning = meaning_of(observation)
    if meaning is None or not meaning.pregnancy_status:
        return
    if observation.status.strip().lower() not in USABLE:
        return
    time, text = stated_time(observation), value_text(observation)
    day = time.earliest if time else date.min
    answer = said(observation)
    if answer is Said.ABSENT or NOT_PREGNANT.search(text):
        yield Pregnancy(day, pregnant=False)
    elif PREGNANCY_UNCERTAIN.search(text):
        return
    elif answer is Said.PRESENT or "pregnancy" in value_concepts(observation):
        yield Pregnancy(day, pregnant=True, text=text)


def _diagnosed(problems: Iterable[Problem]) -> Iterator[Pregnancy]:
    for problem in problems:
        if problem.active and "pregnancy" in problem.concepts:
            yield Pregnancy(problem.recorded or problem.onset or date.min, pregnant=True, text=problem.text)
