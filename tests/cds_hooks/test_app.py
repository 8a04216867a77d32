"""The whole service in process: routes, cards, CORS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cds_hooks import calls
from cds_hooks.app import WARM_UP
from cds_hooks.card_kit import card_kit
from cds_hooks.services import SERVICES
from mappings.knowledge import load_knowledge

CANARY = "canary-7f3a"
PATH = "/cds-services/twitching-patient-view"
ORIGIN = {"Origin": "https://sandbox.example"}
BUNDLE = {"resourceType": "Bundle", "type": "searchset"}
Json = dict[str, Any]
Call = Callable[..., bytes]
Factory = Callable[..., Any]


@pytest.fixture
def record(call: Call, bundle: Factory, condition: Factory, patient: Factory, potassium: Factory) -> bytes:
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
    def test_discovery(self, client: TestClient) -> None:
        response = client.get("/cds-services")
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert [service["id"] for service in response.json()["services"]] == [
            "twitching-patient-view",
            "twitching-encounter-start",
            "twitching-problem-list-item-create",
            "twitching-order-select",
            "twitching-order-sign",
        ]

    def test_cards(self, client: TestClient, record: bytes, empties: Callable[[Any], list[str]]) -> None:
        response = client.post(PATH, content=record)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        answer = response.json()
        assert set(answer) == {"cards"}
        assert 1 <= len(answer["cards"]) <= 3
        assert empties(answer) == []
        assert any("2.8 mmol/L" in card["detail"] for card in answer["cards"])

    def test_every_card_is_complete(self, client: TestClient, record: bytes) -> None:
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

    def test_no_twitching_is_no_card(
        self, client: TestClient, call: Call, bundle: Factory, patient: Factory, potassium: Factory
    ) -> None:
        body = call(prefetch={"patient": patient(), "conditions": BUNDLE, "labs": bundle(potassium(2.8))})
        response = client.post(PATH, content=body)
        assert (response.status_code, response.json()) == (200, {"cards": []})

    def test_a_child_is_one_info_card(
        self, client: TestClient, call: Call, bundle: Factory, condition: Factory, patient: Factory
    ) -> None:
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
        checks = {"knowledge": "ok", "database": "ok"}
        assert ready == {"status": "ready", "knowledgeVersion": load_knowledge().version, "checks": checks}

    @pytest.mark.parametrize("path", ["/cds-services", "/health/live", "/health/ready", "/metrics"])
    def test_what_can_be_got_can_be_looked_at(self, client: TestClient, path: str) -> None:
        """Load balancers and link checkers ask with HEAD (RFC 9110 9.1: no server may lack it)."""
        got, looked_at = client.get(path), client.head(path)
        assert (looked_at.status_code, looked_at.content) == (200, b"")
        assert looked_at.headers["content-type"] == got.headers["content-type"]

    def test_openapi_describes_every_route(self, client: TestClient) -> None:
        paths = client.get("/openapi.json").json()["paths"]
        assert {
            "/cds-services",
            "/cds-services/{service}",
            "/cds-services/{service}/explain",
            "/cds-services/{service}/feedback",
            "/health/live",
            "/health/ready",
            "/metrics",
        } == set(paths)
        assert {"200", "400", "404", "412", "413"} <= set(
            paths["/cds-services/{service}"]["post"]["responses"]
        )

    def test_no_page_loads_scripts_from_elsewhere(self, client: TestClient) -> None:
        assert client.get("/docs").status_code == 404
        assert client.get("/redoc").status_code == 404


class TestSlashes:
    @pytest.mark.parametrize("path", ["/cds-services/", "//cds-services", "//cds-services//"])
    def test_too_many_around_discovery_are_passed_over(self, client: TestClient, path: str) -> None:
        url = f"http://testserver{path}"
        assert client.get(url).content == client.get("/cds-services").content

    @pytest.mark.parametrize("path", [f"{PATH}/", f"/{PATH}", PATH.replace("s/", "s//")])
    def test_too_many_around_a_call_are_passed_over(
        self, client: TestClient, record: bytes, path: str
    ) -> None:
        url = f"http://testserver{path}"
        answer = client.post(url, content=record, follow_redirects=False)
        assert answer.status_code == 200
        assert answer.json()["cards"]

    def test_elsewhere_they_are_another_address(self, client: TestClient) -> None:
        assert client.get("/health/live/").status_code == 404


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
            "Access-Control-Request-Headers": "authorization,content-type,traceparent,x-requested-with",
        }
        response = client.options(path, headers=ORIGIN | wanted)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "*"
        allowed = response.headers["access-control-allow-headers"].lower()
        for header in ("authorization", "content-type", "traceparent", "x-requested-with"):
            assert header in allowed

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
        monkeypatch.setattr(calls, "consider", broken)
        answers.append(client.post(PATH, content=record, headers=ORIGIN))
        assert [answer.status_code for answer in answers] == [200, 200, 400, 404, 404, 405, 412, 413, 500]
        assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"*"}


def broken(*_: object, **__: object) -> None:
    raise ValueError(CANARY)


def test_what_a_site_does_not_use_is_not_loaded(root: Path, tmp_path: Path) -> None:
    """Each of these costs time at every start and megabytes in every worker."""
    heavy = {
        "aiohttp",
        "alembic",
        "cryptography",
        "fhir",
        "jinja2",
        "joserfc",
        "sqlalchemy.dialects.postgresql",
    }
    code = "import sys; from cds_hooks.app import create_app; create_app(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert heavy.isdisjoint(loaded.stdout.split())
