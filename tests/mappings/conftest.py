"""A patient to begin with: an adult with documented twitching, of whom everything was read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.facts import LabResult, Patient, PatientFacts, Problem
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
