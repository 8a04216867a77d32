"""Reading what was not prefetched, from a real server on loopback that behaves well, badly or maliciously."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import date
from typing import Any

import pytest

from cds_hooks.calls import evaluate
from cds_hooks.errors import Refused
from cds_hooks.fhir_access.client import Access, FhirClient
from cds_hooks.fhir_access.complete import complete, filled_in, missing_queries
from cds_hooks.fhir_access.settings import FhirSettings
from cds_hooks.request import read_request
from cds_hooks.services import SERVICE_BY_HOOK
from mappings.knowledge import load_knowledge

PATIENT_VIEW = SERVICE_BY_HOOK["patient-view"]
EMPTY = {"resourceType": "Bundle", "type": "searchset"}


def call(prefetch: dict[str, Any] | None = None, encounter: str = "") -> bytes:
    context = {"userId": "Practitioner/1", "patientId": "p"} | (
        {"encounterId": encounter} if encounter else {}
    )
    return json.dumps(
        {"hook": "patient-view", "hookInstance": "i", "context": context, "prefetch": prefetch or {}}
    ).encode()


def completed(ehr: str, body: bytes, *, server: str = "", budget_ms: int = 10_000) -> Any:
    async def run() -> Any:
        settings = FhirSettings(servers=(ehr,), allow_private_addresses=True, budget_ms=budget_ms)
        client = FhirClient(settings)
        named = json.loads(body) | {
            "fhirServer": server or ehr,
            "fhirAuthorization": {"access_token": "secret"},
        }
        try:
            return await complete(client, PATIENT_VIEW, json.dumps(named).encode())
        finally:
            await client.close()

    return asyncio.run(run())


def failures(completion: Any) -> dict[str, str]:
    return {gap.resource: gap.text for gap in completion.gaps}


def test_only_what_was_not_sent_is_read(seen: list[tuple[str, str]], ehr: str) -> None:
    completed(ehr, call({"conditions": EMPTY, "labs": None, "orders": {"resourceType": "OperationOutcome"}}))
    asked = {path.removeprefix("/fhir/") for path, _ in seen}
    assert "Condition?patient=p" not in asked
    assert {"Observation?patient=p&category=laboratory", "ServiceRequest?patient=p", "Patient/p"} <= asked


def test_a_template_whose_token_is_unknown_is_not_asked(seen: list[tuple[str, str]], ehr: str) -> None:
    completed(ehr, call())
    assert not any("Encounter" in path for path, _ in seen)
    completed(ehr, call(encounter="e1"))
    assert ("/fhir/Encounter/e1", "Bearer secret") in seen


def test_061_the_token_is_on_every_request(seen: list[tuple[str, str]], ehr: str) -> None:
    completed(ehr, call())
    assert {token for _, token in seen} == {"Bearer secret"}


def test_all_pages_are_read(answers: dict[str, Any], ehr: str) -> None:
    first = EMPTY | {"link": [{"relation": "next", "url": f"{ehr}/Observation?page=2"}]}
    answers.update({"/fhir/Observation?patient=p&category=laboratory": (200, {}, json.dumps(first))})
    completion = completed(ehr, call())
    assert [source.key for source in completion.sources].count("labs") == 2
    assert "labs" not in failures(completion)
    assert completion.whole == {"labs"}


def test_the_further_pages_of_what_was_sent_are_read(
    answers: dict[str, Any], seen: list[tuple[str, str]], ehr: str
) -> None:
    first = EMPTY | {"link": [{"relation": "next", "url": f"{ehr}/Observation?page=2"}]}
    completion = completed(ehr, call({"labs": first, "mine": first, "orders": [first, first]}))
    assert completion.whole == {"labs"}
    assert "labs" not in completion.obtained, "the page that was sent counts as well"
    assert [source.key for source in completion.sources].count("labs") == 1
    assert [path for path, _ in seen].count("/fhir/Observation?page=2") == 1
    answers.update({"/fhir/Observation?page=2": (403, {}, "")})
    completion = completed(ehr, call({"labs": first}))
    assert [(gap.resource, gap.reason) for gap in completion.gaps] == [("labs", "incomplete")]
    assert completion.whole == set()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/fhir/Observation", "http://evil.example/fhir/x", "../other"]
)
@pytest.mark.parametrize("sent", [False, True])
def test_a_further_page_elsewhere_is_not_followed(
    answers: dict[str, Any], seen: list[tuple[str, str]], ehr: str, url: str, sent: bool
) -> None:
    first = EMPTY | {"link": [{"relation": "next", "url": url}]}
    answers.update({"/fhir/Observation?patient=p&category=laboratory": (200, {}, json.dumps(first))})
    completion = completed(ehr, call({"labs": first} if sent else None))
    says = "laboratory results: only a part was read, a further page is on another server"
    assert failures(completion)["labs"] == says
    assert not any("other" in path for path, _ in seen)


def test_endless_pages_end(answers: dict[str, Any], ehr: str) -> None:
    first = EMPTY | {
        "link": [{"relation": "next", "url": f"{ehr}/Observation?patient=p&category=laboratory"}]
    }
    answers.update({"/fhir/Observation?patient=p&category=laboratory": (200, {}, json.dumps(first))})
    assert "more than 10 pages" in failures(completed(ehr, call()))["labs"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((401, {}, ""), "refused the token (401)"),
        ((403, {}, ""), "does not allow it (403)"),
        ((404, {}, ""), "does not know it (404)"),
        ((429, {}, ""), "slow down (429)"),
        ((500, {}, ""), "error (500)"),
        ((302, {"Location": "http://127.0.0.1:1/"}, ""), "redirected elsewhere"),
        ((200, {"Content-Type": "text/html"}, "<html>login</html>"), "did not answer with a FHIR resource"),
        ((200, {"Content-Encoding": "gzip"}, "no gzip"), "could not be reached"),
    ],
)
def test_each_failure_is_a_gap_in_words(answers: dict[str, Any], ehr: str, answer: Any, says: str) -> None:
    answers.update({"/fhir/Condition?patient=p": answer})
    completion = completed(ehr, call())
    assert says in failures(completion)["conditions"]
    assert "conditions" not in completion.obtained
    assert "labs" in completion.obtained


def test_a_refusal_says_why_the_problem_list_could_not_be_read(answers: dict[str, Any], ehr: str) -> None:
    answers["*"] = (401, {}, "")
    completion = completed(ehr, call())
    with pytest.raises(Refused) as refused:
        evaluate(PATIENT_VIEW, call(), load_knowledge(), date(2026, 3, 1), completion)
    (issue,) = refused.value.issues
    assert refused.value.status == 412
    assert issue.diagnostics.endswith("(the problem list: the EHR's server refused the token (401).)")


def test_the_budget_ends_all_waiting_and_keeps_what_arrived(answers: dict[str, Any], ehr: str) -> None:
    answers.update({"/fhir/Condition?patient=p": 60.0})
    started = time.monotonic()
    completion = completed(ehr, call(), budget_ms=1500)  # in which a busy machine reads the others
    assert time.monotonic() - started < 30
    assert "did not answer in time" in failures(completion)["conditions"]
    assert "labs" in completion.obtained


@pytest.mark.parametrize(
    "server", ["http://127.0.0.1:1/fhir", "https://ehr.example/fhir", "file:///etc/passwd", "x"]
)
def test_a_server_that_is_not_on_the_list_is_not_asked(
    seen: list[tuple[str, str]], ehr: str, server: str
) -> None:
    completion = completed(ehr, call(), server=server)
    assert seen == []
    assert "not one this service may read" in failures(completion)["conditions"]


def test_a_private_address_is_refused_unless_allowed() -> None:
    async def run() -> Any:
        client = FhirClient(FhirSettings(servers=("https://localhost:9/fhir",)))
        deadline = time.monotonic() + 30
        try:
            return await client.fetch(Access("https://localhost:9/fhir"), {"k": "Patient/1"}, deadline)
        finally:
            await client.close()

    assert asyncio.run(run())["k"].failure == "the EHR's server could not be reached"


@pytest.mark.parametrize("reference", ["{ehr}/Medication/7", "Medication/7", "Medication/7/_history/2"])
def test_a_medicine_named_only_by_reference_is_read_too(
    answers: dict[str, Any], ehr: str, reference: str
) -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationReference": {"reference": reference.format(ehr=ehr)},
    }
    answers.update({"/fhir/Medication/7": (200, {}, json.dumps({"resourceType": "Medication", "id": "7"}))})
    completion = completed(ehr, call({"medications": EMPTY | {"entry": [{"resource": order}]}}))
    assert reference.format(ehr=ehr) in [source.key for source in completion.sources]


def test_queries_and_templates() -> None:
    request = read_request(call({"patient": {"resourceType": "Patient", "id": "p"}}), PATIENT_VIEW)
    queries = missing_queries(PATIENT_VIEW, request)
    assert "patient" not in queries
    assert queries["conditions"] == "Condition?patient=p"
    assert filled_in("Encounter/{{context.encounterId}}", {"encounterId": ""}) == ""
