from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.facts import Order, PatientFacts
from mappings.from_fhir.read import Source, read_patient_facts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
POTASSIUM = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}
ECG = {"text": "12 lead ECG"}


def request(**elements: Any) -> Json:
    usual = {
        "resourceType": "ServiceRequest",
        "id": "r",
        "status": "active",
        "intent": "order",
        "code": POTASSIUM,
        "authoredOn": "2026-03-01T09:00:00Z",
    }
    return usual | elements


def test_a_request_for_a_test_is_pending(read: Read) -> None:
    expected = Order(("potassium",), "pending", "potassium", date(2026, 3, 1), "ServiceRequest/r")
    assert read(request()).orders == (expected,)


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({"status": "draft"}, "draft"),
        ({"status": "completed"}, "done"),
        ({"intent": "plan"}, "pending"),
        ({"intent": None}, "pending"),
        ({"resourceType": "ProcedureRequest"}, "pending"),
        ({"code": {"concept": POTASSIUM}}, "pending"),
        ({"authoredOn": None, "occurrenceDateTime": "2026-03-01"}, "pending"),
    ],
)
def test_states_and_releases(elements: Json, status: str, read: Read) -> None:
    (order,) = read(request(**elements)).orders
    assert (order.tests, order.status, order.date) == (("potassium",), status, date(2026, 3, 1))


@pytest.mark.parametrize(
    "elements",
    [
        {"status": "revoked"},
        {"status": "entered-in-error"},
        {"status": "unknown"},
        {"status": "on-hold"},
        {"status": ""},
        {"doNotPerform": True},
        {"intent": "proposal"},
        {"intent": "option"},
        {"code": {}},
        {"code": {"text": "Chest X-ray"}},
    ],
)
def test_what_asks_for_none_of_our_tests_is_no_order(elements: Json, read: Read) -> None:
    facts = read(request(**elements))
    assert facts.orders == ()
    assert facts.gaps == ()


@pytest.mark.parametrize(
    "elements", [{"status": "draft"}, {}, {"status": ""}, {"intent": "proposal", "status": "draft"}]
)
def test_what_is_about_to_be_signed_is_a_draft(elements: Json) -> None:
    content = json.dumps({"entry": [{"resource": request(**elements)}]}).encode()
    (order,) = read_patient_facts("p", [Source("draftOrders", content, draft=True)]).orders
    assert order.status == "draft"


def test_a_panel_carries_its_own_id(read: Read) -> None:
    (order,) = read(
        request(code={"coding": [{"system": "http://loinc.org", "code": "24323-8"}], "text": "CMP"})
    ).orders
    assert (order.tests, order.text) == (("cmp_panel",), "CMP")


@pytest.mark.parametrize(
    "resource",
    [
        {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": ECG,
            "effectiveDateTime": "2026-02-01",
        },
        {
            "resourceType": "DiagnosticReport",
            "status": "amended",
            "code": ECG,
            "issued": "2026-02-01T00:00:00Z",
        },
        {"resourceType": "Observation", "status": "final", "code": ECG, "effectiveDateTime": "2026-02-01"},
        {"resourceType": "Procedure", "status": "completed", "code": ECG, "performedDateTime": "2026-02-01"},
    ],
)
def test_an_investigation_carried_out_is_done(resource: Json, read: Read) -> None:
    (order,) = read(resource | {"id": "x"}).orders
    assert (order.tests, order.status, order.text, order.date) == (
        ("ecg",),
        "done",
        "12 lead ECG",
        date(2026, 2, 1),
    )


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "DiagnosticReport", "status": "registered", "code": ECG},
        {"resourceType": "DiagnosticReport", "status": "entered-in-error", "code": ECG},
        {"resourceType": "DiagnosticReport", "status": "final"},
        {"resourceType": "DiagnosticReport", "status": "final", "code": POTASSIUM},
        {"resourceType": "Observation", "status": "preliminary", "code": ECG},
        {"resourceType": "Procedure", "status": "in-progress", "code": ECG},
    ],
)
def test_what_is_not_finished_or_is_a_laboratory_report_is_no_order(resource: Json, read: Read) -> None:
    assert read(resource | {"id": "x"}).orders == ()
