"""The whole service in process: routes, CORS, statuses, and what it must never say."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cds_hooks import calls
from cds_hooks.app import WARM_UP, create_app
from cds_hooks.card_kit import card_kit
from cds_hooks.errors import Refused
from cds_hooks.services import SERVICES
from cds_hooks.settings import Settings
from mappings.knowledge import load_knowledge

CANARY = "canary-7f3a"
PATH = "/cds-services/twitching-patient-view"
ORIGIN = {"Origin": "https://sandbox.example"}
BUNDLE = {"resourceType": "Bundle", "type": "searchset"}
LABORATORY = [
    {
        "coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
        ]
    }
]
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


def bundle(*resources: Json) -> Json:
    return BUNDLE | {"entry": [{"resource": resource} for resource in resources]}


def condition(**parts: Any) -> Json:
    whole = {
        "resourceType": "Condition",
        "id": "tw-1",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}],
            "text": "Fasciculation",
        },
        "subject": {"reference": "Patient/p-1"},
        "onsetDateTime": "2026-01-25",
    }
    return whole | parts


def patient(birth_date: str = "1960-05-05") -> Json:
    return {"resourceType": "Patient", "id": "p-1", "birthDate": birth_date, "gender": "female"}


def potassium(value: float) -> Json:
    return {
        "resourceType": "Observation",
        "id": "k-1",
        "status": "final",
        "category": LABORATORY,
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3", "display": "Potassium"}]},
        "subject": {"reference": "Patient/p-1"},
        "effectiveDateTime": "2026-02-25",
        "valueQuantity": {
            "value": value,
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
        "referenceRange": [
            {"low": {"value": 3.5, "unit": "mmol/L"}, "high": {"value": 5.1, "unit": "mmol/L"}}
        ],
    }


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    settings = Settings(base_url="https://cds.example", max_body_bytes=1_000_000)
    app = create_app(settings, knowledge=load_knowledge(), today=lambda: date(2026, 3, 1))
    with TestClient(app) as running:
        yield running


@pytest.fixture
def record(call: Call) -> bytes:
    """An adult with documented twitching and a low potassium."""
    return call(
        prefetch={
            "patient": patient(),
            "conditions": bundle(condition()),
            "labs": bundle(potassium(2.8)),
            "medications": BUNDLE,
        }
    )


class TestAnswers:
    def test_004_005_013_discovery(self, client: TestClient) -> None:
        response = client.get("/cds-services")
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert [service["id"] for service in response.json()["services"]] == ["twitching-patient-view"]

    def test_016_074_075_078_cards(
        self, client: TestClient, record: bytes, empties: Callable[[Any], list[str]]
    ) -> None:
        response = client.post(PATH, content=record)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        answer = response.json()
        assert set(answer) == {"cards"}
        assert 1 <= len(answer["cards"]) <= 3
        assert empties(answer) == []
        assert any("2.8 mmol/L" in card["detail"] for card in answer["cards"])

    def test_080_to_136_every_card_is_complete(self, client: TestClient, record: bytes) -> None:
        for card in client.post(PATH, content=record).json()["cards"]:
            assert 0 < len(card["summary"]) <= 139
            assert card["indicator"] in ("info", "warning", "critical")
            assert len(card["uuid"]) == 36
            assert card["source"]["label"]
            assert card["source"]["url"] == "https://cds.example/knowledge"
            assert card["source"]["topic"]["code"].startswith("twitching-")
            assert card["source"]["topic"]["system"]
            assert ("suggestions" in card) == ("selectionBehavior" in card)
            for suggestion in card.get("suggestions", ()):
                assert suggestion["label"]
                assert len(suggestion["uuid"]) == 36
                (action,) = suggestion["actions"]
                assert (action["type"], action["resource"]["resourceType"]) == ("create", "ServiceRequest")
                assert action["description"]
            for reason in card["overrideReasons"]:
                assert set(reason) == {"code", "system", "display"}

    def test_077_no_twitching_is_no_card(self, client: TestClient, call: Call) -> None:
        body = call(prefetch={"patient": patient(), "conditions": BUNDLE, "labs": bundle(potassium(2.8))})
        response = client.post(PATH, content=body)
        assert (response.status_code, response.json()) == (200, {"cards": []})

    def test_a_child_is_one_info_card(self, client: TestClient, call: Call) -> None:
        body = call(prefetch={"patient": patient("2012-05-05"), "conditions": bundle(condition())})
        (card,) = client.post(PATH, content=body).json()["cards"]
        assert (card["indicator"], card["source"]["topic"]["code"]) == ("info", "twitching-scope")

    def test_two_calls_differ_only_in_their_identifiers(self, client: TestClient, record: bytes) -> None:
        first, second = (client.post(PATH, content=record).json()["cards"] for _ in range(2))
        assert {card["uuid"] for card in first} & {card["uuid"] for card in second} == set()
        assert [card["detail"] for card in first] == [card["detail"] for card in second]

    def test_the_explanation_is_the_assessment(self, client: TestClient, record: bytes) -> None:
        told = client.post(f"{PATH}/explain", content=record).json()
        assert told["service"] == "twitching-patient-view"
        assert told["assessedAt"] == "2026-03-01"
        assert told["gate"]["open"] is True
        assert [cause["id"] for cause in told["contributors"]] == ["hypokalaemia"]

    def test_health(self, client: TestClient) -> None:
        assert client.get("/health/live").json() == {"status": "ok"}
        ready = client.get("/health/ready").json()
        assert ready == {"status": "ready", "knowledgeVersion": load_knowledge().version}

    def test_openapi_describes_every_route(self, client: TestClient) -> None:
        paths = client.get("/openapi.json").json()["paths"]
        assert {
            "/cds-services",
            "/cds-services/{service}",
            "/cds-services/{service}/explain",
            "/health/live",
            "/health/ready",
        } == set(paths)
        assert {"200", "400", "404", "412", "413"} <= set(
            paths["/cds-services/{service}"]["post"]["responses"]
        )

    def test_no_page_loads_scripts_from_elsewhere(self, client: TestClient) -> None:
        assert client.get("/docs").status_code == 404
        assert client.get("/redoc").status_code == 404


class TestStart:
    def test_the_first_call_finds_everything_loaded(self) -> None:
        answer = calls.answer(
            SERVICES[0], WARM_UP.read_bytes(), load_knowledge(), date(2026, 3, 1), card_kit(load_knowledge())
        )
        assert b"potassium 2.8 mmol/L" in answer
        assert b"hydrochlorothiazide" in answer


class TestCors:
    @pytest.mark.parametrize("path", ["/cds-services", PATH, f"{PATH}/explain"])
    def test_208_preflight(self, client: TestClient, path: str) -> None:
        wanted = {
            "Access-Control-Request-Method": "GET" if path == "/cds-services" else "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        response = client.options(path, headers=ORIGIN | wanted)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "*"
        allowed = response.headers["access-control-allow-headers"].lower()
        assert "authorization" in allowed
        assert "content-type" in allowed

    def test_208_on_success_and_on_every_error(
        self, client: TestClient, record: bytes, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = [
            client.get("/cds-services", headers=ORIGIN),
            client.post(PATH, content=record, headers=ORIGIN),
            client.post(PATH, content=b"{", headers=ORIGIN),
            client.post("/cds-services/none", content=record, headers=ORIGIN),
            client.get("/nowhere", headers=ORIGIN),
            client.delete("/cds-services", headers=ORIGIN),
            client.post(PATH, content=call(prefetch={}), headers=ORIGIN),
            client.post(PATH, content=b" " * 1_000_001, headers=ORIGIN),
        ]
        monkeypatch.setattr(calls, "evaluate", broken)
        answers.append(client.post(PATH, content=record, headers=ORIGIN))
        assert [answer.status_code for answer in answers] == [200, 200, 400, 404, 404, 405, 412, 413, 500]
        assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"*"}


def broken(*_: object) -> None:
    raise ValueError(CANARY)


class TestRefusals:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("POST", "/cds-services/none", 404, "not-found"),
            ("POST", "/cds-services/none/explain", 404, "not-found"),
            ("GET", "/nowhere", 404, "not-found"),
            ("POST", f"{PATH}/", 404, "not-found"),
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
    def test_054_required_data_is_named(self, client: TestClient, call: Call, path: str) -> None:
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

    def test_a_gate_known_from_elsewhere_needs_no_conditions(self, client: TestClient, call: Call) -> None:
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

    def test_what_was_not_provided_is_on_a_card(self, client: TestClient, call: Call) -> None:
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
            monkeypatch.setattr(calls, "evaluate", broken)
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
    def test_never_a_500(self, client: TestClient, call: Call, key: str, value: Any) -> None:
        prefetch = {"patient": patient(), "conditions": bundle(condition())} | {key: value}
        assert client.post(PATH, content=call(prefetch=prefetch)).status_code in (200, 412)

    def test_deep_nesting_inside_a_resource(self, client: TestClient, call: Call) -> None:
        deep = b'{"resourceType": "Observation", "extension": ' + b"[" * 700 + b"]" * 700 + b"}"
        body = call(prefetch={"conditions": bundle(condition()), "labs": "DEEP"}).replace(b'"DEEP"', deep)
        assert client.post(PATH, content=body).status_code in (200, 400)

    @given(
        st.dictionaries(
            st.sampled_from(["patient", "conditions", "labs", "medications", "orders", "mine"]),
            st.recursive(
                JSON_LEAVES,
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FHIR_NAMES, inner, max_size=6),
                max_leaves=25,
            ),
        )
    )
    def test_any_json_is_assessed_or_refused(self, prefetch: Json) -> None:
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
