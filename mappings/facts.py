"""What is known about one patient, and what could not be read.

`PatientFacts` is the only thing `assess` sees of a record. It holds no FHIR, no clock and no
guess: a datum that could not be read is a `DataGap`, never a default.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

GapReason = Literal[
    "not-provided",  # the EHR sent neither the prefetch key nor access to its FHIR server
    "not-readable",  # an OperationOutcome, a failed fetch or a malformed resource stands in its place
    "incomplete",  # more pages exist than were read
    "no-value",  # dataAbsentReason, masked or empty value
    "not-numeric",  # a value that is not a number
    "no-unit",
    "unknown-unit",
    "implausible-value",  # outside what the unit allows for this analyte
    "unit-contradicts-range",  # the laboratory's own range shows that the unit cannot be right
    "code-contradicts-text",  # the code names one analyte, its text another
    "not-a-loinc-code",  # read by its text, at lower trust
    "no-date",
    "future-date",
    "stale",  # too old to be used (assess decides, with its own clock)
    "uncertain-comparator",  # "<4.0" neither proves nor excludes an abnormal value
    "status-not-usable",  # registered, cancelled, entered in error, unknown
    "wrong-patient",
    "medication-not-resolved",  # the order names no medicine that could be read
    "medication-not-recognised",  # named, but in no class the rules know
    "spurious",  # haemolysed, contaminated or interfered-with specimen
    "conflicting",  # two results that should agree do not
    "companion-missing",  # a result that means something only beside another one, which is missing
]


class DataGap(Struct, frozen=True):
    """One thing that could not be used, why, and where it stood."""

    what: str
    """Analyte id, `medication`, `Condition` …: what is missing because of it."""
    reason: GapReason
    text: str = ""
    """What a clinician reads: `potassium 2.9 has no unit and was not interpreted`."""
    resource: str = ""
    """`Observation/123`, or the prefetch key when there is no resource."""
    on: date | None = None
    """The day of the result or examination that could not be used, when it has one; the last day of a medicine that ended."""


class Limits(Struct, frozen=True):
    """A laboratory's own reference interval, in the unit of the result."""

    low: Decimal | None = None
    high: Decimal | None = None


class LabResult(Struct, frozen=True):
    """One readable laboratory result. `unit` is a UCUM code that the analyte table accepts."""

    analyte: str
    value: Decimal
    unit: str
    date: date
    """The earliest day the stated time allows."""
    moment: str = ""
    """Sortable ISO instant, to order results of one day."""
    comparator: Literal["", "<", "<=", ">", ">="] = ""
    range: Limits | None = None
    interpretation: Literal["", "LL", "L", "N", "H", "HH"] = ""
    preliminary: bool = False
    specimen: str = ""
    """Equal for results of one specimen; empty when unknown."""
    specimen_problem: Literal["", "haemolysed"] = ""
    by_text: bool = False
    """Identified by its text, not by a LOINC code: lower trust."""
    label: str = ""
    resource: str = ""


class Medication(Struct, frozen=True):
    """One medicine the record says is, was or will be taken. Not-taken ones are left out."""

    text: str
    classes: tuple[str, ...] = ()
    """Drug class ids (`thiazide`) that act systemically by this route."""
    local: tuple[str, ...] = ()
    """Classes of its ingredients that do not count by this route (`inhaled_corticosteroid`)."""
    ingredients: tuple[str, ...] = ()
    route: str = ""
    status: Literal["active", "ended", "draft", "unknown"] = "active"
    start: date | None = None
    """The latest day the stated start allows."""
    end: date | None = None
    by: Literal["", "rxnorm", "ndc", "atc", "snomed", "text"] = ""
    resource: str = ""


class Problem(Struct, frozen=True):
    """An active or past diagnosis, symptom, procedure or encounter reason; never a refuted one."""

    concepts: tuple[str, ...]
    """Concept ids of `terminology` (`fasciculation`, `ckd_stage_4`); none if it only names suspected diseases."""
    text: str
    active: bool = True
    onset: date | None = None
    recorded: date | None = None
    ended: date | None = None
    site: str = ""
    kind: Literal["Condition", "Procedure", "Encounter", "Observation", "QuestionnaireResponse"] = "Condition"
    by_text: bool = False
    draft: bool = False
    resource: str = ""
    suspected: tuple[str, ...] = ()
    """Concept ids of the diseases that are only suspected."""


class Finding(Struct, frozen=True):
    """A sign or symptom somebody looked for: present or absent, seen by a clinician or reported."""

    concept: str
    present: bool
    objective: bool
    """True: examined or recorded by a clinician. False: what the patient reports."""
    text: str
    date: date | None = None
    site: str = ""
    resource: str = ""


class Measure(Struct, frozen=True):
    """A history item with a number or a text: caffeine intake, sleep, diet, exercise."""

    item: str
    text: str
    value: Decimal | None = None
    unit: str = ""
    date: date | None = None
    resource: str = ""


class Answer(Struct, frozen=True):
    """One answer to the history questionnaire; `value` is an answer code or ISO date."""

    question: str
    value: str
    text: str
    date: date | None = None
    reported: bool = False
    """True when the patient (or a relative) filled it in."""
    resource: str = ""


class Order(Struct, frozen=True):
    """A request for a test or panel, pending or carried out."""

    tests: tuple[str, ...]
    """Test ids of `clinical/ids.md`; a panel carries its own id."""
    status: Literal["pending", "draft", "done"]
    text: str
    date: date | None = None
    resource: str = ""


class Patient(Struct, frozen=True):
    """Who: `birth_date` is (earliest, latest), because FHIR dates may be partial."""

    id: str
    birth_date: tuple[date, date] | None = None
    sex: Literal["", "female", "male", "other"] = ""
    deceased: bool = False
    pregnant: bool = False
    pregnancy_text: str = ""


class PatientFacts(Struct, frozen=True):
    """Everything `assess` may use, in no particular order."""

    patient: Patient
    labs: tuple[LabResult, ...] = ()
    medications: tuple[Medication, ...] = ()
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()
    measures: tuple[Measure, ...] = ()
    answers: tuple[Answer, ...] = ()
    orders: tuple[Order, ...] = ()
    gaps: tuple[DataGap, ...] = ()
    read: frozenset[str] = frozenset()
    """Resource types that were obtained, even if empty: `Condition` here and no problems means none recorded."""
