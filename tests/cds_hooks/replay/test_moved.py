"""A medicine that acts through a result is named on its own, or as what explains the finding: the report says which."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.replay.sides import Side

Json = dict[str, Any]
LIMIT = """
limits:
  - {analyte: potassium, side: low, band: reference, value: 3.9, unit: mmol/L, source: Policy 12.3,
     approved_by: Head of biochemistry, reviewed: 2026-01-01, review_due: 2027-01-01}
"""
SILENT = "silent: {contributors: [hypokalaemia]}"


def site(profile: str) -> Side:
    return Side("", f"name: Test\n{profile}\n".encode(), "site.yaml")


@pytest.fixture
def on_furosemide(
    export: Callable[..., Path], twitching: Callable[..., list[Json]], result: Callable[..., Json]
) -> Path:
    """Potassium 3.7 mmol/L, which only the site calls low; magnesium is not known."""
    order = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-02-01",
        "medicationCodeableConcept": {"text": "furosemide 40 MG Oral Tablet"},
    }
    return export(*twitching(), order, result("k", 3.7, "2026-10-20"))


def changes(told: Json) -> set[tuple[str, str]]:
    return {(change["what"], change["id"]) for change in told["comparison"]["changes"]}


def test_it_becomes_the_explanation_of_what_a_limit_makes_abnormal(
    told: Callable[..., Json], on_furosemide: Path
) -> None:
    found = told(on_furosemide, sides=(Side(), site(LIMIT)))
    assert found["contributors"] == {"drug:loop_diuretic": 1}
    assert found["comparison"]["contributors"] == {"hypokalaemia": 1}
    assert {
        ("contributor added", "hypokalaemia"),
        ("contributor removed", "drug:loop_diuretic"),
        ("explanation added", "loop_diuretic of hypokalaemia"),
    } <= changes(found)


def test_it_is_kept_back_with_the_finding_that_it_explains(
    told: Callable[..., Json], on_furosemide: Path
) -> None:
    found = told(on_furosemide, sides=(Side(), site(LIMIT + SILENT)))
    assert ("contributor removed", "drug:loop_diuretic") in changes(found)
    assert not [change for change in changes(found) if change[0].startswith("explanation")]
    kept = {(item["id"], item["why"]) for item in found["comparison"]["keptBack"]["findings"]}
    assert kept == {("hypokalaemia", "silent-rule"), ("drug:loop_diuretic", "explains-hypokalaemia")}


def test_a_silent_rule_alone_takes_no_line_from_a_medicine(
    told: Callable[..., Json], on_furosemide: Path
) -> None:
    found = told(on_furosemide, sides=(Side(), site(SILENT)))
    assert found["comparison"]["changed"] == 0
    assert found["comparison"]["keptBack"]["findings"] == []
