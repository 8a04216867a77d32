"""The order of entries never matters, and no shape of JSON makes the reader raise."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.facts import PatientFacts
from mappings.from_fhir.read import Source, next_links, read_patient_facts, unresolved_medications

Json = dict[str, Any]
Make = Callable[..., Json]

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [
            "",
            "Patient/p",
            "Patient/q",
            "#m",
            "final",
            "2026-02-30",
            "<",
            "NaN",
            "1e400",
            "\u0000",
            "Bundle",
            "urn:uuid:1",
        ]
    )
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceType", "entry", "resource", "code", "value", "text", "reference"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def record(lab: Make, order: Make, condition: Make, exam: Make) -> list[Json]:
    """One of everything that is read."""
    limits = [
        {
            "low": {"value": 3.5, "unit": "mmol/L"},
            "high": {"value": 5.1},
            "appliesTo": [{"text": "female"}],
            "text": "3.5-5.1",
        }
    ]
    contained = [{"resourceType": "Medication", "id": "m", "code": {"text": "furosemide"}}]
    component = [{"code": {"text": "sodium"}, "valueString": "<120 mmol/L"}]
    answers = [
        {"linkId": "locations", "answer": [{"valueCoding": {"code": "calves"}, "item": [{"linkId": "x"}]}]}
    ]
    return [
        {
            "resourceType": "Patient",
            "id": "p",
            "birthDate": "1980-05",
            "gender": "female",
            "deceasedBoolean": False,
        },
        lab(
            meta={"versionId": "1"},
            referenceRange=limits,
            interpretation=[{"coding": [{"code": "LL"}]}],
            specimen={"reference": "Specimen/s"},
        ),
        lab(meta={"versionId": "2"}, status="amended", note=[{"text": "haemolysed"}], component=component),
        lab(
            id="k2",
            effectiveDateTime=None,
            effectivePeriod={"start": "2026-01-01"},
            performer=[{"reference": "Patient/p"}],
        ),
        lab(id="q", subject={"reference": "Patient/q"}),
        {
            "resourceType": "Specimen",
            "id": "s",
            "accessionIdentifier": {"value": "1"},
            "condition": [{"text": "hemolyzed"}],
        },
        exam("Neurological examination", valueCodeableConcept={"text": "Normal"}),
        exam("Tongue fasciculation", id="t", valueBoolean=True, bodySite={"text": "tongue"}),
        exam(
            "Caffeine intake",
            id="caffeine",
            category="social-history",
            valueQuantity={"value": 600, "unit": "mg/d"},
        ),
        exam("Pregnancy status", id="pregnancy", valueString="Pregnant"),
        order(
            dosageInstruction=[
                {
                    "text": "daily",
                    "route": {"text": "PO"},
                    "timing": {"repeat": {"boundsPeriod": {"start": "2026"}}},
                }
            ]
        ),
        order(
            id="m2",
            medicationCodeableConcept=None,
            medicationReference={"reference": "#m"},
            contained=contained,
        ),
        order(
            id="m3", medicationCodeableConcept=None, medicationReference={"reference": "Medication/unsent"}
        ),
        {
            "resourceType": "MedicationStatement",
            "id": "st",
            "status": "recorded",
            "medication": {"reference": {"display": "lithium"}},
        },
        {
            "resourceType": "MedicationAdministration",
            "id": "a",
            "status": "completed",
            "medicationCodeableConcept": {"text": "denosumab"},
        },
        condition(onsetDateTime="2026-01", bodySite=[{"text": "calf"}]),
        {
            "resourceType": "Procedure",
            "id": "op",
            "status": "completed",
            "code": {"text": "Thyroidectomy"},
            "performedString": "2020",
        },
        {
            "resourceType": "Encounter",
            "id": "e",
            "status": "in-progress",
            "reason": [{"value": [{"concept": {"text": "twitching"}}]}],
        },
        {
            "resourceType": "ServiceRequest",
            "id": "r",
            "status": "active",
            "intent": "order",
            "code": {"text": "Magnesium"},
        },
        {
            "resourceType": "DiagnosticReport",
            "id": "d",
            "status": "final",
            "code": {"text": "ECG"},
            "result": [{"reference": "Observation/k"}],
        },
        {
            "resourceType": "QuestionnaireResponse",
            "id": "qr",
            "status": "completed",
            "questionnaire": "x/twitching-history",
            "item": answers,
        },
        {"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]},
        {"resourceType": "Claim", "id": "claim"},
    ]


def sources(resources: list[Any]) -> list[Source]:
    entries = [
        {"fullUrl": f"urn:uuid:{(r if isinstance(r, dict) else {}).get('id')}", "resource": r}
        for r in resources
    ]
    return [
        Source("record", json.dumps({"resourceType": "Bundle", "entry": entries}).encode(), ("Observation",))
    ]


def unordered(facts: PatientFacts) -> tuple[Any, ...]:
    lists = (
        facts.labs,
        facts.medications,
        facts.problems,
        facts.findings,
        facts.measures,
        facts.answers,
        facts.orders,
        facts.gaps,
    )
    return facts.patient, facts.read, *(sorted(map(repr, found)) for found in lists)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, below in inside for found in [(*path, key), *nodes(below, (*path, key))]]


def test_the_record_holds_one_of_everything(record: list[Json]) -> None:
    facts = read_patient_facts("p", sources(record))
    counted = [
        len(found)
        for found in (
            facts.labs,
            facts.medications,
            facts.findings,
            facts.measures,
            facts.answers,
            facts.orders,
        )
    ]
    assert counted == [3, 4, 4, 1, 1, 2]
    assert {problem.kind for problem in facts.problems} == {
        "Condition",
        "Procedure",
        "Encounter",
        "Observation",
    }
    assert facts.patient.pregnant
    assert {gap.reason for gap in facts.gaps} == {"wrong-patient", "medication-not-resolved"}


@given(data=st.data())
def test_the_order_of_entries_never_matters(record: list[Json], data: st.DataObject) -> None:
    expected = unordered(read_patient_facts("p", sources(record)))
    shuffled = data.draw(st.permutations(record))
    assert unordered(read_patient_facts("p", sources(shuffled))) == expected
    cut = data.draw(st.integers(0, len(shuffled)))
    apart = [source for part in (shuffled[:cut], shuffled[cut:]) for source in sources(part)]
    assert unordered(read_patient_facts("p", apart)) == expected


@settings(max_examples=300)
@given(data=st.data())
def test_no_broken_resource_raises_or_costs_another(record: list[Json], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(record) - 1))
    broken = copy.deepcopy(record[number])
    for _ in range(data.draw(st.integers(1, 3))):
        paths = nodes(broken)
        if not paths:
            break
        *above, last = data.draw(st.sampled_from(paths))
        target: Any = broken
        for key in above:
            target = target[key]
        if data.draw(st.booleans()):
            target[last] = data.draw(JUNK)
        else:
            del target[last]
    others = [resource for place, resource in enumerate(record) if place != number]
    facts = read_patient_facts("p", sources([*others, broken]))
    unresolved_medications("p", sources([*others, broken]))
    kept = {
        (type(fact), getattr(fact, "resource", ""))
        for fact in (*facts.labs, *facts.medications, *facts.problems)
    }
    without = read_patient_facts("p", sources(others))
    lost = {
        (type(fact), fact.resource) for fact in (*without.labs, *without.medications, *without.problems)
    } - kept
    named = json.dumps(broken)
    assert not [resource for _, resource in lost if resource.partition("/")[2] not in named]


@given(JUNK)
def test_no_json_value_raises(value: Any) -> None:
    content = json.dumps(value).encode()
    facts = read_patient_facts(
        "p", [Source("k", content, ("Observation",)), Source("d", content, draft=True)]
    )
    assert facts.labs == ()
    assert "Observation" in facts.read or facts.gaps
    assert isinstance(next_links(content), list)
