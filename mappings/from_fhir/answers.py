"""What was said of a finding: present, absent, something else, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from mappings.from_fhir.datatypes import CodeableConcept
from mappings.from_fhir.meaning import findings_among, names_of, text_of
from mappings.from_fhir.shapes import Result
from mappings.from_fhir.vocabulary import ABSENT, DENYING, PRESENT, plain
from terminology.concepts import concepts_of


class Said(Enum):
    """The value of an observation of a finding."""

    PRESENT = "present"
    ABSENT = "absent"
    OTHER = "other"
    """A word or code that is neither: what it names may still be a finding."""
    NOTHING = "nothing"


_NO_CONCEPT = CodeableConcept()


def said(result: Result) -> Said:
    """Read valueBoolean, valueCodeableConcept or valueString as an answer. A number is no answer."""
    if result.data_absent_reason:
        return Said.NOTHING
    if result.value_boolean is not None:
        return Said.PRESENT if result.value_boolean else Said.ABSENT
    names = names_of(result.value_codeable_concept or _NO_CONCEPT) or [plain(result.value_string)]
    if any(name in ABSENT for name in names):
        return Said.ABSENT
    if any(name in PRESENT for name in names):
        return Said.PRESENT
    return Said.OTHER if value_text(result) or result.value_codeable_concept else Said.NOTHING


def value_text(result: Result) -> str:
    """The text of the value, if it is one."""
    return text_of(result.value_codeable_concept) or result.value_string.strip()


def value_concepts(result: Result) -> tuple[str, ...]:
    """The findings that the value names, alone or with its question.

    `Brisk reflexes in legs`; `Plantar response` with `Extensor`.
    """
    concept = result.value_codeable_concept or _NO_CONCEPT
    alone = concepts_of(concept.coding, concept.text or result.value_string or None).concepts
    return findings_among(dict.fromkeys((*alone, *_with_question(result))))


def _with_question(result: Result) -> Iterator[str]:
    """What question and answer name only together; nothing if the answer may deny it."""
    question, answer = text_of(result.code), value_text(result)
    if question and answer and not DENYING.search(answer):
        asked = concepts_of((), question).concepts
        yield from (name for name in concepts_of((), f"{question} {answer}").concepts if name not in asked)
