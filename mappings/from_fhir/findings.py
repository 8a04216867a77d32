"""Examination findings, symptoms and history items from observations that are no laboratory results."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from mappings.facts import DataGap, Finding, Measure, Problem
from mappings.from_fhir.answers import Said, said, value_concepts, value_text
from mappings.from_fhir.datatypes import Quantity
from mappings.from_fhir.dates import When
from mappings.from_fhir.limits import interpretation
from mappings.from_fhir.meaning import Meaning, is_twitching, spoken, text_of
from mappings.from_fhir.shapes import Result
from mappings.from_fhir.vocabulary import (
    MEASURES,
    NEURO_EXAM,
    NEURO_EXAM_ABNORMAL,
    NEURO_EXAM_NORMAL,
    NEURO_EXAM_NOT_DONE,
    NEURO_EXAM_UNLESS,
    plain,
)
from terminology import quantity

ABNORMAL: Final = frozenset({"A", "AA"})
"""v3-ObservationInterpretation: abnormal, critically abnormal."""


class Setting(NamedTuple):
    """How an observation was made."""

    examination: bool
    objective: bool
    when: When | None
    site: str
    resource: str


def read_findings(
    result: Result, meaning: Meaning, setting: Setting
) -> Iterator[Finding | Problem | Measure | DataGap]:
    """Everything a non-laboratory observation says about the patient.

    A finding that is the code counts as the value says; without a value only an examination asserts it.
    Findings named in the value are present. Twitching that is present is a problem as well.
    """
    if meaning.somebody_else:
        return
    if meaning.measure:
        yield from _measure(result, meaning, setting)
    if meaning.neurological_examination:
        yield from _neurological_examination(result, setting)
    present, absent, unclear = _sorted(result, meaning, setting)
    name = text_of(result.code) or spoken(meaning.concepts[:1])
    text = ": ".join(part for part in (name, value_text(result)) if part)
    day = setting.when.earliest if setting.when else None
    for concept in sorted(present | absent):
        yield Finding(
            concept, concept in present, setting.objective, text, day, setting.site, setting.resource
        )
    for concept in unclear:
        said_so = f"{concept.replace('_', ' ')} is recorded with an answer that was not understood"
        yield DataGap(concept, "not-readable", said_so, setting.resource)
    if twitching := tuple(sorted(filter(is_twitching, present))):
        yield Problem(
            concepts=twitching,
            text=text,
            recorded=day,
            site=setting.site,
            kind="Observation",
            by_text=meaning.by_text or not meaning.concepts,
            resource=setting.resource,
        )


def _sorted(
    result: Result, meaning: Meaning, setting: Setting
) -> tuple[frozenset[str], frozenset[str], tuple[str, ...]]:
    """The concepts that are present, those that are absent and those whose answer was not understood."""
    coded, none = frozenset(meaning.concepts), frozenset[str]()
    match _answer(result, setting):
        case Said.ABSENT:
            return none, coded, ()
        case Said.PRESENT:
            return coded | {*value_concepts(result)}, none, ()
        case Said.OTHER:
            named = frozenset(value_concepts(result))
            return named, none, () if named or meaning.measure else meaning.concepts
        case _:
            return none, none, ()


def _answer(result: Result, setting: Setting) -> Said:
    """What was said; an examination without a value asserts what it names unless it is flagged as normal."""
    answer = said(result)
    has_number = result.value_quantity is not None or result.value_integer is not None
    if answer is not Said.NOTHING or has_number or result.data_absent_reason:
        return answer
    if interpretation(result.interpretation) == "N":
        return Said.ABSENT
    return Said.PRESENT if setting.examination else Said.NOTHING


def _neurological_examination(result: Result, setting: Setting) -> Iterator[Finding | DataGap]:
    """The verdict of an examination; one whose words say neither that nor what was found was not understood."""
    text = plain(value_text(result))
    day = setting.when.earliest if setting.when else None
    contradicted = bool(NEURO_EXAM_UNLESS.search(text) or value_concepts(result))
    flagged = any(coding.code in ABNORMAL for concept in result.interpretation for coding in concept.coding)
    said_normal = bool(NEURO_EXAM_NORMAL.match(text)) or interpretation(result.interpretation) == "N"
    if flagged or text in NEURO_EXAM_ABNORMAL:
        concept = "neuro_exam_abnormal"
    elif said_normal and not contradicted and not result.data_absent_reason:
        concept = "neuro_exam_normal"
    else:
        done = text and not result.data_absent_reason and not NEURO_EXAM_NOT_DONE.match(text)
        if done and not value_concepts(result):
            said_so = "the words of a neurological examination were not understood"
            said_so += f" ({day.isoformat()})" if day else ""
            yield DataGap(NEURO_EXAM, "not-readable", said_so, setting.resource, day)
        return
    shown = f"{text_of(result.code) or 'neurological examination'}: {value_text(result) or concept.rpartition('_')[2]}"
    yield Finding(concept, True, setting.objective, shown, day, setting.site, setting.resource)


def _measure(result: Result, meaning: Meaning, setting: Setting) -> Iterator[Measure]:
    if result.data_absent_reason:
        return
    value: Decimal | None = None
    name = text_of(result.code) or spoken([meaning.measure])
    unit, text = "", value_text(result)
    if result.value_quantity and result.value_quantity.value is not None:
        value, unit = _in_known_unit(result.value_quantity, meaning.measure)
        text = name
    elif result.value_integer is not None:
        value = Decimal(result.value_integer)
        text = name
    elif result.value_boolean is not None:
        text = "yes" if result.value_boolean else "no"
    if text:
        day = setting.when.earliest if setting.when else None
        yield Measure(meaning.measure, text, value, unit, day, setting.resource)


def _in_known_unit(sent: Quantity, item: str) -> tuple[Decimal, str]:
    """The value with the UCUM code of its unit, else with the unit as sent."""
    value = sent.value or Decimal(0)
    for concept in (concept for concept, measured in MEASURES.items() if measured == item):
        read = quantity.read(concept, value, unit=sent.unit, code=sent.code, system=sent.system)
        if isinstance(read, quantity.Quantity):
            return read.value, read.unit
    return value, sent.code or sent.unit or ""
