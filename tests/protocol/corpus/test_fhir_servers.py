"""FHIR servers that refuse, fail, stall or are none: the cards say what could not be read, and no token goes astray."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

Json = dict[str, Any]
EMPTY = json.dumps({"resourceType": "Bundle", "type": "searchset"})
LABS = "/fhir/Observation?patient=p-1&category=laboratory"
TOKEN = "canary-token-0815"  # noqa: S105 - for a server that this test starts
FAILURES: dict[str, tuple[Any, str]] = {
    "401": ((401, ""), "the EHR's server refused the token (401)"),
    "403": ((403, ""), "the token does not allow it (403)"),
    "404": ((404, ""), "the EHR's server does not know it (404)"),
    "429": ((429, ""), "the EHR's server asked to slow down (429)"),
    "500": ((500, "{}"), "the EHR's server answered with an error (500)"),
    "a body of HTML": (
        (200, "<html><body>Please log in</body></html>"),
        "did not answer with a FHIR resource",
    ),
    "no answer in time": (60.0, "the EHR's server did not answer in time"),
    "half a Bundle": ((200, '{"resourceType": "Bundle", "entry": [{'), "laboratory results"),
    "an OperationOutcome": ((200, '{"resourceType": "OperationOutcome"}'), "laboratory results"),
    "a list": ((200, "[]"), "did not answer with a FHIR resource"),
}


@pytest.fixture(scope="module")
def reading(
    web: Any, start_lasting: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """With a budget that a busy machine keeps, and far below the silence of a server that stalls."""
    web.answers["*"] = (200, EMPTY)
    settings = {"servers": [f"{web.url}/fhir"], "allow_private_addresses": True, "budget_ms": 3_000}
    site = tmp_path_factory.mktemp("reading") / "site.yaml"
    site.write_text(yaml.safe_dump({"fhir": settings}), encoding="utf-8")
    with start_lasting("--config", str(site)) as running:
        yield running


@pytest.fixture
def send(reading: Any, chart: Any) -> Callable[..., Any]:
    """A call with patient and conditions; the rest is left to the FHIR server that it names."""

    def call(server: str, prefetch: Any = None) -> Any:
        prefetch = prefetch or {"patient": chart.patient(), "conditions": chart.bundle(chart.twitching())}
        token = {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "x",
            "subject": "y",
        }
        sent = chart.call(prefetch=prefetch, fhirServer=server, fhirAuthorization=token)
        return reading.http.post("/cds-services/twitching-patient-view", json=sent)

    return call


def test_034_060_what_was_not_prefetched_is_read(
    send: Callable[..., Any], sound: Callable[..., Json], told: Any, web: Any, chart: Any
) -> None:
    twitching, potassium = chart.bundle(chart.twitching()), chart.bundle(chart.potassium(2.8))
    web.answers["/fhir/Condition?patient=p-1"] = (200, json.dumps(twitching))
    web.answers[LABS] = (200, json.dumps(potassium))
    said = told(sound(send(f"{web.url}/fhir", {"patient": chart.patient()}))["cards"])
    assert "potassium 2.8 mmol/L" in said
    assert "the EHR's server" not in said


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_named_on_a_card_in_time(
    send: Callable[..., Any], sound: Callable[..., Json], told: Any, web: Any, reading: Any, name: str
) -> None:
    web.answers[LABS], says = FAILURES[name]
    started = time.monotonic()
    said = told(sound(send(f"{web.url}/fhir"))["cards"])
    assert time.monotonic() - started < 30, "it waited for the server"
    assert says in said
    assert "laboratory results: " in said
    assert "prescribed medicines: " not in said, "what could be read is no gap"
    assert TOKEN not in said + reading.written


@pytest.mark.parametrize(
    "server",
    [
        "http://ehr.example/fhir",
        "https://ehr.example/fhir",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:{port}/fhir",
        "http://127.0.0.1:{port}/fhir-of-somebody-else",
        "http://127.0.0.1:{port}/fhir/../admin",
        "http://127.0.0.1:{port}@evil.example/fhir",
        "http://2130706433:{port}/fhir",
        "http://[::ffff:127.0.0.1]:{port}/fhir",
        "file:///etc/passwd",
        "not a URL",
        "",
    ],
)
def test_a_server_that_was_not_allowed_is_not_asked(
    send: Callable[..., Any], sound: Callable[..., Json], told: Any, web: Any, chart: Any, server: str
) -> None:
    web.asked.clear()
    assert send(server.format(port=web.port), {"patient": chart.patient()}).status_code == 412
    said = told(sound(send(server.format(port=web.port)))["cards"])
    assert web.asked == []
    assert "laboratory results" in said


def test_a_server_on_plain_http_or_at_a_private_address_is_not_asked_in_production(
    start_lasting: Callable[..., Any], chart: Any, sound: Callable[..., Json], told: Any, web: Any
) -> None:
    web.asked.clear()
    prefetch = chart.prefetch(labs=...)
    with start_lasting(fhir_servers=f"{web.url}/fhir") as running:
        call = chart.call(prefetch=prefetch, fhirServer=f"{web.url}/fhir")
        answer = running.http.post("/cds-services/twitching-patient-view", json=call)
    assert "laboratory results: the EHR's server is not one this service may read" in told(
        sound(answer)["cards"]
    )
    assert web.asked == []
