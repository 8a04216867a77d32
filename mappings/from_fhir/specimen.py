"""Which specimen a result is from, and whether anybody says that it was haemolysed."""

from __future__ import annotations

from mappings.from_fhir import vocabulary
from mappings.from_fhir.chart import Chart, local_key
from mappings.from_fhir.datatypes import CodeableConcept
from mappings.from_fhir.shapes import Observation, Specimen


def specimen_of(observation: Observation, chart: Chart) -> tuple[str, bool]:
    """A key equal for all results of one specimen (its accession, else its reference), and haemolysis.

    A contained specimen without an accession belongs to this result only: its key is empty.
    """
    specimen = observation.specimen
    reference = specimen.reference if specimen else ""
    if not reference:
        return "", False
    if reference.startswith("#"):
        return _read(chart.resolve(reference, observation.contained, Specimen), "")
    known = chart.specimens.get(reference)
    if known is None:
        item = chart.find(reference)
        sent = item.resource if item and isinstance(item.resource, Specimen) else None
        key = item.label if item else "/".join(local_key(reference)).lstrip("/")
        known = chart.specimens[reference] = _read(sent, key)
    return known


def _read(specimen: Specimen | None, key: str) -> tuple[str, bool]:
    if specimen is None:
        return key, False
    if specimen.accession_identifier and specimen.accession_identifier.value:
        key = specimen.accession_identifier.value
    haemolysed = any(map(_is_haemolysed, specimen.condition))
    return key, haemolysed or any(vocabulary.says_haemolysed(note.text) for note in specimen.note)


def _is_haemolysed(condition: CodeableConcept) -> bool:
    return vocabulary.says_haemolysed(condition.text) or any(
        coding.code == vocabulary.HAEMOLYSIS_CODE or vocabulary.says_haemolysed(coding.display or "")
        for coding in condition.coding
    )


def says_haemolysed(observation: Observation) -> bool:
    """Whether the notes or the interpretation of a result say so."""
    if observation.comment and vocabulary.says_haemolysed(observation.comment):
        return True
    for note in observation.note:
        if vocabulary.says_haemolysed(note.text):
            return True
    for concept in observation.interpretation:
        if vocabulary.says_haemolysed(concept.text):
            return True
        for coding in concept.coding:
            if coding.display and vocabulary.says_haemolysed(coding.display):
                return True
    return False
