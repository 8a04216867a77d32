"""Records of one adult as FHIR, calls made of them, and what every answer is checked with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from jsonschema import Draft202012Validator

import cds_hooks.validation
from cds_hooks.validation.validate import validate

SCHEMAS = Path(cds_hooks.validation.__file__).parent / "schemas"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
Json = dict[str, Any]


def ago(days: int) -> str:
    """The real service answers as of today, so the record has to be recent whenever the tests run."""
    return (date.today() - timedelta(days)).isoformat()  # noqa: DTZ011 - the rules use the local date too


class Chart:
    """FHIR R4 resources of one patient; `…(parts)` replaces elements, and `...` leaves one out."""

    def __init__(self, patient: str = "p-1") -> None:
        self.id = patient
        self._numbers = count(1)

    def resource(self, kind: str, elements: Json, parts: Json) -> Json:
        whole = {"resourceType": kind, "id": f"{self.id}-{kind[:3].lower()}-{next(self._numbers)}"}
        whole |= {"subject": {"reference": f"Patient/{self.id}"}} | elements | parts
        return {name: value for name, value in whole.items() if value is not ...}

    def patient(self, age: int = 60, **parts: Any) -> Json:
        elements = {"gender": "female", "birthDate": ago(age * 366), "subject": ..., "id": self.id}
        return self.resource("Patient", elements, parts)

    def condition(self, text: str, code: str = "", **parts: Any) -> Json:
        coding = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]} if code else {}
        systems = "http://terminology.hl7.org/CodeSystem/condition-"
        elements = {
            "clinicalStatus": {"coding": [{"system": f"{systems}clinical", "code": "active"}]},
            "verificationStatus": {"coding": [{"system": f"{systems}ver-status", "code": "confirmed"}]},
            "code": coding | {"text": text},
            "onsetDateTime": ago(40),
        }
        return self.resource("Condition", elements, parts)

    def twitching(self, **parts: Any) -> Json:
        return self.condition("Fasciculation", "R25.3", **parts)

    def lab(self, loinc: str, value: float, unit: str = "mmol/L", **parts: Any) -> Json:
        ucum = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit} if unit else {}
        elements = {
            "status": "final",
            "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": loinc}]},
            "effectiveDateTime": ago(4),
            "valueQuantity": {"value": value} | ucum,
        }
        return self.resource("Observation", elements, parts)

    def potassium(self, value: float = 2.8, **parts: Any) -> Json:
        return self.lab("2823-3", value, **parts)

    def magnesium(self, value: float = 0.85, **parts: Any) -> Json:
        return self.lab("19123-9", value, **parts)

    def sign(self, text: str, **parts: Any) -> Json:
        """A finding of an examination."""
        elements = {
            "status": "final",
            "category": [{"coding": [{"system": CATEGORY, "code": "exam"}]}],
            "code": {"text": text},
            "effectiveDateTime": ago(2),
            "valueBoolean": True,
        }
        return self.resource("Observation", elements, parts)

    def medicine(self, text: str = "hydrochlorothiazide 25 mg", **parts: Any) -> Json:
        elements = {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": text},
            "authoredOn": ago(120),
            "dosageInstruction": [{"text": text, "route": {"text": "oral"}}],
        }
        return self.resource("MedicationRequest", elements, parts)

    def draft(self, text: str, **parts: Any) -> Json:
        return self.medicine(text, status="draft", authoredOn=..., **parts)

    def bundle(self, *resources: Json, **parts: Any) -> Json:
        """A searchset."""
        found: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
        entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
        return found | ({"entry": entries} if entries else {}) | parts

    def prefetch(self, **keys: Any) -> Json:
        """A complete record with documented twitching and no more; `...` leaves a key out."""
        empty = ("labs", "examination", "history", "medications", "statements", "orders", "procedures")
        whole: Json = {"patient": self.patient(), "conditions": self.bundle(self.twitching())}
        whole |= {key: self.bundle() for key in (*empty, "answers")}
        return {key: value for key, value in (whole | keys).items() if value is not ...}

    def call(self, hook: str = "patient-view", context: Json | None = None, **fields: Any) -> Json:
        """A call, with its complete prefetch unless told otherwise; `...` leaves a field out."""
        whole: Json = {
            "hook": hook,
            "hookInstance": str(uuid4()),
            "context": {"userId": "Practitioner/doc-1", "patientId": self.id} | (context or {}),
        }
        whole |= {"prefetch": self.prefetch()} if "prefetch" not in fields else {}
        return {name: value for name, value in (whole | fields).items() if value is not ...}


@pytest.fixture
def chart() -> Chart:
    """The record of one adult."""
    return Chart()


@pytest.fixture(scope="session")
def new_chart() -> Callable[[str], Chart]:
    """The record of another adult: `new_chart("p-2")`."""
    return Chart


@pytest.fixture(scope="session")
def days_ago() -> Callable[[int], str]:
    return ago


@pytest.fixture(scope="session")
def sound() -> Callable[[httpx2.Response], Json]:
    """The document of a response, after every check that we publish: the validator (all of CDS Hooks 2.0 and the
    invariants of HL7's models), the JSON Schema, and each drafted resource as FHIR R4."""
    schemas = {
        kind: Draft202012Validator(json.loads((SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8")))
        for kind in ("discovery", "response")
    }

    def check(response: httpx2.Response, kind: str = "response") -> Json:
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        found = validate(response.content, kind=kind, strict_fhir=True).findings
        assert [finding for finding in found if finding.severity != "information"] == []
        document: Json = response.json()
        assert list(schemas[kind].iter_errors(document)) == []
        return document

    return check


@pytest.fixture(scope="session")
def refusal() -> Callable[[httpx2.Response], list[str]]:
    """The fields that a refusal names, after checking that it is an OperationOutcome that says what to do."""

    def check(response: httpx2.Response) -> list[str]:
        assert 400 <= response.status_code < 500, (response.status_code, response.text)
        assert response.headers["content-type"] == "application/json"
        outcome = response.json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert all(issue["severity"] == "error" and issue["diagnostics"] for issue in outcome["issue"])
        return [field for issue in outcome["issue"] for field in issue.get("expression", ())]

    return check


@pytest.fixture
def ask(http: httpx2.Client, sound: Callable[..., Json]) -> Callable[[Json], list[Json]]:
    """The cards that the running service answers a call with: `ask(call)`."""

    def send(call: Json) -> list[Json]:
        response = http.post(f"/cds-services/twitching-{call['hook']}", json=call)
        cards: list[Json] = sound(response)["cards"]
        return cards

    return send


@pytest.fixture(scope="session")
def told() -> Callable[[list[Json]], str]:
    """All that the cards say."""
    return lambda cards: "\n".join(f"{card['summary']}\n{card.get('detail', '')}" for card in cards)


@pytest.fixture(scope="session")
def leaves() -> Callable[[Any], Iterator[tuple[str, Any]]]:
    """Every member of a document, however deep, by name."""

    def find(value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict):
            for name, member in value.items():
                yield name, member
                yield from find(member)
        elif isinstance(value, list):
            for element in value:
                yield from find(element)

    return find
