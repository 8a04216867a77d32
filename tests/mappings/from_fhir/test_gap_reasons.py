"""Each reason that the reader can give, once, with the sentence a clinician reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mappings.from_fhir.read import Source, read_patient_facts

Json = dict[str, Any]
Make = Callable[..., Json]
LOINC = "http://loinc.org"


def unit(name: str | None, value: float = 2.9) -> Json:
    return {"valueQuantity": {"value": value, "unit": name} if name else {"value": value}}


RESULTS = {
    "no-value": ({"valueQuantity": None}, "potassium has no value"),
    "not-numeric": (
        {"valueQuantity": None, "valueString": "low"},
        "potassium has a text instead of a number and was not interpreted",
    ),
    "no-unit": (unit(None), "potassium 2.9 has no unit and was not interpreted"),
    "unknown-unit": (unit("furlong"), "potassium 2.9 was not interpreted: unit 'furlong' is not known"),
    "implausible-value": (unit("mg/dL"), "potassium 2.9 was not interpreted: "),
    "code-contradicts-text": (
        {"code": {"coding": [{"system": LOINC, "code": "2823-3"}], "text": "Phosphate"}},
        "potassium 2.9: code and text disagree (phosphate), so that it was not interpreted",
    ),
    "not-a-loinc-code": (
        {"code": {"coding": [{"system": LOINC, "code": "77", "display": "Potassium"}]}},
        "potassium was read by its name: its code is not a LOINC code",
    ),
    "no-date": ({"effectiveDateTime": None}, "potassium 2.9 mmol/L has no date and was not used"),
    "status-not-usable": ({"status": "unknown"}, "potassium has the status unknown and was not used"),
    "wrong-patient": (
        {"subject": {"reference": "Patient/q"}},
        "1 Observation not about this patient, not used",
    ),
    "not-readable": ({"status": {"code": "final"}}, "one Observation could not be read"),
}


@pytest.mark.parametrize("reason", RESULTS)
def test_a_result_that_was_not_used_says_why(reason: str, lab: Make) -> None:
    elements, text = RESULTS[reason]
    facts = read_patient_facts("p", [Source("labs", json.dumps(lab(**elements)).encode())])
    (gap,) = facts.gaps
    assert gap.reason == reason
    assert gap.text.startswith(text)
    assert len(facts.labs) == (reason == "not-a-loinc-code")


@pytest.mark.parametrize(
    ("content", "reason", "text"),
    [
        (None, "not-provided", "the EHR sent nothing for Observation"),
        (b'{"resourceType": "Patient", "id": "p"}', "not-provided", "the EHR sent no Observation"),
        (
            b'{"resourceType": "OperationOutcome"}',
            "not-readable",
            "what the EHR sent for Observation is an error or cannot be read",
        ),
        (
            b'{"resourceType": "Bundle", "link": [{"relation": "next", "url": "https://ehr.example/2"}]}',
            "incomplete",
            "only a part of Observation was sent",
        ),
    ],
)
def test_a_key_that_was_not_answered_says_so(content: bytes | None, reason: str, text: str) -> None:
    (gap,) = read_patient_facts("p", [Source("labs", content, ("Observation",))]).gaps
    assert (gap.what, gap.reason, gap.text, gap.resource) == ("Observation", reason, text, "labs")


def test_an_order_without_a_medicine_says_so(order: Make) -> None:
    content = json.dumps(order(medicationCodeableConcept=None)).encode()
    (gap,) = read_patient_facts("p", [Source("medications", content)]).gaps
    assert (gap.what, gap.reason) == ("medication", "medication-not-resolved")
    assert gap.text == "a medicine is ordered or recorded that the record does not name"
