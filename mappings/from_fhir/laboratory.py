"""One laboratory result: a value with a unit and a date that may be interpreted, or the reason why not."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from mappings.facts import DataGap, GapReason, LabResult
from mappings.from_fhir.datatypes import WRITTEN_NUMBER, Quantity, number
from mappings.from_fhir.dates import When
from mappings.from_fhir.limits import Person, Reported, interpretation, limits
from mappings.from_fhir.meaning import text_of
from mappings.from_fhir.shapes import Result
from terminology import quantity
from terminology.laboratory import LabMatch

Comparator = Literal["", "<", "<=", ">", ">="]

DROPPED: Final = frozenset({"entered-in-error", "cancelled"})
USABLE: Final = frozenset({"final", "amended", "corrected", "appended", "preliminary"})

_COMPARATORS: Final[dict[str, Comparator]] = {
    "": "",
    "<": "<",
    "<=": "<=",
    "≤": "<=",
    ">": ">",
    ">=": ">=",
    "≥": ">=",
}
_NUMERIC_STRING: Final = re.compile(rf"([<>]=?|[≤≥])?\s*({WRITTEN_NUMBER})\s*([^\d\s,]\S*)?")
_MAX_EXPONENT: Final = 15
_MAX_LENGTH: Final = 40
"""No result is larger than 10^15 or finer than 10^-15 in any accepted unit."""


class Frame(NamedTuple):
    """What a result takes from the Observation it stands in."""

    status: str
    when: When | None
    person: Person
    specimen: str
    haemolysed: bool
    resource: str


class Reading(NamedTuple):
    """A number as sent, with its unit as sent."""

    value: Decimal
    comparator: Comparator
    unit: str | None
    code: str | None = None
    system: str | None = None


def read_result(result: Result, match: LabMatch, frame: Frame) -> LabResult | DataGap | None:
    """Read one identified result; None if it is withdrawn.

    Status: final, amended, corrected and preliminary are used; entered-in-error
    and cancelled count as never measured; registered, unknown, absent and any other are not usable.
    """
    if frame.status in USABLE:
        return _read(result, match, frame)
    if frame.status not in DROPPED:
        return _gap(
            match, frame, "status-not-usable", f"has the status {frame.status or 'missing'} and was not used"
        )
    if frame.status == "cancelled" and result.data_absent_reason:
        return _gap(match, frame, "no-value", "was cancelled by the laboratory without a result")
    return None


def _gap(match: LabMatch, frame: Frame, reason: GapReason, text: str) -> DataGap:
    name = quantity.analytes()[match.analyte].title
    return DataGap(
        match.analyte, reason, f"{name} {text}", frame.resource, frame.when.earliest if frame.when else None
    )


def _read(result: Result, match: LabMatch, frame: Frame) -> LabResult | DataGap:
    reading = read_value(result)
    if not isinstance(reading, Reading):
        return _gap(match, frame, *reading)
    shown = f"{reading.comparator}{reading.value}"
    if match.contradicted_by:
        other = match.contradicted_by.replace("_", " ").replace("-", " ")
        text = f"{shown}: code and text disagree ({other}), so that it was not interpreted"
        return _gap(match, frame, "code-contradicts-text", text)
    read = quantity.read(
        match.analyte, reading.value, unit=reading.unit, code=reading.code, system=reading.system
    )
    if isinstance(read, quantity.Refusal):
        why = "has no unit and was not interpreted"
        if read.reason != "no-unit":
            why = f"was not interpreted: {read.detail}"
        return _gap(match, frame, read.reason, f"{shown} {why}")
    if frame.when is None:
        return _gap(match, frame, "no-date", f"{shown} {read.unit} has no date and was not used")
    unit_as_sent = reading.code or reading.unit or ""
    reported = Reported(match.analyte, reading.value, unit_as_sent, read.unit, frame.when.earliest)
    ranges, flags = result.reference_range, result.interpretation
    return LabResult(
        analyte=match.analyte,
        value=read.value,
        unit=read.unit,
        date=frame.when.earliest,
        moment=frame.when.moment,
        comparator=reading.comparator,
        range=limits(ranges, reported, frame.person) if ranges else None,
        interpretation=interpretation(flags) if flags else "",
        preliminary=frame.status == "preliminary",
        specimen=frame.specimen,
        specimen_problem="haemolysed" if frame.haemolysed else "",
        by_text=match.by == "text" or match.not_loinc,
        label=text_of(result.code) or quantity.analytes()[match.analyte].title,
        resource=frame.resource,
    )


def read_value(result: Result) -> Reading | tuple[GapReason, str]:
    """The number of a result, also out of a plainly numeric string, or why there is none."""
    if result.data_absent_reason:
        return "no-value", "was not measured: the record gives a reason for its absence"
    if result.value_quantity is not None:
        return _of_quantity(result.value_quantity)
    if written := result.value_string.strip():
        if numeric := _NUMERIC_STRING.fullmatch(written):
            return Reading(number(numeric[2]), _COMPARATORS[numeric[1] or ""], numeric[3])
        return "not-numeric", "has a text instead of a number and was not interpreted"
    if result.value_integer is not None:
        return _of_quantity(Quantity(Decimal(result.value_integer)))
    if result.value_codeable_concept is not None or result.value_boolean is not None:
        return "not-numeric", "has a code instead of a number and was not interpreted"
    return "no-value", "has no value"


def _of_quantity(sent: Quantity) -> Reading | tuple[GapReason, str]:
    if sent.value is None:
        return "no-value", "has no value"
    comparator = _COMPARATORS.get(sent.comparator.strip())
    if comparator is None or not _is_plain(sent.value):
        return "not-numeric", "has a value that is not a plain number and was not interpreted"
    return Reading(sent.value, comparator, sent.unit, sent.code, sent.system)


def _is_plain(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) <= _MAX_EXPONENT and len(str(value)) <= _MAX_LENGTH
