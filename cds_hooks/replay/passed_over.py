"""What a call without documented twitching does not read, and what makes no difference to it; told from the rest in the scan.

Unless twitching is documented nearly all results change nothing (`results.py`), and the reader does not read medicines and
orders, unless a medicine is being drafted. So they are kept apart: a patient is first asked about without them, and again
with them if twitching turns out to be documented. They are nearly all lines of an export, and nearly no patient needs them.

What is then left of most patients is one Patient resource, of which a call without documented twitching says nothing, and
problems that name neither twitching nor what is taken for it. They are all answered alike, so one of them is asked about.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from cds_hooks.replay.heads import MOST_REFERENCES, Elements, Line
from mappings.from_fhir.chart import local_key
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.meaning import concepts_named
from mappings.from_fhir.medication_shapes import (
    Medication,
    MedicationOrder,
    MedicationRequest,
    MedicationStatement,
)
from mappings.from_fhir.shapes import Condition, Patient, Procedure, ProcedureRequest, ServiceRequest

UNREAD: Final = b"="
"""Flag: a result of an analyte, a medicine or an order."""
NOTHING: Final = b"~"
"""Flag: a result that is read and changes nothing; it might if its code is one of the order codes of a site."""
NAMES: Final = b":"
"""After a flag: a problem or a Patient that says no more than the concepts it names, which follow."""
ORDERS: Final = (b"R", b"S", b"V")
"""The kinds of medicines and orders."""
PROBLEMS: Final = (b"C", b"P")
"""The kinds of problems: Conditions and Procedures."""
PLAIN_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


_order: Final = msgspec.json.Decoder(
    MedicationRequest | MedicationOrder | MedicationStatement | ServiceRequest | ProcedureRequest | Medication
)
_problem: Final = msgspec.json.Decoder(Condition | Procedure)
_person: Final = msgspec.json.Decoder(Patient)


def is_plain_order(line: Line, content: bytes) -> bool:
    """Whether a medicine or an order has the reader's shape, is about nobody but its subject, and is not being drafted."""
    head = line.head
    if head is None or head.status.strip().lower() == "draft":
        return False
    return _is_plainly_owned(line, head) and has_shape(content)


def has_shape(content: bytes) -> bool:
    """Whether a medicine or an order, or a Medication, has the reader's shape and speaks of nothing else."""
    try:
        return not _order.decode(content).focus
    except DATA_ERRORS:
        return False


def names_in(line: Line, content: bytes) -> bytes:
    """`NAMES` and the concepts of a problem or a Patient, if it has the reader's shape and is about nobody else; or empty."""
    try:
        if line.kind == b"T":
            return NAMES if PLAIN_ID.fullmatch(_person.decode(content).id) else b""
        if line.kind in PROBLEMS and line.head is not None and _is_plainly_owned(line, line.head):
            return _named(_problem.decode(content))
    except DATA_ERRORS:
        pass
    return b""


def _named(problem: Condition | Procedure) -> bytes:
    code = problem.code
    if problem.focus or code is None or not (code.coding or code.text):
        return b""
    found = concepts_named(code)
    return NAMES + ",".join(sorted({*found.concepts, *found.suspected})).encode()


@lru_cache(10_000)
def are_unheard(tag: bytes, heard: frozenset[str]) -> bool:
    """Whether the lines under this tag say no more than concepts that are not `heard` unless twitching is documented."""
    _, says, names = tag.partition(NAMES)
    return bool(says) and heard.isdisjoint(names.decode().split(","))


def _is_plainly_owned(line: Line, head: Elements) -> bool:
    patient, subject, other = line.patient, head.subject, head.patient
    if not patient or (subject and plain_patient(subject.reference) != patient):
        return False
    return not other or plain_patient(other.reference) == patient


@lru_cache(MOST_REFERENCES)
def plain_patient(reference: str) -> str:
    """The id of the patient whom a reference names for the reader whatever else is in the record; empty if it does not."""
    type_, id_ = local_key(reference)
    return id_ if type_ == "Patient" and PLAIN_ID.fullmatch(id_) else ""
