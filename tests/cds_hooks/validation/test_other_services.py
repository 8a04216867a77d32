"""Documents as other services and clients write them, of three ages of the specification: what is and is not reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_hooks.validation.validate import validate

BEFORE_1 = {
    "services": [
        {
            "hook": "medication-prescribe",
            "name": "Dose check",
            "description": "Checks doses",
            "id": "dose-check",
            "prefetch": {"patient": "Patient/{{Patient.id}}"},
        }
    ]
}
CARDS_BEFORE_1 = {
    "cards": [
        {
            "summary": "Dose too high",
            "indicator": "hard-stop",
            "source": {"name": "Dose check"},
            "suggestions": [{"label": "Halve it", "create": [{"resourceType": "MedicationOrder"}]}],
        }
    ],
    "decisions": [],
}
CARDS_2 = {
    "cards": [
        {
            "uuid": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
            "summary": "Potassium is due",
            "indicator": "Warning",
            "source": {"label": "Laboratory", "topic": {"code": "due", "system": "https://lab.example.org"}},
            "links": [{"label": "Guideline", "url": "/guideline", "type": "absolute"}],
        }
    ]
}
OF_3 = {
    "services": [
        {
            "hook": "order-sign",
            "title": "Renal dosing",
            "description": "Checks **doses**",
            "id": "renal-dosing",
            "version": "3.0.0",
            "hookVersion": "1.0",
            "prefetch": {
                "patient": "Patient/{{context.patientId}}",
                "doctor": "{{%patient.generalPractitioner.resolve()}}",
                "drafts": "Medication?_id={{context.draftOrders.entry.resource.ofType(MedicationRequest).id}}",
            },
        }
    ]
}


def reported(document: Any, *severities: str) -> set[tuple[str, str]]:
    """Place and closest requirement of each finding of these severities."""
    found = validate(json.dumps(document).encode()).findings
    return {(f.path, f.requirements[0]) for f in found if f.severity in severities}


def test_a_discovery_from_before_1() -> None:
    assert reported(BEFORE_1, "error", "warning") == {
        ("$.services[0].prefetch.patient", "cds-hooks_2.0@56"),
        ("$.services[0].hook", "cds-hooks-library#deprecated-hook"),
        ("$.services[0].title", "cds-hooks_2.0@8"),
    }
    assert reported(BEFORE_1, "information") == {("$.services[0].name", "advice#unknown-field")}


def test_cards_from_before_1() -> None:
    assert reported(CARDS_BEFORE_1, "error") == {
        ("$.decisions", "cds-hooks_2.0@3"),
        ("$.cards[0].indicator", "cds-hooks_2.0@88"),
        ("$.cards[0].source.label", "cds-hooks_2.0@105"),
        ("$.cards[0].selectionBehavior", "cds-hooks_2.0@93"),
    }


def test_cards_of_2_with_slips() -> None:
    assert reported(CARDS_2, "error", "warning") == {
        ("$.cards[0].indicator", "cds-hooks_2.0@88"),
        ("$.cards[0].links[0].url", "cds-hooks_2.0@139"),
    }
    (fix,) = [
        found.fix for found in validate(json.dumps(CARDS_2).encode()).findings if "indicator" in found.path
    ]
    assert fix == "Send warning; capitals and blanks count."


def test_a_discovery_that_says_it_is_of_3_may_use_what_3_allows() -> None:
    assert reported(OF_3, "error", "warning") == set()
    assert {
        ("$.services[0].prefetch.doctor", "cds-hooks_3.0-ballot#prefetch-expression"),
        ("$.services[0].prefetch.drafts", "cds-hooks_3.0-ballot#prefetch-expression"),
    } <= reported(OF_3, "information")


@pytest.mark.parametrize("version", [None, "2.0", "30", 3])
def test_one_that_does_not_say_so_may_not(version: Any) -> None:
    service = OF_3["services"][0] | {"version": version}
    if version is None:
        del service["version"]
    found = reported({"services": [service]}, "error")
    assert ("$.services[0].prefetch.doctor", "cds-hooks_2.0@56") in found


def test_braces_that_are_no_expression_are_wrong_in_3_as_well() -> None:
    service = OF_3["services"][0] | {"prefetch": {"patient": "Patient/{{ context.patientId }}"}}
    assert ("$.services[0].prefetch.patient", "cds-hooks_2.0@56") in reported(
        {"services": [service]}, "error"
    )
