"""What the site's data use and the service does not know: codes, units and medicines."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from cds_hooks.replay.heads import Elements, Sent
from mappings.from_fhir.datatypes import CodeableConcept, Quantity
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.memory import remember
from terminology.coding import ATC, LOINC, NDC, RXNORM, SNOMED_CT, canonical_system, loinc_check_digit_ok
from terminology.concepts import concepts_of
from terminology.drugs import recognise
from terminology.laboratory import identify
from terminology.quantity import Refusal, analytes, read

NOT_LABORATORY: Final = frozenset(
    {"vital-signs", "imaging", "survey", "social-history", "exam", "activity", "procedure", "therapy"}
)
"""Observations of these categories are no results that a rule could want by another code."""
DRUG_SYSTEMS: Final = frozenset({RXNORM, NDC, ATC, SNOMED_CT})
"""A medicine with a code of these, or a result with a LOINC code, that is not in our tables is known not to matter."""
LONGEST: Final = 120


class Unmapped(Struct, frozen=True, array_like=True, order=True):
    """One thing the data say and the service does not understand, as a site profile would name it."""

    kind: Literal["laboratory code", "unit", "medicine"]
    system: str
    code: str
    text: str
    analyte: str = ""
    """Of a unit: the analyte it was sent for."""


_concept: Final = msgspec.json.Decoder(CodeableConcept | None)
_concepts: Final = msgspec.json.Decoder(tuple[CodeableConcept, ...] | None)


def unmapped(type_: str, head: Elements) -> Unmapped | None:
    """What of this resource is not known, if anything; codes out of shape are left to the reader's gaps."""
    if type_ == "Observation":
        code = bytes(head.code)
        return unmapped_result(analyte_of(code), code, head.category, head.value_quantity)
    if type_ == "Medication":
        return _of_medicine(bytes(head.code))
    choice = head.medication.concept if head.medication else b""
    return _of_medicine(bytes(head.medication_codeable_concept) or bytes(choice))


def unmapped_result(
    analyte: str | None, code: bytes, category: Raw, sent: Sent | Quantity | None
) -> Unmapped | None:
    """The same of an Observation: what `analyte_of` its code is, and its code and categories as JSON."""
    if analyte is None:
        return None if categories_in(b"" + category) & NOT_LABORATORY else _laboratory_code(code)
    if not analyte or sent is None:
        return None
    return _of_unit((analyte, sent.unit or "", sent.code or "", sent.system or ""))


def _read(content: bytes) -> CodeableConcept | None:
    try:
        return _concept.decode(content) if content else None
    except DATA_ERRORS:
        return None


@remember
def analyte_of(content: bytes) -> str | None:
    """The analyte with units of its own that this code names; empty for a code that is known, None for one that is not."""
    code = _read(content)
    if code is None:
        return ""
    if analyte := identify(code.coding, code.text or None).analyte:
        return analyte if analyte in analytes() else ""
    return "" if concepts_of(code.coding, code.text or None).concepts or _is_loinc(code) else None


@remember
def _laboratory_code(content: bytes) -> Unmapped | None:
    code = _read(content)
    return _named("laboratory code", code) if code else None


@remember
def _of_unit(sent: tuple[str, str, str, str]) -> Unmapped | None:
    """Of an analyte and a unit, its code and the system of that: the unit, if it is not known."""
    analyte, unit, code, system = sent
    low, high = next(iter(analytes()[analyte].units.values()), (Decimal(0), Decimal(0)))
    answer = read(analyte, (low + high) / 2, unit=unit or None, code=code or None, system=system)
    if not isinstance(answer, Refusal) or answer.reason == "implausible-value":
        return None
    return Unmapped("unit", system, _short(code), _short(unit), analyte)


@remember
def categories_in(content: bytes) -> frozenset[str]:
    """The codes of the categories of a resource, from their JSON; none where it is out of shape."""
    try:
        found = _concepts.decode(content) if content else ()
    except DATA_ERRORS:
        found = ()
    return frozenset(coding.code or "" for category in found or () for coding in category.coding)


@remember
def _of_medicine(content: bytes) -> Unmapped | None:
    concept = _read(content)
    if concept is None or not (concept.coding or concept.text):
        return None
    texts = [text for text in (concept.text, *(coding.display for coding in concept.coding)) if text]
    found = recognise(concept.coding, texts)
    if found.by or found.no_medicine:
        return None
    systems = {canonical_system(coding.system) for coding in concept.coding if coding.code}
    return None if systems & DRUG_SYSTEMS else _named("medicine", concept)


def _is_loinc(concept: CodeableConcept) -> bool:
    return any(
        canonical_system(coding.system) == LOINC and loinc_check_digit_ok(coding.code or "")
        for coding in concept.coding
    )


def _named(kind: Literal["laboratory code", "medicine"], concept: CodeableConcept) -> Unmapped | None:
    coding = next((coding for coding in concept.coding if coding.code), None)
    displays = (coding.display for coding in concept.coding if coding.display)
    text = _short(concept.text or next(displays, ""))
    if coding is None:
        return Unmapped(kind, "", "", text) if text else None
    return Unmapped(kind, _short(coding.system or ""), _short(coding.code or ""), text)


def _short(text: str) -> str:
    return " ".join(text.split())[:LONGEST]
