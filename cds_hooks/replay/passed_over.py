"""What a call without documented twitching leaves unread, told from the rest when the export is read.

The reader sorts Observations by their code. Unless twitching is documented it does not read those whose code names an
analyte, and of those whose code says nothing to it and whose value is a number it makes nothing; nor does it read
medicines and orders, unless a medicine is being drafted. So they are kept apart: a patient is first asked about without
them, and again with them if twitching turns out to be documented. Nearly all lines of an export are such results, and
nearly all patients never need them.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from cds_hooks.replay.heads import Line
from mappings.from_fhir.chart import local_key
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.meaning import meaning_of
from mappings.from_fhir.medication_shapes import (
    Medication,
    MedicationOrder,
    MedicationRequest,
    MedicationStatement,
)
from mappings.from_fhir.shapes import Observation, ProcedureRequest, ServiceRequest

UNREAD: Final = b"="
"""Flag: a result of an analyte, a medicine or an order."""
NOTHING: Final = b"~"
"""Flag: a number under a code that says nothing to the reader, unless it is one of the order codes of a site."""
ORDERS: Final = (b"R", b"S", b"V")
"""The kinds of medicines and orders."""
PLAIN_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


_order: Final = msgspec.json.Decoder(
    MedicationRequest | MedicationOrder | MedicationStatement | ServiceRequest | ProcedureRequest | Medication
)


class Code(NamedTuple):
    """What a code alone decides; `flag` is empty if the Observation has to be read."""

    flag: bytes
    needs_number: bool


def of_code(code: bytes) -> Code:
    """Of `Observation.code` as JSON."""
    observation = Observation(code_json=Raw(code))
    try:
        meaning, named = meaning_of(observation), observation.code
    except DATA_ERRORS:
        meaning = named = None
    if meaning is None or named is None or meaning.pregnancy_status:
        return Code(b"", needs_number=False)
    if meaning.lab.analyte:
        return Code(UNREAD, needs_number=False)
    says_nothing = bool(named.coding or named.text) and not meaning.history
    return Code(NOTHING if says_nothing else b"", needs_number=True)


def may_wait(observation: Observation, needs_number: bool) -> bool:  # noqa: FBT001 - of a `Code`
    """Whether an Observation whose code has a flag is a plain result, about nobody but its subject."""
    return not (
        observation.component
        or observation.has_member
        or observation.focus
        or observation.patient
        or (needs_number and (observation.value_string or observation.value_codeable_concept))
    )


def is_plain_order(line: Line, content: bytes) -> bool:
    """Whether a medicine or an order has the reader's shape, is about nobody but its subject, and is not being drafted."""
    head = line.head
    if head is None or not line.patient or head.status.strip().lower() == "draft":
        return False
    named = [named.reference for named in (head.subject, head.patient) if named]
    return all(plain_patient(reference) == line.patient for reference in named) and has_shape(content)


def has_shape(content: bytes) -> bool:
    """Whether a medicine or an order, or a Medication, has the reader's shape and speaks of nothing else."""
    try:
        return not _order.decode(content).focus
    except DATA_ERRORS:
        return False


def plain_patient(reference: str) -> str:
    """The id of the patient whom a reference names for the reader whatever else is in the record; empty if it does not."""
    type_, id_ = local_key(reference)
    return id_ if type_ == "Patient" and PLAIN_ID.fullmatch(id_) else ""
