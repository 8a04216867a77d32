"""The assessment as JSON, field by field as integrators rely on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest

from cds_hooks.explanation import explanation
from cds_hooks.request import read_request
from cds_hooks.services import SERVICE_BY_ID
from mappings.assessment import Assessment, Considered, Contributor, Evidence, RedFlag, SafetyItem
from mappings.assessment import TestAdvice as Advice  # under a name that pytest does not collect
from mappings.facts import DataGap

SERVICE = SERVICE_BY_ID["twitching-patient-view"]
EVIDENCE = {
    "label": "potassium",
    "text": "potassium 2.8 mmol/L (2026-02-25); lower limit 3.5, laboratory's own",
    "resource": "Observation/k-1",
    "value": "2.8",
    "unit": "mmol/L",
    "date": "2026-02-25",
    "limit": "3.5 mmol/L",
    "limitSource": "lab",
}


@pytest.fixture
def told(call: Callable[..., bytes]) -> Callable[[Assessment], dict[str, object]]:
    request = read_request(call(), SERVICE)
    return lambda assessment: dict(json.loads(explanation(SERVICE, request, assessment)))


def test_everything_is_told(
    told: Callable[[Assessment], dict[str, object]],
    assessment: Callable[..., Assessment],
    low_potassium: Evidence,
) -> None:
    full = told(
        assessment(
            indicator="warning",
            red_flags=(RedFlag("dysphagia", "Swallowing impairment", "urgent", (low_potassium,)),),
            contributors=(
                Contributor(
                    "hypokalaemia",
                    "Low potassium",
                    "C1",
                    "plausible",
                    (low_potassium,),
                    ("thiazide",),
                    ("C14",),
                ),
            ),
            considered=(Considered("hypocalcaemia", "calcium normal"),),
            safety=(SafetyItem("safety:hyperkalaemia", "High potassium", (low_potassium,)),),
            tests=(Advice("magnesium", "Serum magnesium", "suggested", "not measured"),),
            gaps=(
                DataGap("sodium", "no-unit", "sodium 140 has no unit", "Observation/na", date(2026, 2, 20)),
                DataGap("Procedure", "not-provided"),
            ),
            notes=("A note.",),
        )
    )
    assert full["service"] == "twitching-patient-view"
    assert full["hook"] == "patient-view"
    assert full["hookInstance"] == "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    assert full["assessedAt"] == "2026-03-01"
    assert full["knowledgeVersion"] == "1+abc"
    assert full["silentReason"] is None
    assert full["indicator"] == "warning"
    assert full["gate"] == {
        "open": True,
        "because": [
            {"label": "Fasciculation", "text": "Fasciculation since 2026-01-25", "resource": "Condition/tw-1"}
        ],
    }
    (flag,) = full["redFlags"]  # type: ignore[misc]
    assert {"id": "dysphagia", "urgency": "urgent", "evidence": [EVIDENCE]}.items() <= flag.items()
    (cause,) = full["contributors"]  # type: ignore[misc]
    assert {
        "id": "hypokalaemia",
        "title": "Low potassium",
        "tier": "C1",
        "strength": "plausible",
        "explainedBy": ["thiazide"],
        "evidence": [EVIDENCE],
        "references": ["C14"],
    }.items() <= cause.items()
    assert full["considered"] == [{"id": "hypocalcaemia", "why": "calcium normal"}]
    (item,) = full["safety"]  # type: ignore[misc]
    assert {"id": "safety:hyperkalaemia", "evidence": [EVIDENCE]}.items() <= item.items()
    (test,) = full["tests"]  # type: ignore[misc]
    assert {
        "id": "magnesium",
        "status": "suggested",
        "reason": "not measured",
        "urgency": "routine",
    }.items() <= test.items()
    assert full["gaps"] == [
        {
            "what": "sodium",
            "reason": "no-unit",
            "text": "sodium 140 has no unit",
            "resource": "Observation/na",
            "date": "2026-02-20",
        },
        {"what": "Procedure", "reason": "not-provided"},
    ]
    assert full["notes"] == ["A note."]


def test_silence_has_a_reason_and_empty_lists(
    told: Callable[[Assessment], dict[str, object]], assessment: Callable[..., Assessment]
) -> None:
    silent = told(assessment(silent_reason="twitching-not-documented"))
    assert silent["silentReason"] == "twitching-not-documented"
    assert silent["indicator"] == "none"
    for part in ("redFlags", "contributors", "considered", "safety", "tests", "gaps", "notes"):
        assert silent[part] == []
