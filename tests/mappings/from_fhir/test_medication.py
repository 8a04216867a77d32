from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.facts import Medication, PatientFacts
from mappings.from_fhir.read import Source, read_patient_facts, unresolved_medications

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
FUROSEMIDE = {"coding": [{"system": RXNORM, "code": "313988"}], "text": "furosemide 40 mg"}


def only(facts: PatientFacts) -> Medication:
    assert facts.gaps == ()
    (medication,) = facts.medications
    return medication


def test_an_order_is_read(read: Read, order: Make) -> None:
    assert only(read(order())) == Medication(
        text="hydrochlorothiazide 25 mg",
        classes=("thiazide",),
        ingredients=("hydrochlorothiazide",),
        route="oral",
        start=date(2025, 11, 1),
        by="rxnorm",
        resource="MedicationRequest/m",
    )


def test_a_medicine_no_rule_knows_is_kept_by_name(read: Read, order: Make) -> None:
    medication = only(read(order(medicationCodeableConcept={"text": "Zyxoprilate 5 mg"})))
    assert (medication.text, medication.classes, medication.by) == ("Zyxoprilate 5 mg", (), "")


def test_a_bare_code_is_a_name(read: Read, order: Make) -> None:
    assert only(read(order(medicationCodeableConcept={"coding": [{"code": "X1"}]}))).text == "X1"


@pytest.mark.parametrize(
    "elements",
    [
        {"medication": {"concept": FUROSEMIDE}},
        {"medication": FUROSEMIDE},
        {"medication": {"reference": {"reference": "Medication/f"}}},
        {"medicationReference": {"reference": "Medication/f"}},
        {"medicationReference": {"reference": "https://ehr.example/fhir/Medication/f"}},
        {"medicationReference": {"reference": "Medication/f/_history/1"}},
        {
            "medicationReference": {"reference": "#m"},
            "contained": [{"resourceType": "Medication", "id": "m", "code": FUROSEMIDE}],
        },
        {
            "medicationReference": {"reference": "#m"},
            "contained": [{"resourceType": "Medication", "id": "#m", "code": FUROSEMIDE}],
        },
        {"medicationReference": {"reference": "Medication/unsent", "display": "Furosemide 40 mg"}},
        {"medicationReference": {"display": "Furosemide 40 mg"}},
        {"medicationCodeableConcept": {"coding": [{"system": "x", "code": "1", "display": "Furosemide"}]}},
    ],
)
def test_the_medicine_is_found_wherever_it_is_named(elements: Json, read: Read, order: Make) -> None:
    sent = {"resourceType": "Medication", "id": "f", "code": FUROSEMIDE}
    assert only(read(order(**{"medicationCodeableConcept": None} | elements), sent)).classes == (
        "loop_diuretic",
    )


def test_the_medicine_is_found_by_the_full_url_of_its_entry(order: Make) -> None:
    request = order(medicationCodeableConcept=None, medicationReference={"reference": "urn:uuid:1"})
    medication = {"resourceType": "Medication", "code": FUROSEMIDE}
    entries = [{"fullUrl": "urn:uuid:1", "resource": medication}, {"resource": request}]
    facts = read_patient_facts("p", [Source("m", json.dumps({"entry": entries}).encode())])
    assert only(facts).classes == ("loop_diuretic",)


def test_a_medication_without_code_is_its_ingredients(read: Read, order: Make) -> None:
    ingredients = [
        {"itemCodeableConcept": {"text": "Furosemide"}},
        {"item": {"concept": {"text": "Spironolactone"}}},
        {},
    ]
    contained = [{"resourceType": "Medication", "id": "m", "ingredient": ingredients}]
    request = order(
        medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=contained
    )
    assert "loop_diuretic" in only(read(request)).classes


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"medicationReference": {"reference": "Medication/unsent"}},
        {"medicationReference": {"reference": "#unsent"}},
        {"medicationReference": {"reference": "Observation/k"}},
        {"medicationReference": {"reference": "Medication/empty"}},
        {"medicationCodeableConcept": {"coding": [{"system": RXNORM}], "text": " "}},
    ],
)
def test_an_order_that_names_no_medicine_is_a_gap(elements: Json, read: Read, order: Make, lab: Make) -> None:
    request = order(**{"medicationCodeableConcept": None} | elements)
    facts = read(request, {"resourceType": "Medication", "id": "empty"}, lab())
    assert facts.medications == ()
    assert [(gap.what, gap.reason, gap.resource) for gap in facts.gaps] == [
        ("medication", "medication-not-resolved", "MedicationRequest/m")
    ]


def test_what_has_to_be_fetched_is_named(order: Make, bundle: Make) -> None:
    def by_reference(id_: str, reference: str, **elements: Any) -> Json:
        return order(
            id=id_, medicationCodeableConcept=None, medicationReference={"reference": reference}, **elements
        )

    record = bundle(
        by_reference("1", "Medication/unsent"),
        by_reference("2", "Medication/unsent"),
        by_reference("3", "https://ehr.example/fhir/Medication/9"),
        by_reference("4", "Medication/sent"),
        by_reference("5", "#contained"),
        by_reference("6", "Medication/not-taken", status="cancelled"),
        by_reference("7", "Medication/somebody-elses", subject={"reference": "Patient/q"}),
        order(id="8"),
        {"resourceType": "Medication", "id": "sent"},
    )
    missing = unresolved_medications("Patient/p", [Source("m", json.dumps(record).encode())])
    assert missing == ["Medication/unsent", "https://ehr.example/fhir/Medication/9"]


@pytest.mark.parametrize(
    "elements",
    [
        {"status": "entered-in-error"},
        {"status": "cancelled"},
        {"status": "on-hold"},
        {"doNotPerform": True},
        {"intent": "proposal"},
        {"intent": "option"},
        {"intent": "plan"},
        {"intent": "plan", "reportedBoolean": False},
        {"medicationCodeableConcept": {"text": "No known medications"}},
        {
            "medicationCodeableConcept": {"text": "No known medications"},
            "dosageInstruction": [{"text": "as directed"}],
        },
        {"resourceType": "MedicationStatement", "status": "not-taken"},
        {"resourceType": "MedicationStatement", "status": "intended"},
        {"resourceType": "MedicationStatement", "status": "active", "taken": "n"},
        {"resourceType": "MedicationStatement", "status": "active", "wasNotTaken": True},
        {
            "resourceType": "MedicationStatement",
            "status": "recorded",
            "adherence": {"code": {"coding": [{"code": "not-taking"}]}},
        },
        {"resourceType": "MedicationAdministration", "status": "not-done"},
        {"resourceType": "MedicationAdministration", "status": "completed", "notGiven": True},
    ],
)
def test_not_taken_is_not_taken(elements: Json, read: Read, order: Make) -> None:
    facts = read(order(**elements))
    assert facts.medications == ()
    assert facts.gaps == ()


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({}, "active"),
        ({"status": "Active"}, "active"),
        ({"status": "stopped"}, "ended"),
        ({"status": "completed"}, "ended"),
        ({"status": "draft"}, "draft"),
        ({"status": "unknown"}, "unknown"),
        ({"status": None}, "unknown"),
        ({"intent": None}, "active"),
        ({"intent": "plan", "reportedBoolean": True}, "active"),
        ({"intent": "plan", "reportedReference": {"reference": "Patient/p"}}, "active"),
        ({"intent": "plan", "reported": True}, "active"),
        ({"category": {"text": "community"}}, "active"),
        ({"resourceType": "MedicationStatement"}, "active"),
        ({"resourceType": "MedicationStatement", "status": "recorded"}, "active"),
        ({"resourceType": "MedicationStatement", "taken": "y"}, "active"),
        ({"resourceType": "MedicationAdministration", "status": "completed"}, "ended"),
        ({"resourceType": "MedicationAdministration", "status": "unknown"}, "ended"),
        ({"resourceType": "MedicationAdministration", "status": "in-progress"}, "active"),
    ],
)
def test_status_says_whether_it_is_taken(elements: Json, status: str, read: Read, order: Make) -> None:
    assert only(read(order(**elements))).status == status


@pytest.mark.parametrize(
    "elements", [{}, {"status": "draft"}, {"intent": "proposal"}, {"intent": "plan"}, {"status": None}]
)
def test_what_is_about_to_be_signed_is_a_draft_whatever_its_intent(elements: Json, order: Make) -> None:
    content = json.dumps(order(**elements)).encode()
    assert only(read_patient_facts("p", [Source("draftOrders", content, draft=True)])).status == "draft"


def test_signing_a_stop_starts_nothing(order: Make) -> None:
    content = json.dumps(order(status="stopped")).encode()
    assert only(read_patient_facts("p", [Source("draftOrders", content, draft=True)])).status == "ended"


@pytest.mark.parametrize(
    "route", [{"text": "inhalation"}, {"coding": [{"code": "x", "display": "Inhalation"}]}]
)
def test_the_orders_route_decides_whether_it_counts(route: Json, read: Read, order: Make) -> None:
    request = order(
        medicationCodeableConcept={"text": "budesonide"},
        dosageInstruction=[{"text": "two puffs"}, {"route": route}],
    )
    medication = only(read(request))
    assert medication.route == "inhaled"
    assert medication.classes == ()
    assert medication.local == ("inhaled_corticosteroid",)


def test_a_medicine_that_only_the_instructions_name_is_not_the_one_ordered(read: Read, order: Make) -> None:
    dosage = [{"text": "take one hour before furosemide"}]
    medication = only(
        read(order(medicationCodeableConcept={"text": "Zyxoprilate"}, dosageInstruction=dosage))
    )
    assert medication.classes == ()
    assert medication.by == ""
