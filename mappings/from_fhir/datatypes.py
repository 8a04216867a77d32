"""The FHIR data types, reduced to the elements that are read. Undeclared elements are skipped by the decoder."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec import Raw, Struct, field

from mappings.from_fhir.details import EVERYTHING, Detail

WRITTEN_NUMBER: Final = r"\d{1,12}(?:\.\d{1,12}|,\d{1,2})?"
"""A number in a text. A comma before one or two digits stands before decimals; before three it may part thousands."""


def number(written: str) -> Decimal:
    """The value of a `WRITTEN_NUMBER`."""
    return Decimal(written.replace(",", "."))


class Element(Struct, gc=False, rename="camel"):
    """Base of all shapes."""


class Value(Struct, frozen=True, gc=False, rename="camel"):
    """Base of the shapes that are looked up, and therefore hashable."""


class Coding(Value, frozen=True):
    """https://hl7.org/fhir/R4/datatypes.html#Coding"""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Value, frozen=True):
    """https://hl7.org/fhir/R4/datatypes.html#CodeableConcept"""

    coding: tuple[Coding, ...] = ()
    text: str = ""


class Reference(Element):
    """https://hl7.org/fhir/R4/references.html#Reference"""

    reference: str = ""
    type: str = ""
    """`Patient`, also as the URL of its StructureDefinition; where nothing else tells."""
    display: str = ""


class CodeableReference(Element):
    """R5 CodeableReference, and an R4 CodeableConcept that stands in the same place."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None
    coding: tuple[Coding, ...] = ()
    text: str = ""


class Period(Element):
    """https://hl7.org/fhir/R4/datatypes.html#Period"""

    start: str = ""
    end: str = ""


class Quantity(Element):
    """https://hl7.org/fhir/R4/datatypes.html#Quantity"""

    value: Decimal | None = None
    comparator: str = ""
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Annotation(Element):
    """https://hl7.org/fhir/R4/datatypes.html#Annotation"""

    text: str = ""


class Meta(Element):
    """https://hl7.org/fhir/R4/resource.html#Meta"""

    version_id: str = ""
    last_updated: str = ""


class Resource(Element):
    """What every resource has. `patient` is the subject of some types and releases; `focus` only Observations have."""

    id: str = ""
    meta_json: Raw = field(default=Raw(), name="meta")
    meta = Detail[Meta | None](Meta, None, not_needed=EVERYTHING, repeated=False)
    contained: tuple[Raw, ...] = ()
    status: str = ""
    subject: Reference | None = None
    patient: Reference | None = None
    focus: tuple[Reference, ...] = ()
