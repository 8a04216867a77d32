"""A patient to begin with: an adult with documented twitching, of whom everything was read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mappings.assess.assess import assess
from mappings.assessment import Assessment
from mappings.facts import LabResult, Medication, Patient, PatientFacts, Problem
from mappings.knowledge import Knowledge, load_knowledge

TWITCHING = Problem(
    ("fasciculation",), "Fasciculation", onset=date(2026, 1, 1), resource="Condition/twitching"
)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="session")
def today() -> date:
    return date(2026, 3, 1)


@pytest.fixture(scope="session")
def adult() -> Callable[..., PatientFacts]:
    """Makes the facts from results, and from `problems=`, `medications=` … of one's own."""

    def make(*labs: LabResult, **more: Any) -> PatientFacts:
        patient = more.pop("patient", Patient("p", (date(1980, 1, 1), date(1980, 1, 1))))
        problems = (TWITCHING, *more.pop("problems", ()))
        read = more.pop(
            "read", frozenset({"Condition", "Observation", "MedicationRequest", "ServiceRequest"})
        )
        return PatientFacts(patient, labs, problems=problems, read=read, **more)

    return make


@pytest.fixture
def judge(adult: Callable[..., PatientFacts], knowledge: Knowledge, today: date) -> Callable[..., Assessment]:
    """Assesses an adult with these results and other facts."""

    def run(*labs: LabResult, **facts: Any) -> Assessment:
        return assess(adult(*labs, **facts), knowledge, today)

    return run


@pytest.fixture(scope="session")
def lab(today: date) -> Callable[..., LabResult]:
    """A result of today."""

    def make(analyte: str, value: str, unit: str = "mmol/L", **more: Any) -> LabResult:
        whole = {"date": today, "resource": f"Observation/{analyte}"} | more
        return LabResult(analyte, Decimal(value), unit, **whole)

    return make


@pytest.fixture(scope="session")
def drug() -> Callable[..., Medication]:
    """A medicine that is taken, by its text and classes."""

    def make(text: str, *classes: str, **more: Any) -> Medication:
        whole = {"by": "text", "resource": f"MedicationRequest/{text.partition(' ')[0]}"} | more
        return Medication(text, classes, **whole)

    return make


@pytest.fixture(scope="session")
def evidence() -> Callable[[Assessment, str], list[str]]:
    """The evidence lines of one contributor."""
    return lambda answer, name: [
        item.text for c in answer.contributors if c.id == name for item in c.evidence
    ]


@pytest.fixture(scope="session")
def reason() -> Callable[[Assessment, str], str]:
    """Why a test is advised, or not again."""
    return lambda answer, test: next((t.reason for t in answer.tests if t.id == test), "")
