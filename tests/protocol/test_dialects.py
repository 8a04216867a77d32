"""Calls as the known clients make them, below and beside the specification: each gets the right cards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

Json = dict[str, Any]
Chart = Any
EHR = "https://ehr.example.org/interconnect/api/FHIR/R4"
LOCAL_CODES = "urn:example-ehr:codes"
NO_RESULTS: Json = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "warning",
            "code": "processing",
            "details": {"coding": [{"system": LOCAL_CODES, "code": "4101"}]},
            "diagnostics": "Resource request returns no results.",
        }
    ],
}


def authorised(chart: Chart) -> Json:
    return {
        "fhirServer": EHR,
        "fhirAuthorization": {
            "access_token": "abc.def",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "Observation.Read (Labs) (R4) MedicationRequest.Search (Signed Medication Order) (R4)",
            "subject": "client-1",
            "patient": chart.id,
        },
    }


def absolute(resource: Json, chart: Chart) -> Json:
    """As Epic refers to things: by the whole address, with a display."""
    return resource | {"subject": {"reference": f"{EHR}/Patient/{chart.id}", "display": "Example, Patient"}}


def epic_record(chart: Chart) -> Json:
    """Keys that an analyst has typed in, one of them his own; searches that found nothing carry a warning."""
    order = chart.medicine(
        medicationCodeableConcept=...,
        medicationReference={
            "reference": f"{EHR}/Medication/eM.1",
            "display": "hydroCHLOROthiazide 25 mg tablet",
        },
        category={"coding": [{"system": LOCAL_CODES, "code": "Outpatient"}]},
    )
    nothing = chart.bundle(total=0, entry=[{"resource": NO_RESULTS, "search": {"mode": "outcome"}}])
    potassium = absolute(chart.potassium(2.8), chart)
    potassium["code"]["coding"].insert(0, {"system": LOCAL_CODES, "code": "local-1", "display": "POTASSIUM"})
    return {
        "patient": chart.patient(),
        "-user": {"resourceType": "Practitioner", "id": "eP.1"},
        "conditions": chart.bundle(absolute(chart.twitching(), chart)),
        "labs": chart.bundle(potassium),
        "medications": chart.bundle(absolute(order, chart)),
        "procedures": nothing,
        "orders": nothing,
    }


def epic(chart: Chart, hook: str, trigger: str, **context: Any) -> Json:
    extension = {
        "com.epic.cdshooks.request.bpa-trigger-action": trigger,
        "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1",
        "com.epic.cdshooks.request.fhir-version": "R4",
    }
    who = {"userId": "PractitionerRole/eR.1", "encounterId": "eE.1"}
    return chart.call(
        hook, who | context, prefetch=epic_record(chart), extension=extension, **authorised(chart)
    )


def test_epic_opens_a_chart(ask: Callable[[Json], list[Json]], chart: Chart, told: Any) -> None:
    cards = ask(epic(chart, "patient-view", "60"))
    said = told(cards)
    assert "potassium 2.8 mmol/L" in said
    assert "explained by thiazide" in said
    assert "operations and procedures" not in said, "found nothing is no gap"
    for card in cards:
        assert card.get("selectionBehavior", "any") == "any"
        assert len(card["source"]["topic"]["code"]) <= 100
        for suggestion in card.get("suggestions", ()):
            (action,) = suggestion["actions"]
            assert action["description"].startswith(suggestion["label"])


@pytest.mark.parametrize(("hook", "trigger"), [("order-select", "18"), ("order-sign", "23")])
def test_epic_orders_a_medicine(
    ask: Callable[[Json], list[Json]], chart: Chart, hook: str, trigger: str
) -> None:
    draft = chart.draft(
        "",
        medicationCodeableConcept=...,
        medicationReference={"reference": f"{EHR}/Medication/eM.2"},
        category={"coding": [{"code": "Outpatient"}]},
        dosageInstruction=...,
    )
    medication = {
        "resourceType": "Medication",
        "id": "eM.2",
        "code": {"text": "furosemide 40 mg oral tablet"},
    }
    other = {
        "resourceType": "ProcedureRequest",
        "id": "eS.1",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": "http://loinc.org", "code": "19123-9"}]},
        "subject": {"reference": f"{EHR}/Patient/{chart.id}"},
    }
    entries = [
        {"resource": absolute(draft, chart)},
        {"fullUrl": f"{EHR}/Medication/eM.2", "resource": medication},
        {"resource": other},
    ]
    drafts = {"resourceType": "Bundle", "entry": entries}
    chosen = [f"MedicationRequest/{draft['id']}"] if hook == "order-select" else ...
    context = {"draftOrders": drafts} | ({"selections": chosen} if chosen is not ... else {})
    cards = ask(epic(chart, hook, trigger, **context))
    assert "furosemide 40 mg oral tablet: may lower potassium" in cards[0]["summary"]
    offered = [one["label"] for card in cards for one in card.get("suggestions", ())]
    assert offered
    assert "Order serum magnesium" not in offered, "it is being ordered as a ProcedureRequest"


def test_the_sandbox_opens_a_chart(ask: Callable[[Json], list[Json]], chart: Chart, told: Any) -> None:
    """What it cannot prefetch it leaves out; it gives no encounter and, on an open server, no token."""
    prefetch = {
        "patient": chart.patient(),
        "conditions": chart.bundle(chart.twitching()),
        "labs": chart.bundle(chart.potassium(2.8)),
    }
    call = chart.call(
        context={"userId": "Practitioner/COREPRACTITIONER1"},
        prefetch=prefetch,
        fhirServer="http://localhost:8090/fhir",
    )
    said = told(ask(call))
    assert "potassium 2.8 mmol/L" in said
    assert "prescribed medicines" in said, "what was left out is named"


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_the_sandbox_orders_a_medicine(
    ask: Callable[[Json], list[Json]], chart: Chart, told: Any, hook: str
) -> None:
    """Its draft has no intent, its Bundle no type; before a medicine is chosen the draft names none."""
    low = chart.prefetch(labs=chart.bundle(chart.potassium(2.8)))

    def call(draft: Json) -> Json:
        drafts = {"resourceType": "Bundle", "entry": [{"resource": draft}]}
        chosen = {"selections": [f"MedicationRequest/{draft['id']}"]} if hook == "order-select" else {}
        return chart.call(hook, {"draftOrders": drafts} | chosen, prefetch=low)

    coded = {"text": "Furosemide 40 MG Oral Tablet", "coding": []}
    named = chart.draft("", intent=..., medicationCodeableConcept=coded, dosageInstruction=...)
    assert "Furosemide 40 MG Oral Tablet" in ask(call(named))[0]["summary"]
    unnamed = chart.draft("", intent=..., medicationCodeableConcept=..., dosageInstruction=...)
    assert "a medicine is ordered or recorded that the record does not name" in told(ask(call(unnamed)))


def test_medplum_sends_null_for_what_it_cannot_resolve(
    ask: Callable[[Json], list[Json]], chart: Chart, told: Any
) -> None:
    record = chart.prefetch(encounter=None, labs=None, medications=chart.bundle(chart.medicine()))
    said = told(ask(chart.call(prefetch=record)))
    assert "laboratory results" in said
    assert "the reason for the encounter" not in said


def test_oracle_health_calls_with_a_tenant_in_its_address(
    ask: Callable[[Json], list[Json]], chart: Chart, told: Any
) -> None:
    """A DSTU2-grown record: numeric ids, local codes beside LOINC, no unit system."""
    quantity = {"value": 2.8, "unit": "mmol/L"}
    local = {
        "system": "https://fhir.example.org/tenant-1/codeSet/1",
        "code": "local-2",
        "userSelected": True,
    }
    code = {"coding": [local, {"system": "http://loinc.org", "code": "2823-3"}], "text": "Potassium Level"}
    other = chart.__class__("12724066")
    potassium = other.potassium(code=code, valueQuantity=quantity, id="M-1-12724066")
    call = other.call(
        prefetch=other.prefetch(labs=other.bundle(potassium)),
        fhirServer="https://fhir.example.org/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d",
    )
    assert "potassium 2.8 mmol/L" in told(ask(call))


def test_old_clients_send_the_user_outside_the_context(
    ask: Callable[[Json], list[Json]], chart: Chart, told: Any
) -> None:
    record = chart.prefetch(labs=chart.bundle(chart.potassium(2.8)))
    call = chart.call(prefetch=record, user="Practitioner/1", redirect="https://ehr.example.org", oauth=None)
    call["context"] = {"patientId": f"Patient/{chart.id}", "encounterId": None}
    assert "potassium 2.8 mmol/L" in told(ask(call))


def test_a_browser_calls_from_another_origin(http: httpx2.Client, chart: Chart) -> None:
    """athenahealth's panel and the sandbox run in the browser; an error must be readable there too."""
    origin = {"Origin": "https://panel.example.org"}
    wanted = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    path = "/cds-services/twitching-order-sign"
    assert http.options(path, headers=origin | wanted).status_code == 200
    for call, status in ((chart.call("order-sign"), 400), (chart.call("patient-view"), 400)):
        answer = http.post(path, json=call, headers=origin)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")
