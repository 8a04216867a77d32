"""A call is read only as far as its answer depends on it, and at once: the cards are those of a thorough reading."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.calls import answer, evaluate
from cds_hooks.card_kit import card_kit
from cds_hooks.cards import build_cards
from cds_hooks.errors import Refused
from cds_hooks.response import encode
from cds_hooks.services import SERVICE_BY_HOOK
from mappings.knowledge import load_knowledge

TODAY = date(2026, 3, 1)
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/request.json"))
RULES = load_knowledge()
KIT = dataclasses.replace(card_kit(RULES), new_id=lambda _: "")
Json = dict[str, Any]

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def cards(body: bytes) -> bytes:
    return answer(SERVICE_BY_HOOK[json.loads(body)["hook"]], body, RULES, TODAY, KIT)


def cards_of_thorough_reading(body: bytes) -> bytes:
    request, assessment = evaluate(SERVICE_BY_HOOK[json.loads(body)["hook"]], body, RULES, TODAY)
    return encode(build_cards(assessment, request.context, KIT))


def answered(read: Callable[[bytes], bytes], body: bytes) -> bytes:
    try:
        return read(body)
    except Refused as refused:
        return b"%d %b" % (refused.status, refused.body())


def member_by_member(body: bytes) -> bytes:
    """The same call with a member that cannot be decoded with the others."""
    return json.dumps(json.loads(body) | {"extension": {"com.example.other": {"nested": {}}}}).encode()


def same(body: bytes) -> None:
    found = answered(cards, body)
    assert answered(cards_of_thorough_reading, body) == found
    assert answered(cards, member_by_member(body)) == found


def closed(call: Json) -> Json:
    """The same call of a patient whose record says nothing of twitching as a diagnosis."""
    return call | {"prefetch": call.get("prefetch", {}) | {"conditions": bundle([])}}


def bundle(resources: list[Json]) -> Json:
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples(path: Path) -> None:
    call = json.loads(path.read_text(encoding="utf-8"))
    for sent in (call, closed(call)):
        same(json.dumps(sent).encode())


def test_vignettes(shared: Path) -> None:
    spec = importlib.util.spec_from_file_location("render", shared / "clinical" / "render_vignette.py")
    assert spec is not None
    assert spec.loader is not None
    render = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(render)
    cases = json.loads((shared / "clinical" / "vignettes.json").read_text(encoding="utf-8"))["vignettes"]
    assert cases
    discovery = {
        "services": [
            {"id": service.id, "hook": service.hook, "prefetch": dict.fromkeys(service.prefetch, "")}
            for service in SERVICE_BY_HOOK.values()
        ]
    }
    for case in cases:
        call = render.hook_request(case, render.service_for(case, discovery), TODAY)
        for sent in (call, closed(call)):
            same(json.dumps(sent).encode())


def resource(kind: str, code: Json, **elements: Any) -> Json:
    return {"resourceType": kind, "code": code} | elements


def concept(system: str, code: str, text: str = "") -> Json:
    return {"coding": [{"system": system, "code": code}], "text": text}


TWITCHING, HYPERTENSION = concept(ICD, "R25.3", "Fasciculation"), concept(ICD, "I10", "Hypertension")
POTASSIUM = concept("http://loinc.org", "2823-3", "Potassium")
LOW = {"value": 2.4, "unit": "mmol/L"}
RESOURCES: tuple[Json, ...] = (
    resource("Condition", HYPERTENSION),
    resource("Condition", TWITCHING, clinicalStatus={"coding": [{"code": "resolved"}]}),
    resource("Condition", TWITCHING),
    resource("Condition", {"text": ["not", "readable"]}),
    resource("Procedure", TWITCHING, status="completed"),
    {"resourceType": "Encounter", "status": "in-progress", "reasonCode": [TWITCHING]},
    resource("Observation", TWITCHING, status="final", valueBoolean=True),
    resource("Observation", TWITCHING, status="final", valueBoolean=False),
    resource("Observation", {"text": "Examination"}, status="final", valueString="fasciculation of the calf"),
    resource("Observation", POTASSIUM, status="final", effectiveDateTime="2026-02-20", valueQuantity=LOW),
    resource("Observation", POTASSIUM, status="final", effectiveDateTime="2026-02-21"),
    {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(RXNORM, "310798", "hydrochlorothiazide 25 mg"),
    },
    {
        "resourceType": "MedicationRequest",
        "status": "Draft",
        "intent": "order",
        "medicationCodeableConcept": concept(RXNORM, "313988", "furosemide 40 mg"),
    },
    {"resourceType": "Patient", "id": "p", "birthDate": "1960-01-01", "deceasedBoolean": True},
    {"resourceType": "Patient", "id": "p", "birthDate": "2015-01-01"},
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]},
)
KEYS = ("conditions", "labs", "examination", "medications", "encounter", "our-own-key")


@given(
    st.dictionaries(
        st.sampled_from(KEYS),
        st.lists(st.sampled_from(RESOURCES), max_size=4).map(bundle) | st.none() | st.sampled_from(RESOURCES),
    ),
    st.booleans(),
)
def test_whatever_stands_under_whichever_key(prefetch: Json, with_conditions: bool) -> None:
    if with_conditions:
        prefetch.setdefault("conditions", bundle([]))
    call = {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"patientId": "p", "userId": "Practitioner/1"},
        "prefetch": prefetch,
    }
    same(json.dumps(call).encode())


def test_a_draft_in_the_record_is_looked_into() -> None:
    low = resource(
        "Observation", POTASSIUM, status="final", effectiveDateTime="2026-02-20", valueQuantity=LOW
    )
    draft = next(r for r in RESOURCES if r.get("status") == "Draft")
    call = {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"patientId": "p", "userId": "Practitioner/1"},
        "prefetch": {"conditions": bundle([]), "labs": bundle([low]), "medications": bundle([draft])},
    }
    body = json.dumps(call).encode()
    assert b"furosemide" in cards(body)
    same(body)
