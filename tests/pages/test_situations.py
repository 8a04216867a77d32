"""The patients of the playground: all of them answered, dated as of today, none left out."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from cds_hooks.pages.playground.charts import bundle
from cds_hooks.pages.playground.situations import choices, moved, situation, situations
from terminology.quantity import analytes
from terminology.valuesets import load

TODAY = date(2031, 2, 28)


def test_every_example_is_offered_once(root: Path) -> None:
    folders = {path.parent.name for path in (root / "examples").glob("*/request.json")}
    offered = [example.id for example in situations().examples]
    assert sorted(offered) == sorted(folders)
    ids = [choice["id"] for choice in choices()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("chart", situations().charts, ids=lambda chart: chart.id)
def test_a_chart_is_a_valid_bundle_and_the_same_every_time(chart: Any) -> None:
    made = json.loads(situation(chart.id, TODAY) or b"")
    Bundle.model_validate(made)
    assert made == json.loads(situation(chart.id, TODAY) or b"")
    ids = [(entry["resource"]["resourceType"], entry["resource"]["id"]) for entry in made["entry"]]
    assert len(ids) == len(set(ids)) >= 20
    assert chart.age == (TODAY - date.fromisoformat(made["entry"][0]["resource"]["birthDate"])).days // 365.25


@pytest.mark.parametrize("chart", situations().charts, ids=lambda chart: chart.id)
def test_every_code_of_a_chart_comes_from_a_reviewed_value_set(chart: Any) -> None:
    known = {(code.system, code.code) for found in load().values() for code in found.codes}
    for entry in bundle(chart, TODAY)["entry"]:
        for coding in entry["resource"].get("code", {}).get("coding", []):
            assert (coding["system"], coding["code"]) in known
    for name, series in chart.results.items():
        assert series.unit in analytes()[name].units


def test_an_example_is_moved_to_today_and_keeps_its_intervals() -> None:
    found = json.loads(situation("low-potassium-on-a-thiazide", TODAY) or b"")
    later = TODAY - situations().as_of
    potassium = found["prefetch"]["labs"]["entry"][0]["resource"]
    assert potassium["effectiveDateTime"] == (date(2026, 11, 18) + later).isoformat()
    assert found["prefetch"]["patient"]["birthDate"] == (date(1959, 10, 23) + later).isoformat()


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ('"2026-11-18T09:30:00Z"', '"2026-11-19T09:30:00Z"'),
        ("since 2026-12-31, stopped 2027-01-01", "since 2027-01-01, stopped 2027-01-02"),
        ('"LOINC 2823-3", "12026-11-18", 2026-11', '"LOINC 2823-3", "12026-11-18", 2026-11'),
    ],
)
def test_every_date_of_a_text_is_moved_and_nothing_else(text: str, becomes: str) -> None:
    assert moved(text.encode(), timedelta(days=1)).decode() == becomes


def test_there_is_no_other_patient(http: Any) -> None:
    assert situation("../../README", TODAY) is None
    assert http.get("/playground/patients/nobody").json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("example", situations().examples, ids=lambda example: example.id)
def test_no_result_of_an_example_is_too_old(http: Any, example: Any) -> None:
    request = http.get(f"/playground/patients/{example.id}").json()
    told = http.post("/cds-services/twitching-patient-view/explain", json=request).json()
    assert [gap for gap in told["gaps"] if gap["reason"] in ("stale", "future-date")] == []
