"""FHIR resources of the right shape with anything in them, and whatever the published description allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.hostile.in_process import InProcess
from benchmarks.hostile.verdict import MARKER, wrong_with

PATH = "/cds-services/twitching-patient-view"
Cases = Callable[[float], int]


def often(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what belongs there, else anything."""
    return st.integers(0, 9).flatmap(lambda roll: good if roll else ANYTHING)


def shape(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these members."""
    return st.fixed_dictionaries({}, optional={name: often(value) for name, value in members.items()})


TEXT = st.text(max_size=12).map(lambda text: text + MARKER) | st.sampled_from(
    ["Fasciculation", "muscle twitching", "potassium", "furosemide 40 mg", "<b>x</b>", "| a | b |"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
CODING = shape(
    system=st.sampled_from(
        [
            "http://loinc.org",
            "http://snomed.info/sct",
            "http://hl7.org/fhir/sid/icd-10-cm",
            "http://www.nlm.nih.gov/research/umls/rxnorm",
            "http://www.whocc.no/atc",
        ]
    ),
    code=st.sampled_from(["2823-3", "17861-6", "1751-7", "R25.3", "82470000", "310798", "C03AA03"]) | TEXT,
    display=TEXT,
)
CONCEPT = shape(coding=st.lists(CODING, max_size=3), text=TEXT)
QUANTITY = shape(
    value=st.floats(-1e6, 1e6) | st.integers(),
    unit=st.sampled_from(["mmol/L", "mg/dL", "meq/L", "%", "µmol/L"]) | TEXT,
    system=st.just("http://unitsofmeasure.org"),
    code=st.sampled_from(["mmol/L", "mg/dL", "meq/L"]),
    comparator=st.sampled_from(["<", ">", "<=", ">="]),
)
DATE = (
    st.datetimes().map(lambda at: at.isoformat() + "Z")
    | st.dates().map(str)
    | st.sampled_from(["2026", "2026-11"])
)
REFERENCE = shape(
    reference=st.sampled_from(["Patient/p", "#m", "Medication/m", "urn:uuid:1"]) | TEXT, display=TEXT
)
PERIOD = shape(start=DATE, end=DATE)
STATUS = st.sampled_from(
    ["final", "active", "completed", "entered-in-error", "draft", "preliminary", "stopped"]
)
RANGE = shape(low=QUANTITY, high=QUANTITY, text=TEXT, type=CONCEPT)
RESOURCE = shape(
    resourceType=st.sampled_from(
        [
            "Observation",
            "Condition",
            "MedicationRequest",
            "MedicationStatement",
            "ServiceRequest",
            "Patient",
            "Encounter",
            "QuestionnaireResponse",
            "Medication",
        ]
    ),
    id=st.sampled_from(["p", "a", "m"]) | TEXT,
    status=STATUS,
    intent=st.sampled_from(["order", "proposal", "plan"]),
    clinicalStatus=CONCEPT,
    verificationStatus=CONCEPT,
    category=st.lists(CONCEPT, max_size=2),
    code=CONCEPT,
    subject=REFERENCE,
    patient=REFERENCE,
    birthDate=DATE,
    gender=st.sampled_from(["female", "male"]),
    deceasedBoolean=st.booleans(),
    effectiveDateTime=DATE,
    effectivePeriod=PERIOD,
    issued=DATE,
    onsetDateTime=DATE,
    abatementDateTime=DATE,
    authoredOn=DATE,
    valueQuantity=QUANTITY,
    valueString=TEXT,
    valueCodeableConcept=CONCEPT,
    dataAbsentReason=CONCEPT,
    interpretation=st.lists(CONCEPT, max_size=2),
    referenceRange=st.lists(RANGE, max_size=2),
    component=st.lists(shape(code=CONCEPT, valueQuantity=QUANTITY), max_size=2),
    hasMember=st.lists(REFERENCE, max_size=2),
    medicationCodeableConcept=CONCEPT,
    medicationReference=REFERENCE,
    contained=st.lists(shape(resourceType=st.just("Medication"), id=st.just("m"), code=CONCEPT), max_size=1),
    dosageInstruction=st.lists(shape(text=TEXT, timing=shape(repeat=shape(boundsPeriod=PERIOD))), max_size=1),
    reasonCode=st.lists(CONCEPT, max_size=2),
    item=st.lists(
        shape(linkId=TEXT, text=TEXT, answer=st.lists(shape(valueCoding=CODING), max_size=1)), max_size=2
    ),
)
BUNDLE = shape(
    resourceType=st.just("Bundle"),
    type=st.just("searchset"),
    entry=st.lists(shape(resource=RESOURCE, fullUrl=TEXT), max_size=4),
)
TWITCHING = {
    "resourceType": "Condition",
    "id": "t",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}]},
    "subject": {"reference": "Patient/p"},
}
PREFETCH = st.dictionaries(
    st.sampled_from(
        ["patient", "conditions", "labs", "findings", "medications", "statements", "orders", "own"]
    ),
    BUNDLE | RESOURCE | ANYTHING,
    max_size=5,
)


def test_resources_of_any_content(in_process: InProcess, cases: Cases) -> None:
    @settings(max_examples=cases(0.15), deadline=None, suppress_health_check=list(HealthCheck))
    @given(prefetch=PREFETCH, documented=st.booleans())
    def check(prefetch: dict[str, Any], documented: bool) -> None:
        if documented:
            prefetch["mine"] = TWITCHING
        call = {
            "hook": "patient-view",
            "hookInstance": "i",
            "context": {"patientId": "p", "userId": "Practitioner/1"},
            "prefetch": prefetch,
        }
        body = json.dumps(call).encode()
        answer = in_process.post(PATH, body)
        assert wrong_with(answer) == []
        assert answer.status in ((200,) if documented else (200, 412))
        if documented and not json.loads(answer.body)["cards"]:
            because = json.loads(in_process.post(f"{PATH}/explain", body).body)["silentReason"]
            assert because == "deceased", "documented twitching and not a word"

    check()


def test_whatever_the_description_allows(in_process: InProcess, cases: Cases) -> None:
    """The bodies and paths that the published OpenAPI allows, generated by schemathesis."""
    schema = schemathesis.openapi.from_dict(in_process.app.openapi())
    for path in (
        "/cds-services/{service}",
        "/cds-services/{service}/explain",
        "/cds-services/{service}/feedback",
    ):
        operation = schema[path]["POST"]

        @settings(max_examples=cases(0.05 / 3), deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            content = (
                json.dumps(case.body) if not isinstance(case.body, bytes) else case.body.decode("latin-1")
            )
            answer = in_process.post(case.formatted_path, content.encode("utf-8", "surrogatepass"))
            assert wrong_with(answer) == []

        check()


@pytest.mark.parametrize("headers", [((b"content-encoding", b"gzip"),), ((b"content-type", b"text/xml"),)])
def test_headers_change_nothing(in_process: InProcess, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    assert wrong_with(in_process.post(PATH, b"<x/>", headers)) == []
