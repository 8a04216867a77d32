from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.facts import Medication, PatientFacts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]


def only(facts: PatientFacts) -> Medication:
    assert facts.gaps == ()
    (medication,) = facts.medications
    return medication


def bounds(start: str = "", end: str = "") -> Json:
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    return {"text": "one daily", "timing": {"repeat": {"boundsPeriod": period}}}


@pytest.mark.parametrize(
    ("elements", "start", "end"),
    [
        ({}, "2025-11-01", None),
        ({"authoredOn": None}, None, None),
        ({"authoredOn": "2025-11"}, "2025-11-30", None),
        ({"authoredOn": "2025"}, "2025-12-31", None),
        ({"dosageInstruction": [bounds("2024-05-01")]}, "2024-05-01", None),
        (
            {"dosageInstruction": [bounds("2024-05-01", "2024-06-01"), bounds("2024-06-02", "2024-07")]},
            "2024-05-01",
            "2024-07-31",
        ),
        (
            {"dispenseRequest": {"validityPeriod": {"start": "2025-10-01", "end": "2026-10-01"}}},
            "2025-10-01",
            "2026-10-01",
        ),
        (
            {
                "dosageInstruction": [bounds("", "2026-01-01")],
                "dispenseRequest": {"validityPeriod": {"end": "2026-10-01"}},
            },
            "2025-11-01",
            "2026-01-01",
        ),
        ({"status": "stopped", "statusChanged": "2026-01-15"}, "2025-11-01", "2026-01-15"),
        (
            {
                "status": "stopped",
                "statusChanged": "2026-01-15",
                "dosageInstruction": [bounds("", "2026-03-01")],
            },
            "2025-11-01",
            "2026-01-15",
        ),
        (
            {
                "status": "completed",
                "statusChanged": "2026-03-15",
                "dosageInstruction": [bounds("", "2026-03-01")],
            },
            "2025-11-01",
            "2026-03-01",
        ),
        ({"statusChanged": "2026-01-15"}, "2025-11-01", None),
        (
            {
                "resourceType": "MedicationStatement",
                "effectivePeriod": {"start": "2024", "end": "2025-01-31"},
            },
            "2024-12-31",
            "2025-01-31",
        ),
        ({"resourceType": "MedicationStatement", "effectiveDateTime": "2024-03-01"}, "2024-03-01", None),
        ({"resourceType": "MedicationStatement", "dosage": [bounds("2024-03-01")]}, "2024-03-01", None),
        (
            {"resourceType": "MedicationAdministration", "effectiveDateTime": "2026-02-01"},
            "2026-02-01",
            "2026-02-01",
        ),
        (
            {"resourceType": "MedicationAdministration", "occurenceDateTime": "2026-02-01"},
            "2026-02-01",
            "2026-02-01",
        ),
        (
            {
                "resourceType": "MedicationAdministration",
                "effectivePeriod": {"start": "2026-02-01", "end": "2026-02-03"},
                "dosage": {},
            },
            "2026-02-01",
            "2026-02-03",
        ),
    ],
)
def test_start_and_end(elements: Json, start: str | None, end: str | None, read: Read, order: Make) -> None:
    medication = only(read(order(**elements)))
    assert medication.start == (date.fromisoformat(start) if start else None)
    assert medication.end == (date.fromisoformat(end) if end else None)


def test_an_active_order_with_an_end_in_the_past_stays_active_with_its_end(read: Read, order: Make) -> None:
    medication = only(read(order(dosageInstruction=[bounds("2020-01-01", "2020-02-01")])))
    assert (medication.status, medication.end) == ("active", date(2020, 2, 1))
