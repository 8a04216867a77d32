"""What has to be known of a line before its patient is read: its type, whose it is, its dates, its codes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct

from mappings.from_fhir.chart import local_key
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.identity import bare_id

KINDS: Final = {
    "Patient": b"T",
    "Encounter": b"E",
    "Condition": b"C",
    "Observation": b"O",
    "MedicationRequest": b"R",
    "MedicationOrder": b"R",
    "MedicationStatement": b"S",
    "ServiceRequest": b"V",
    "ProcedureRequest": b"V",
    "Procedure": b"P",
    "QuestionnaireResponse": b"Q",
}
"""The resource types that the services ask for, under one byte each."""
MEDICATION: Final = b"M"
MOST_REFERENCES: Final = 2**15
"""Whose patients are remembered."""


class _Part(Struct, gc=False, rename="camel"):
    """A part that is read for its references, times or units only."""


class _Reference(_Part):
    reference: str = ""


class _Period(_Part):
    start: str = ""
    end: str = ""


class _Dispense(_Part):
    validity_period: _Period | None = None


class Sent(_Part):
    """The unit of a quantity, as sent."""

    unit: str | None = None
    system: str | None = None
    code: str | None = None


class _MedicationChoice(_Part):
    """`medication` of R5, a CodeableReference."""

    concept: Raw = Raw()
    reference: _Reference | None = None


class Elements(_Part):
    """The elements of a resource, of any type, that are needed here; codes stay JSON, because they repeat."""

    id: str = ""
    subject: _Reference | None = None
    patient: _Reference | None = None
    category: Raw = Raw()
    code: Raw = Raw()
    value_quantity: Sent | None = None
    medication_codeable_concept: Raw = Raw()
    medication_reference: _Reference | None = None
    medication: _MedicationChoice | None = None
    effective_date_time: str = ""
    issued: str = ""
    authored_on: str = ""
    recorded_date: str = ""
    period: _Period | None = None
    authored: str = ""
    date_asserted: str = ""
    status_changed: str = ""
    abatement_date_time: str = ""
    dispense_request: _Dispense | None = None
    status: str = ""


class _Head(Elements, kw_only=True):
    resource_type: str


class _Reduced(_Part):
    """The same for a resource whose elements have other shapes than they should."""

    resource_type: Raw = Raw()
    id: Raw = Raw()
    subject: Raw = Raw()
    patient: Raw = Raw()


class Line(NamedTuple):
    """A readable line. `kind` is empty for a type that is not read, `patient` if it names none."""

    type: str
    kind: bytes
    patient: str
    id: str
    head: Elements | None
    """None for a resource out of shape: the reader will find what can be used of it."""


NO_TYPE: Final = "no resourceType"


class BadLineError(ValueError):
    """A line that is no resource; says why, without its content."""


class _Request(_Part):
    method: str = ""


class _Entry(_Part):
    request: _Request | None = None


class _Bundle(_Part):
    entry: tuple[_Entry, ...] = ()


_bundle: Final = msgspec.json.Decoder(_Bundle)
_head: Final = msgspec.json.Decoder(_Head)
_reduced: Final = msgspec.json.Decoder(_Reduced)
_text: Final = msgspec.json.Decoder(str)
_reference: Final = msgspec.json.Decoder(_Reference)


def read_head(line: bytes) -> Line:
    """Raises BadLineError."""
    if not line.isascii() and not is_utf_8(line):
        raise BadLineError("not UTF-8")
    try:
        head = _head.decode(line)
    except DATA_ERRORS:
        return _out_of_shape(line)
    if not head.resource_type:
        raise BadLineError(NO_TYPE)
    return line_of(head.resource_type, head)


def line_of(type_: str, head: Elements) -> Line:
    """A line of this type in the shape it should have."""
    kind = KINDS.get(type_, b"")
    named = head.subject or head.patient
    patient = head.id if kind == b"T" else patient_in(named.reference) if named else ""
    return Line(type_, kind, patient, head.id, head)


def _out_of_shape(line: bytes) -> Line:
    try:
        reduced = _reduced.decode(line)
    except DATA_ERRORS:
        raise BadLineError("not a JSON object") from None
    type_ = _as_text(reduced.resource_type)
    if not type_:
        raise BadLineError(NO_TYPE)
    kind, id_ = KINDS.get(type_, b""), _as_text(reduced.id)
    named = ""
    for raw in (reduced.subject, reduced.patient):
        try:
            named = named or _reference.decode(raw).reference
        except DATA_ERRORS:
            continue
    return Line(type_, kind, id_ if kind == b"T" else patient_in(named), id_, None)


def _as_text(raw: Raw) -> str:
    try:
        return _text.decode(raw)
    except DATA_ERRORS:
        return ""


def is_utf_8(line: bytes) -> bool:
    """Whether all of the line is text."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(MOST_REFERENCES)
def patient_in(reference: str) -> str:
    """The bare id of the patient that a reference names, by the reader's own rule; empty if it names none."""
    type_, id_ = local_key(reference)
    if type_ == "Patient":
        return id_
    return bare_id(reference) if not type_ and not reference.startswith("#") else ""


def deletions_in(bundle: bytes) -> int:
    """How many resources a Bundle says were deleted."""
    try:
        entries = _bundle.decode(bundle).entry
    except DATA_ERRORS:
        return 0
    return sum(1 for entry in entries if entry.request and entry.request.method == "DELETE")


def medication_id(head: Elements) -> str:
    """The id of the Medication that an order names by reference; empty if by none or by one inside the order."""
    found = head.medication_reference or (head.medication.reference if head.medication else None)
    if found is None or not found.reference or found.reference.startswith("#"):
        return ""
    return local_key(found.reference)[1]
