"""What the service refuses, what it must never say, and what it must survive."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cds_hooks import calls
from cds_hooks.card_kit import card_kit
from cds_hooks.errors import Refused
from cds_hooks.services import SERVICES
from mappings.knowledge import load_knowledge

CANARY = "canary-7f3a"
PATH = "/cds-services/twitching-patient-view"
ORIGIN = {"Origin": "https://sandbox.example"}
BUNDLE = {"resourceType": "Bundle", "type": "searchset"}
JSON_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["Patient/p-1", "p-1", "2026-02-25", "final", "active", "mmol/L", "2823-3", "http://loinc.org"]
    )
    | st.sampled_from(
        ["Bundle", "Observation", "Condition", "MedicationRequest", "ServiceRequest", "Fasciculation"]
    )
)
FHIR_NAMES = st.sampled_from(
    [
        "resourceType",
        "id",
        "status",
        "code",
        "coding",
        "system",
        "display",
        "text",
        "subject",
        "reference",
        "entry",
        "resource",
        "value",
        "unit",
        "valueQuantity",
        "effectiveDateTime",
        "component",
        "referenceRange",
        "low",
        "high",
        "clinicalStatus",
        "category",
        "intent",
        "medicationCodeableConcept",
        "medicationReference",
        "contained",
        "dosageInstruction",
        "route",
        "timing",
        "birthDate",
        "issued",
        "link",
        "response",
    ]
)
Json = dict[str, Any]
Call = Callable[..., bytes]
Factory = Callable[..., Any]


def broken(*_: object, **__: object) -> None:
    raise ValueError(CANARY)


class TestRefusals:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("POST", "/cds-services/none", 404, "not-found"),
            ("POST", "/cds-services/none/explain", 404, "not-found"),
            ("GET", "/nowhere", 404, "not-found"),
            ("POST", f"{PATH}/more", 404, "not-found"),
            ("GET", PATH, 405, "not-supported"),
            ("PUT", PATH, 405, "not-supported"),
            ("POST", "/cds-services", 405, "not-supported"),
        ],
    )
    def test_are_operation_outcomes(
        self, client: TestClient, method: str, path: str, status: int, code: str
    ) -> None:
        response = client.request(method, path, content=b"{}")
        assert response.status_code == status
        assert response.headers["content-type"] == "application/json"
        assert response.json()["issue"][0]["code"] == code
        assert ("allow" in response.headers) == (status == 405)

    @pytest.mark.parametrize("path", [PATH, f"{PATH}/explain"])
    def test_required_data_is_named(
        self, client: TestClient, call: Call, path: str, bundle: Factory, patient: Factory, potassium: Factory
    ) -> None:
        for prefetch in (
            ...,
            None,
            {},
            {"conditions": None},
            {"conditions": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}},
            {"patient": patient(), "labs": bundle(potassium(2.8))},
        ):
            response = client.post(path, content=call(prefetch=prefetch))
            assert response.status_code == 412
            assert response.json()["issue"][0]["expression"] == ["prefetch.conditions"]

    def test_a_gate_known_from_elsewhere_needs_no_conditions(
        self, client: TestClient, call: Call, condition: Factory, patient: Factory
    ) -> None:
        encounter = {
            "resourceType": "Encounter",
            "id": "e-1",
            "status": "in-progress",
            "subject": {"reference": "Patient/p-1"},
            "reasonCode": [condition()["code"]],
        }
        response = client.post(PATH, content=call(prefetch={"patient": patient(), "encounter": encounter}))
        assert response.status_code == 200
        assert response.json()["cards"]

    def test_what_was_not_provided_is_on_a_card(
        self, client: TestClient, call: Call, bundle: Factory, condition: Factory, patient: Factory
    ) -> None:
        body = call(prefetch={"patient": patient(), "conditions": bundle(condition()), "labs": None})
        cards = client.post(PATH, content=body).json()["cards"]
        assert any("prescribed medicines" in card["detail"] for card in cards)

    def test_no_patient_data_in_logs_or_error_bodies(
        self,
        client: TestClient,
        call: Call,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        condition: Factory,
    ) -> None:
        evil = condition(id=CANARY, code={"text": CANARY, "coding": [{"system": CANARY, "code": CANARY}]})
        bodies = [
            call(hook=CANARY),
            call(hookInstance={CANARY: CANARY}),
            call(context={"patientId": f"{CANARY} {CANARY}", "userId": CANARY}),
            call(context={"patientId": [CANARY]}),
            call(prefetch=[CANARY]),
            call(prefetch={CANARY: evil}),
            call(prefetch={CANARY: CANARY}),
            call(fhirServer=[CANARY], fhirAuthorization=CANARY, extension=CANARY),
            call().replace(b'"conditions"', f'"{CANARY}": 1, "{CANARY}": 2, "conditions"'.encode()),
            f'{{"{CANARY}": NaN}}'.encode(),
            CANARY.encode() * 100_000,
        ]
        with caplog.at_level(logging.DEBUG):
            answers = [
                client.post(PATH, content=body, headers={"Authorization": f"Bearer {CANARY}"})
                for body in bodies
            ]
            answers.append(client.post(f"/cds-services/{CANARY}", content=call()))
            answers.append(client.get(f"/{CANARY}?patient={CANARY}"))
            monkeypatch.setattr(calls, "consider", broken)
            answers.append(client.post(PATH, content=call()))
        assert [answer.status_code for answer in answers] == [400] * 5 + [200, 412] + [400] * 3 + [
            413,
            404,
            404,
            500,
        ]
        logged = "\n".join(
            record.getMessage() for record in caplog.records if not record.name.startswith("httpx")
        )
        assert not any(CANARY in answer.text for answer in answers)
        assert CANARY not in logged + "".join(capfd.readouterr())
        assert "unforeseen ValueError" in logged


class TestAdversaries:
    @pytest.mark.parametrize(
        "value",
        [
            {},
            [],
            "text",
            1,
            True,
            {"resourceType": "Bundle"},
            {"resourceType": "Bundle", "entry": None},
            {"resourceType": "Bundle", "entry": [None, {}, {"resource": None}, {"resource": []}, 5]},
            {"resourceType": "Bundle", "entry": {"resource": {}}},
            {"resourceType": "Foo"},
            {"resourceType": 5},
            {"resourceType": "OperationOutcome"},
            [{"response": {"status": "500"}}],
            {"resourceType": "Observation", "status": 7, "valueQuantity": {"value": "NaN"}},
            {"resourceType": "Observation", "valueQuantity": {"value": 10**400}},
            {"resourceType": "Patient", "birthDate": "0000-99-99"},
            {"resourceType": "Condition", "code": {"coding": [{"system": 1}]}, "onsetDateTime": "yesterday"},
            {
                "resourceType": "MedicationRequest",
                "medicationReference": {"reference": "#self"},
                "contained": [{}],
            },
        ],
        ids=json.dumps,
    )
    @pytest.mark.parametrize("key", ["labs", "conditions", "patient", "anything"])
    def test_never_a_500(
        self,
        client: TestClient,
        call: Call,
        key: str,
        value: Any,
        bundle: Factory,
        condition: Factory,
        patient: Factory,
    ) -> None:
        prefetch = {"patient": patient(), "conditions": bundle(condition())} | {key: value}
        assert client.post(PATH, content=call(prefetch=prefetch)).status_code in (200, 412)

    def test_deep_nesting_inside_a_resource(
        self, client: TestClient, call: Call, bundle: Factory, condition: Factory
    ) -> None:
        deep = b'{"resourceType": "Observation", "extension": ' + b"[" * 700 + b"]" * 700 + b"}"
        body = call(prefetch={"conditions": bundle(condition()), "labs": "DEEP"}).replace(b'"DEEP"', deep)
        assert client.post(PATH, content=body).status_code in (200, 400)

    @given(
        prefetch=st.dictionaries(
            st.sampled_from(["patient", "conditions", "labs", "medications", "orders", "mine"]),
            st.recursive(
                JSON_LEAVES,
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FHIR_NAMES, inner, max_size=6),
                max_leaves=25,
            ),
        )
    )
    def test_any_json_is_assessed_or_refused(
        self, prefetch: Json, bundle: Factory, condition: Factory
    ) -> None:
        context = {"patientId": "p-1"}
        record = {"conditions": bundle(condition())} | prefetch
        call = {"hook": "patient-view", "hookInstance": "i", "context": context, "prefetch": record}
        rules = load_knowledge()
        try:
            calls.answer(SERVICES[0], json.dumps(call).encode(), rules, date(2026, 3, 1), card_kit(rules))
            status = 200
        except Refused as refused:
            status = refused.status
        assert status in (200, 412)
