"""Resources in few words, and the reader applied to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mappings.facts import PatientFacts
from mappings.from_fhir.read import Source, read_patient_facts

Json = dict[str, Any]
Make = Callable[..., Json]
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


@pytest.fixture(scope="session")
def bundle() -> Make:
    def make(*resources: Json, **elements: Any) -> Json:
        entries = [{"resource": resource} for resource in resources]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries} | elements

    return make


@pytest.fixture(scope="session")
def read(bundle: Make) -> Callable[..., PatientFacts]:
    """Reads resources that came in one Bundle, about the patient `p`."""

    def reader(*resources: Json, patient_id: str = "p") -> PatientFacts:
        content = json.dumps(bundle(*resources)).encode()
        return read_patient_facts(patient_id, [Source("record", content)])

    return reader


@pytest.fixture(scope="session")
def lab() -> Make:
    """A potassium of 2.9 mmol/L; keywords replace elements, None removes one."""

    def make(**elements: Any) -> Json:
        usual = {
            "resourceType": "Observation",
            "id": "k",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": "2823-3"}], "text": "Potassium"},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": "2026-02-25",
            "valueQuantity": {"value": 2.9, "unit": "mmol/L", "system": UCUM, "code": "mmol/L"},
        }
        return {key: value for key, value in (usual | elements).items() if value is not None}

    return make


@pytest.fixture(scope="session")
def order() -> Make:
    """An active order of hydrochlorothiazide 25 mg by mouth."""

    def make(**elements: Any) -> Json:
        code = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "310798"}
        usual = {
            "resourceType": "MedicationRequest",
            "id": "m",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"coding": [code], "text": "hydrochlorothiazide 25 mg"},
            "subject": {"reference": "Patient/p"},
            "authoredOn": "2025-11-01",
        }
        return {key: value for key, value in (usual | elements).items() if value is not None}

    return make


@pytest.fixture(scope="session")
def condition() -> Make:
    """A fasciculation on the problem list."""

    def make(**elements: Any) -> Json:
        code = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}
        usual = {
            "resourceType": "Condition",
            "id": "c",
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "verificationStatus": {"coding": [{"code": "confirmed"}]},
            "code": {"coding": [code], "text": "Fasciculation"},
            "subject": {"reference": "Patient/p"},
        }
        return {key: value for key, value in (usual | elements).items() if value is not None}

    return make


@pytest.fixture(scope="session")
def exam() -> Make:
    """An examination finding, named by its text."""

    def make(text: str, category: str = "exam", **elements: Any) -> Json:
        usual = {
            "resourceType": "Observation",
            "id": "e",
            "status": "final",
            "category": [{"coding": [{"code": category}]}],
            "code": {"text": text},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": "2026-03-01",
        }
        return usual | elements

    return make
