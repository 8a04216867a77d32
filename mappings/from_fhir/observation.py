"""Observations: laboratory results, findings, history items, and tests that were carried out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mappings.facts import DataGap, Finding, LabResult, Measure, Order, Problem
from mappings.from_fhir.answers import value_text
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.dates import When
from mappings.from_fhir.electromyography import read_emg
from mappings.from_fhir.findings import Setting, read_findings
from mappings.from_fhir.laboratory import DROPPED, USABLE, Frame, read_result
from mappings.from_fhir.limits import Person
from mappings.from_fhir.meaning import Meaning, meaning_of, spoken, text_of
from mappings.from_fhir.panels import time_of
from mappings.from_fhir.shapes import Observation, Result
from mappings.from_fhir.specimen import says_haemolysed, specimen_of

Fact = LabResult | Finding | Problem | Measure | Order | DataGap

REPORTED: Final = frozenset({"survey", "social-history"})
RESULTS: Final = frozenset({"laboratory", "lab", "vital-signs", "imaging"})
"""Categories whose texts speak of specimens and pictures, not of what the patient has."""


def read_observation(
    item: Item, chart: Chart, person: Person, member_times: dict[str, When]
) -> Iterator[Fact]:
    """All facts of one Observation; its components are results of their own.

    `member_times` dates the results that state no time themselves, by label.
    """
    observation = item.resource
    assert isinstance(observation, Observation)  # noqa: S101 - read.py dispatches by type
    when = time_of(item, member_times)
    frame: Frame | None = None
    if not observation.component and _is_nameless(observation):
        yield DataGap(
            "Observation", "not-readable", "an Observation does not say what it is of", item.label or item.key
        )
    for result in (observation, *observation.component):
        meaning = meaning_of(result)
        if meaning is None:
            continue
        if not meaning.lab.analyte:
            if meaning.history or result.value_string or result.value_codeable_concept:
                yield from _history(result, meaning, item, when, chart)
        elif result is not observation or not _is_panel(observation):
            frame = frame or _frame(item, observation, when, chart, person)
            if fact := read_result(result, meaning.lab, frame):
                yield fact
                if meaning.lab.not_loinc:
                    yield _not_a_loinc_code(meaning.lab.analyte)


def _is_nameless(observation: Observation) -> bool:
    code = observation.code
    return (code is None or not (code.coding or code.text)) and observation.status not in DROPPED


def _not_a_loinc_code(analyte: str) -> DataGap:
    text = f"{analyte.replace('_', ' ')} was read by its name: its code is not a LOINC code"
    return DataGap(analyte, "not-a-loinc-code", text)


def _is_panel(observation: Observation) -> bool:
    """A header with members and no value of its own."""
    if not (observation.has_member or observation.component):
        return False
    return not (observation.value_quantity or observation.value_string or observation.data_absent_reason)


def _frame(item: Item, observation: Observation, when: When | None, chart: Chart, person: Person) -> Frame:
    specimen, haemolysed = specimen_of(observation, chart)
    return Frame(
        observation.status.strip().lower(),
        when,
        person,
        specimen,
        haemolysed or says_haemolysed(observation),
        item.label or item.key,
    )


def _history(
    result: Result, meaning: Meaning, item: Item, when: When | None, chart: Chart
) -> Iterator[Finding | Problem | Measure | Order | DataGap]:
    observation = item.resource
    assert isinstance(observation, Observation)  # noqa: S101 - read.py dispatches by type
    status = observation.status.strip().lower()
    if status in DROPPED:
        return
    day = when.earliest if when else None
    if status not in USABLE:
        for concept in meaning.concepts:
            text = f"{concept.replace('_', ' ')} has the status {status or 'missing'} and was not used"
            yield DataGap(concept, "status-not-usable", text, item.label or item.key)
        return
    if meaning.procedures and status != "preliminary":
        yield Order(
            meaning.procedures, "done", text_of(result.code) or spoken(meaning.procedures), day, item.label
        )
        yield from read_emg(meaning.procedures, value_text(result), day, item.label)
    categories = {
        (coding.code or "").lower() for category in observation.category for coding in category.coding
    }
    categories |= {category.text.lower() for category in observation.category}
    if not meaning.history and categories & RESULTS:
        return
    reported = bool(categories & REPORTED) or any(chart.is_reporter(p) for p in observation.performer)
    setting = Setting("exam" in categories, not reported, when, text_of(observation.body_site), item.label)
    yield from read_findings(result, meaning, setting)
