"""Hooks whose context carries what is being recorded or ordered: a drafted problem, medicine or test."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cds_hooks import calls
from cds_hooks.card_kit import card_kit
from cds_hooks.errors import Refused
from cds_hooks.services import SERVICE_BY_HOOK
from mappings.knowledge import load_knowledge

TODAY = date(2026, 3, 1)
SUBJECT = {"reference": "Patient/p"}
Json = dict[str, Any]


def bundle(*resources: Json) -> Json:
    return {
        "resourceType": "Bundle",
        "entry": [{"resource": {"subject": SUBJECT} | item} for item in resources],
    }


def potassium(value: float) -> Json:
    return {
        "resourceType": "Observation",
        "id": "k",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "effectiveDateTime": "2026-02-25",
        "valueQuantity": {"value": value, "unit": "mmol/L"},
        "referenceRange": [{"low": {"value": 3.5, "unit": "mmol/L"}}],
    }


TWITCHING: Json = {
    "resourceType": "Condition",
    "id": "t",
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}]},
}


def medicine(text: str, identifier: str = "m1") -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": identifier,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": text},
    }


def magnesium_order() -> Json:
    code = {"coding": [{"system": "http://loinc.org", "code": "19123-9"}]}
    return {"resourceType": "ServiceRequest", "id": "s1", "status": "draft", "intent": "order", "code": code}


def call(hook: str, context: Json, *labs: Json, problems: tuple[Json, ...] = (), age: int = 60) -> Json:
    record = {
        "patient": {"resourceType": "Patient", "id": "p", "birthDate": f"{2026 - age}-01-01"},
        "conditions": bundle(*problems),
        "labs": bundle(*labs),
        "medications": bundle(),
        "orders": bundle(),
    }
    context = {"userId": "Practitioner/1", "patientId": "p"} | context
    return {"hook": hook, "hookInstance": "i", "context": context, "prefetch": record}


def cards(request: Json) -> list[Json]:
    rules = load_knowledge()
    service = SERVICE_BY_HOOK[request["hook"]]
    answer = calls.answer(service, json.dumps(request).encode(), rules, TODAY, card_kit(rules))
    found: list[Json] = json.loads(answer)["cards"]
    return found


def topics(found: list[Json]) -> list[str]:
    return [card["source"]["topic"]["code"] for card in found]


def test_the_moment_twitching_is_recorded() -> None:
    found = cards(call("problem-list-item-create", {"conditions": bundle(TWITCHING)}))
    assert topics(found) == ["twitching-tests"]


def test_another_problem_being_recorded_says_nothing() -> None:
    gout = TWITCHING | {"code": {"text": "Gout"}}
    assert cards(call("problem-list-item-create", {"conditions": bundle(gout)})) == []


def test_a_drafted_problem_does_not_stand_for_the_problem_list() -> None:
    request = call("problem-list-item-create", {"conditions": bundle(TWITCHING | {"code": {"text": "Gout"}})})
    del request["prefetch"]["conditions"]
    with pytest.raises(Refused) as refused:
        cards(request)
    assert refused.value.status == 412


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_diuretic_that_would_worsen_a_low_potassium(hook: str) -> None:
    context = {"draftOrders": bundle(medicine("furosemide 40 mg oral tablet"))}
    (order, tests) = cards(call(hook, context, potassium(2.9)))
    assert order["indicator"] == "warning"
    assert order["summary"] == (
        "Check before ordering furosemide 40 mg oral tablet: may lower potassium, already 2.9 mmol/L on 2026-02-25"
    )
    assert "furosemide 40 mg oral tablet" in order["detail"]
    assert "Twitching documented" not in order["detail"]
    assert "magnesium" in tests["summary"]


def test_a_diuretic_with_normal_results_and_no_twitching_says_nothing() -> None:
    context = {"draftOrders": bundle(medicine("furosemide 40 mg oral tablet"))}
    assert cards(call("order-sign", context, potassium(4.2))) == []


def test_a_diuretic_with_documented_twitching_names_what_to_know_first() -> None:
    context = {"draftOrders": bundle(medicine("furosemide 40 mg oral tablet"))}
    found = cards(call("order-sign", context, potassium(4.2), problems=(TWITCHING,)))
    assert topics(found) == ["twitching-orders", "twitching-tests"]
    assert found[0]["indicator"] == "info"


def test_a_stimulant_with_documented_twitching_acts_directly() -> None:
    context = {"draftOrders": bundle(medicine("methylphenidate 10 mg oral tablet"))}
    found = cards(call("order-sign", context, problems=(TWITCHING,)))
    assert found[0]["summary"] == "methylphenidate 10 mg oral tablet can contribute to muscle twitching"


def test_a_cream_with_a_steroid_is_no_systemic_steroid() -> None:
    context = {"draftOrders": bundle(medicine("betamethasone valerate 0.1% cream"))}
    assert cards(call("order-sign", context, potassium(2.9))) == []


@pytest.mark.parametrize("drafts", [{}, {"resourceType": "Bundle", "entry": ["MedicationRequest/m1"]}])
def test_drafts_that_cannot_be_read_are_called_what_they_are(drafts: Json) -> None:
    (card, *_) = cards(call("order-sign", {"draftOrders": drafts}, potassium(2.9), problems=(TWITCHING,)))
    assert "what the EHR sent for the drafted orders is an error or cannot be read" in card["detail"]
    assert "draftOrders" not in card["detail"]


def test_an_address_that_looks_like_a_field_of_the_context_is_no_such_field() -> None:
    unreadable = {"fullUrl": "context.evil", "resource": {"resourceType": "MedicationRequest", "status": 5}}
    drafts = {"resourceType": "Bundle", "entry": [unreadable]}
    assert cards(call("order-sign", {"draftOrders": drafts}, potassium(2.9), problems=(TWITCHING,)))


def test_only_the_chosen_draft_is_spoken_of() -> None:
    drafts = bundle(medicine("furosemide 40 mg oral tablet"), medicine("amoxicillin 500 mg", "m2"))
    context = {"draftOrders": drafts, "selections": ["MedicationRequest/m2"]}
    assert cards(call("order-select", context, potassium(2.9))) == []
    assert cards(call("order-select", context | {"selections": ["MedicationRequest/m1"]}, potassium(2.9)))


@pytest.mark.parametrize(
    "chosen",
    [
        "m1",
        "https://ehr.example.org/fhir/MedicationRequest/m1",
        "MedicationRequest/m1/_history/2",
        " MedicationRequest/m1",
        "MedicationOrder/m1",
    ],
)
def test_the_chosen_draft_is_found_however_it_is_written(chosen: str) -> None:
    drafts = bundle(medicine("furosemide 40 mg oral tablet"), medicine("bumetanide 1 mg oral tablet", "m2"))
    (order, *_) = cards(call("order-select", {"draftOrders": drafts, "selections": [chosen]}, potassium(2.9)))
    assert "furosemide" in order["summary"]
    assert "bumetanide" not in order["detail"]


@pytest.mark.parametrize("chosen", ["MedicationRequest/none-of-them", "none-of-them", "urn:uuid:0", ""])
def test_when_it_is_not_known_which_draft_was_chosen_all_are_spoken_of(chosen: str) -> None:
    context = {"draftOrders": bundle(medicine("furosemide 40 mg oral tablet")), "selections": [chosen]}
    assert "furosemide" in cards(call("order-select", context, potassium(2.9)))[0]["summary"]


def test_a_chosen_order_of_another_kind_is_no_chosen_medicine() -> None:
    drafts = bundle(medicine("furosemide 40 mg oral tablet"), magnesium_order())
    context = {"draftOrders": drafts, "selections": ["ServiceRequest/s1", "NutritionOrder/n1"]}
    assert cards(call("order-select", context, potassium(2.9))) == []


def test_a_drafted_test_is_not_suggested_again() -> None:
    context = {"draftOrders": bundle(medicine("furosemide 40 mg oral tablet"), magnesium_order())}
    found = cards(call("order-sign", context, potassium(2.9)))
    offered = [s["label"] for card in found for s in card.get("suggestions", [])]
    assert "Order serum magnesium" not in offered


def test_a_child_is_left_to_those_who_know_children() -> None:
    context = {"draftOrders": bundle(medicine("furosemide 40 mg oral tablet"))}
    assert cards(call("order-sign", context, potassium(2.9), age=9)) == []


@pytest.mark.parametrize(
    ("hook", "context", "field"),
    [
        ("order-sign", {}, "context.draftOrders"),
        ("order-sign", {"draftOrders": []}, "context.draftOrders"),
        ("order-select", {"draftOrders": {}, "selections": "MedicationRequest/1"}, "context.selections"),
        ("problem-list-item-create", {"conditions": None}, "context.conditions"),
    ],
)
def test_a_context_without_its_drafts_is_refused_by_name(hook: str, context: Json, field: str) -> None:
    with pytest.raises(Refused) as refused:
        cards(call(hook, context))
    assert refused.value.status == 400
    assert field in refused.value.body().decode()


@pytest.mark.parametrize(
    ("medicine_text", "labs", "ending"),
    [
        ("prednisolone 40 mg", (potassium(4.2),), "the results it would move are current"),
        ("prednisolone 40 mg", (), "see which results to know first"),
    ],
)
def test_the_headline_asks_for_results_only_where_one_is_not_known(
    medicine_text: str, labs: tuple[Json, ...], ending: str
) -> None:
    draft = medicine(medicine_text) | {"dosageInstruction": [{"route": {"text": "oral"}}]}
    request = call("order-sign", {"draftOrders": bundle(draft)}, *labs, problems=(TWITCHING,))
    assert cards(request)[0]["summary"].endswith(ending)
