"""What the playground says was read of a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def request_(root: Path) -> dict[str, Any]:
    path = root / "examples" / "low-potassium-on-a-thiazide" / "request.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def facts(http: Any) -> Any:
    return lambda request: http.post("/playground/facts/twitching-patient-view", json=request)


def test_each_fact_stands_with_its_meaning(facts: Any, request_: dict[str, Any]) -> None:
    told = facts(request_).json()
    assert told["labs"][0] == {
        "analyte": "potassium",
        "title": "potassium",
        "value": "2.8",
        "comparator": "",
        "unit": "mmol/L",
        "date": "2026-11-18",
        "resource": "Observation/lab-0",
        "direction": "low",
        "band": "moderate",
        "low": "3.5",
        "high": "5.1",
        "limitSource": "laboratory",
    }
    assert told["medications"][0]["classes"] == ["thiazide or thiazide-like diuretic"]
    assert told["problems"][0]["concepts"] == ["fasciculation"]


def test_a_decision_limit_is_shown_where_it_goes_before_the_laboratory(
    facts: Any, request_: dict[str, Any]
) -> None:
    labs = {lab["analyte"]: lab for lab in facts(request_).json()["labs"]}
    assert labs["tsh"]["limitSource"] == "rules"
    assert labs["egfr"]["low"] == "60"


def test_a_call_that_cannot_be_read_is_refused(facts: Any, http: Any) -> None:
    assert facts({"hook": "patient-view"}).status_code == 400
    assert http.post("/playground/facts/nobody", json={}).status_code == 404
