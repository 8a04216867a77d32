"""What a code means to us, looked up once per distinct CodeableConcept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from mappings.from_fhir.datatypes import CodeableConcept
from mappings.from_fhir.memory import forget, remember
from mappings.from_fhir.shapes import CODE, Result
from mappings.from_fhir.vocabulary import (
    MEASURES,
    NEURO_EXAM,
    PREGNANCY_STATUS,
    PROCEDURES,
    SOMEBODY_ELSE,
    TWITCHING,
    plain,
)
from terminology.concepts import ConceptMatch, concepts, concepts_of
from terminology.laboratory import LabMatch, identify
from terminology.orders import recognise, tests_of

HEADINGS: Final = frozenset({"history", "examination"})
"""Kinds of concept that name a question, not a finding."""


class Meaning(NamedTuple):
    """The meaning of `Observation.code`."""

    lab: LabMatch
    result: str
    """The analyte of a code that says nothing else; empty for any other."""
    concepts: tuple[str, ...]
    """The findings it names."""
    by_text: bool
    measure: str
    """`Measure.item`, or empty."""
    procedures: tuple[str, ...]
    """Ids of tests other than laboratory tests."""
    neurological_examination: bool
    pregnancy_status: bool
    somebody_else: bool
    """About a relative or an unborn child, not about the patient."""
    history: bool
    """It names something that is read even without a text in its value."""


def meaning_of(result: Result) -> Meaning | None:
    """What the code of a result or an examination means; None without a code. Raises ValueError if it is unreadable."""
    return meaning_of_code(bytes(result.code_json))


@remember
def meaning_of_code(written: bytes) -> Meaning | None:
    """The same of a code as JSON, looked up everywhere."""
    code = CODE.read(written)
    if code is None:
        return None
    named = concepts_of(code.coding, code.text or None)
    found = findings_among(named.concepts)
    item = next((MEASURES[concept] for concept in named.concepts if concept in MEASURES), "")
    procedures = procedures_of(code)
    examination = NEURO_EXAM in named.concepts
    pregnancy = PREGNANCY_STATUS in named.concepts
    lab = identify(code.coding, code.text or None)
    return Meaning(
        lab=lab,
        result="" if pregnancy else lab.analyte,
        concepts=found,
        by_text=named.by_text,
        measure=item,
        procedures=procedures,
        neurological_examination=examination,
        pregnancy_status=pregnancy,
        somebody_else=any(SOMEBODY_ELSE.search(name) for name in names_of(code)),
        history=bool(found or item or procedures or examination),
    )


def recognise_orders(codes: Mapping[tuple[str | None, str | None], tuple[str, ...]]) -> None:
    """As `terminology.orders.recognise`, also for what was read before."""
    if recognise(codes):
        forget()


def findings_among(named: Iterable[str]) -> tuple[str, ...]:
    """The concepts that say something of the patient, without the headings of questions."""
    return tuple(concept for concept in named if concepts()[concept].kind not in HEADINGS)


def without_diseases(named: Iterable[str]) -> tuple[str, ...]:
    """The concepts that are no diagnosis: symptoms, signs, disturbances, procedures, exposures."""
    return tuple(concept for concept in named if concepts()[concept].kind != "disease")


def is_twitching(concept: str) -> bool:
    """Whether it is fasciculation or implies it."""
    return concept == TWITCHING or TWITCHING in concepts()[concept].implies


@remember
def concepts_named(code: CodeableConcept) -> ConceptMatch:
    """The concepts of a diagnosis, procedure or reason."""
    return concepts_of(code.coding, code.text or None)


def procedures_of(code: CodeableConcept) -> tuple[str, ...]:
    """The tests other than laboratory tests that this code names."""
    return tuple(test for test in tests_of(code.coding, code.text or None) if test in PROCEDURES)


def names_of(code: CodeableConcept) -> list[str]:
    """Its text and displays, as phrases."""
    return [plain(name) for name in (code.text, *(coding.display for coding in code.coding)) if name]


def spoken(ids: Iterable[str]) -> str:
    """Ids as words, for records that give a code and no text."""
    return ", ".join(ids).replace("_", " ")


def statuses_of(concept: CodeableConcept | None) -> set[str]:
    """All that a coded status says: codes, displays, and the plain string that STU3 has there."""
    if concept is None:
        return set()
    said = [concept.text, *(name for c in concept.coding for name in (c.code, c.display) if name)]
    return {text.strip().lower().replace(" ", "-") for text in said}


def text_of(concept: CodeableConcept | None) -> str:
    """Its text, else its first display."""
    if concept is None:
        return ""
    return concept.text or next((coding.display for coding in concept.coding if coding.display), "")
