"""Generated patient-view calls of a stated size, with resources as wordy as real EHRs send them."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

LABS = (
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 4.1, 3.5, 5.1),
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 140, 135, 145),
    ("17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL", 9.4, 8.5, 10.2),
    ("1751-7", "Albumin [Mass/volume] in Serum or Plasma", "g/dL", 4.2, 3.5, 5.0),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.9, 0.6, 1.2),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 13.8, 12.0, 16.0),
    ("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "m[IU]/L", 2.1, 0.4, 4.0),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 98, 70, 100),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 6.1, 4.0, 11.0),
    ("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "mg/dL", 52, 40, 80),
)
MEDICINES = (
    ("310798", "hydrochlorothiazide 25 MG Oral Tablet"),
    ("313988", "furosemide 40 MG Oral Tablet"),
    ("861004", "metformin hydrochloride 1000 MG Oral Tablet"),
    ("197361", "amlodipine 5 MG Oral Tablet"),
    ("200329", "omeprazole 40 MG Delayed Release Oral Capsule"),
)
PATIENT = "bench-1"
SUBJECT = {"reference": f"Patient/{PATIENT}", "display": "Bench Patient"}


def request(observations: int = 50, medications: int = 20, *, twitching: bool = True) -> bytes:
    """A patient-view call with this many results and orders, with or without documented twitching."""
    now = datetime.now(UTC)
    record = {
        "patient": {"resourceType": "Patient", "id": PATIENT, "gender": "female", "birthDate": "1958-04-02"},
        "conditions": _bundle(
            [_condition("R25.3", "Fasciculation") if twitching else _condition("I10", "Hypertension")]
        ),
        "labs": _bundle([_observation(number, now) for number in range(observations)]),
        "medications": _bundle([_medication(number, now) for number in range(medications)]),
        "orders": _bundle([]),
    }
    call = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/1", "patientId": PATIENT},
        "prefetch": record,
    }
    return json.dumps(call).encode()


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {
            "fullUrl": f"https://ehr.example.org/fhir/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _condition(code: str, name: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "problem",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}],
            "text": name,
        },
        "subject": SUBJECT,
        "onsetDateTime": "2026-01-10",
    }


def _observation(number: int, now: datetime) -> dict[str, Any]:
    code, name, unit, value, low, high = LABS[number % len(LABS)]
    when = (now - timedelta(days=1 + 20 * (number // len(LABS)))).strftime("%Y-%m-%dT%H:%M:%SZ")

    def quantity(amount: float) -> dict[str, Any]:
        return {"value": amount, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}

    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
    return {
        "resourceType": "Observation",
        "id": f"lab-{number}",
        "meta": {
            "versionId": "1",
            "lastUpdated": when,
            "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"],
        },
        "identifier": [{"system": "urn:oid:1.2.3.4.5", "value": f"ACC-{number:06d}"}],
        "status": "final",
        "category": [{"coding": [category], "text": "Laboratory"}],
        "code": {
            "coding": [
                {"system": "urn:oid:1.2.3.4.5.6", "code": f"L{number % len(LABS)}", "display": name.upper()},
                {"system": "http://loinc.org", "code": code, "display": name},
            ],
            "text": name,
        },
        "subject": SUBJECT,
        "encounter": {"reference": "Encounter/1", "display": "Office visit"},
        "effectiveDateTime": when,
        "issued": when,
        "performer": [{"reference": "Organization/lab", "display": "General laboratory"}],
        "valueQuantity": quantity(value),
        "interpretation": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
                        "code": "N",
                    }
                ]
            }
        ],
        "referenceRange": [{"low": quantity(low), "high": quantity(high), "text": f"{low} - {high} {unit}"}],
        "specimen": {"reference": f"Specimen/{number}", "display": "Serum"},
    }


def _medication(number: int, now: datetime) -> dict[str, Any]:
    code, name = MEDICINES[number % len(MEDICINES)]
    start = (now - timedelta(days=200 + number)).date().isoformat()
    return {
        "resourceType": "MedicationRequest",
        "id": f"med-{number}",
        "meta": {"versionId": "3", "lastUpdated": f"{start}T08:00:00Z"},
        "status": "active" if number % 4 else "stopped",
        "intent": "order",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category",
                        "code": "community",
                    }
                ]
            }
        ],
        "medicationCodeableConcept": {
            "coding": [
                {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code, "display": name}
            ],
            "text": name,
        },
        "subject": SUBJECT,
        "encounter": {"reference": "Encounter/1", "display": "Office visit"},
        "authoredOn": start,
        "requester": {"reference": "Practitioner/1", "display": "Attending"},
        "dosageInstruction": [
            {
                "text": f"{name}, once daily",
                "timing": {
                    "repeat": {
                        "boundsPeriod": {"start": start},
                        "frequency": 1,
                        "period": 1.0,
                        "periodUnit": "d",
                    }
                },
                "route": {
                    "coding": [
                        {"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral route"}
                    ],
                    "text": "Oral",
                },
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
            }
        ],
        "dispenseRequest": {
            "numberOfRepeatsAllowed": 3,
            "quantity": {"value": 30, "unit": "tablet"},
            "expectedSupplyDuration": {
                "value": 30,
                "unit": "days",
                "system": "http://unitsofmeasure.org",
                "code": "d",
            },
        },
    }
