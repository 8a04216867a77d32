"""Our service reads a FHIR server that nobody here wrote, instead of a prefetch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Json = dict[str, Any]
AskSite = Callable[[Any, Json], list[Json]]
Without = Callable[..., Json]
Told = Callable[[list[Json]], str]
TOKEN = "token-of-the-ehr"  # noqa: S105 - of a server that this test starts


@pytest.fixture(scope="module")
def p1(open_server: Any, new_chart: Callable[[str], Any]) -> Any:
    """A patient with a low potassium among many older results, a medicine by reference, and a red flag."""
    chart = new_chart("p-1")
    hydrochlorothiazide = {
        "resourceType": "Medication",
        "id": "hctz",
        "code": {"text": "hydrochlorothiazide 25 mg oral tablet"},
    }
    reference = {"reference": "Medication/hctz"}
    open_server.keep(
        chart.patient(),
        chart.twitching(),
        *(chart.magnesium(id=f"old-{n}", effectiveDateTime=f"2019-01-{n:02}") for n in range(1, 26)),
        chart.potassium(2.8),
        chart.sign("muscle wasting"),
        hydrochlorothiazide,
        chart.medicine(medicationCodeableConcept=..., medicationReference=reference, dosageInstruction=...),
    )
    return chart


@pytest.fixture(scope="module")
def reading(open_server: Any, site: Callable[..., Any]) -> Iterator[Any]:
    with site(open_server) as running:
        yield running


@pytest.fixture(scope="module")
def reading_secured(
    secured_server: Any, site: Callable[..., Any], new_chart: Callable[[str], Any]
) -> Iterator[Any]:
    chart = new_chart("p-2")
    secured_server.keep(
        chart.patient(), chart.twitching(), chart.potassium(2.8), chart.medicine("omeprazole 20 mg")
    )
    with site(secured_server) as running:
        yield running


def test_034_060_without_any_prefetch_everything_is_read(
    reading: Any, open_server: Any, p1: Any, without_prefetch: Without, ask_site: AskSite, told: Told
) -> None:
    cards = ask_site(reading, without_prefetch(p1, open_server))
    said = told(cards)
    assert "potassium 2.8 mmol/L" in said
    assert "hydrochlorothiazide 25 mg oral tablet" in said
    assert "muscle wasting" in said
    assert "the EHR's server" not in said
    assert [card["source"]["topic"]["code"] for card in cards] == [
        "twitching-red-flags",
        "twitching-contributors",
        "twitching-tests",
    ]


def test_the_answer_is_that_of_a_prefetch_of_the_same_record(
    reading: Any, open_server: Any, p1: Any, without_prefetch: Without, ask_site: AskSite
) -> None:
    fetched = ask_site(reading, without_prefetch(p1, open_server))
    templates = reading.http.get("/cds-services").json()["services"][0]["prefetch"]
    sent = {}
    for key, template in templates.items():
        query = template.replace("{{context.patientId}}", "p-1")
        if key != "encounter":
            sent[key] = open_server.http.get(f"/{query}{'&_count=100' if '?' in query else ''}").json()
    assert len(sent["labs"]["entry"]) == 26
    medication = open_server.http.get("/Medication/hctz").json()
    prefetched = ask_site(reading, p1.call(prefetch=sent | {"medication": medication}))
    assert [card["summary"] for card in fetched] == [card["summary"] for card in prefetched]
    assert [card["detail"] for card in fetched] == [card["detail"] for card in prefetched]


def test_every_page_is_read(
    reading: Any, open_server: Any, p1: Any, without_prefetch: Without, ask_site: AskSite, told: Told
) -> None:
    first = open_server.http.get("/Observation?patient=p-1&category=laboratory").json()
    assert "next" in {link["relation"] for link in first["link"]}
    said = told(ask_site(reading, without_prefetch(p1, open_server)))
    assert "potassium 2.8 mmol/L" in said
    assert "only a part" not in said


def test_a_first_page_sent_as_prefetch_is_completed_or_said_to_be_a_part(
    reading: Any, open_server: Any, p1: Any, without_prefetch: Without, ask_site: AskSite, told: Told
) -> None:
    first = open_server.http.get("/Observation?patient=p-1&category=laboratory").json()
    prefetch = p1.prefetch(labs=first)
    said = told(ask_site(reading, p1.call(prefetch=prefetch)))
    assert "laboratory results: only a part of Observation was sent" in said
    said = told(ask_site(reading, without_prefetch(p1, open_server, prefetch=prefetch)))
    assert "potassium 2.8 mmol/L" in said
    assert "only a part" not in said


def test_a_medicine_that_was_prefetched_by_reference_only_is_read(
    reading: Any, open_server: Any, p1: Any, without_prefetch: Without, ask_site: AskSite, told: Told
) -> None:
    orders = open_server.http.get("/MedicationRequest?patient=p-1").json()
    prefetch = p1.prefetch(medications=orders, labs=p1.bundle(p1.potassium(2.8)))
    with_server = ask_site(reading, without_prefetch(p1, open_server, prefetch=prefetch))
    assert "hydrochlorothiazide" in told(with_server)
    alone = told(ask_site(reading, p1.call(prefetch=prefetch)))
    assert "hydrochlorothiazide" not in alone
    assert "a medicine is ordered or recorded that the record does not name" in alone


def test_only_what_was_not_sent_is_asked_for(
    reading: Any, open_server: Any, new_chart: Any, without_prefetch: Without, ask_site: AskSite
) -> None:
    chart = new_chart("p-unknown-to-the-server")
    prefetch = chart.prefetch(labs=chart.bundle(chart.potassium(2.8)), answers=...)
    assert ask_site(reading, without_prefetch(chart, open_server, prefetch=prefetch))
    asked = [line for line in open_server.log.read_text("utf-8").splitlines() if chart.id in line]
    assert ["QuestionnaireResponse" in line for line in asked] == [True]


@pytest.mark.parametrize(
    "hook", ["order-select", "order-sign", "problem-list-item-create", "encounter-start"]
)
def test_every_hook_reads_the_record(
    reading: Any,
    open_server: Any,
    p1: Any,
    without_prefetch: Without,
    ask_site: AskSite,
    told: Told,
    hook: str,
) -> None:
    drafts = p1.bundle(p1.draft("furosemide 40 mg oral tablet"), type="collection")
    context = {"draftOrders": drafts, "conditions": p1.bundle(p1.twitching()), "encounterId": "none"}
    said = told(ask_site(reading, without_prefetch(p1, open_server, hook=hook, context=context)))
    assert "potassium 2.8 mmol/L" in said
    assert ("furosemide" in said) == hook.startswith("order")
    assert "the reason for the encounter: the EHR's server does not know it (404)" in said


def test_061_with_the_token_of_the_call_a_secured_server_is_read(
    reading_secured: Any,
    secured_server: Any,
    new_chart: Any,
    without_prefetch: Without,
    ask_site: AskSite,
    told: Told,
) -> None:
    said = told(ask_site(reading_secured, without_prefetch(new_chart("p-2"), secured_server, token=TOKEN)))
    assert "potassium 2.8 mmol/L" in said
    assert "omeprazole 20 mg" in said
    assert TOKEN not in said + reading_secured.written


@pytest.mark.parametrize("token", ["", "a-token-of-somebody-else"], ids=["no token", "a wrong token"])
def test_without_the_right_token_required_data_are_missing(
    reading_secured: Any,
    secured_server: Any,
    new_chart: Any,
    without_prefetch: Without,
    refusal: Callable[[Any], list[str]],
    token: str,
) -> None:
    call = without_prefetch(new_chart("p-2"), secured_server, token=token)
    answer = reading_secured.http.post("/cds-services/twitching-patient-view", json=call)
    assert answer.status_code == 412
    assert refusal(answer) == ["prefetch.conditions"]
    assert "somebody-else" not in answer.text + reading_secured.written


@pytest.mark.parametrize("token", ["", "a-token-of-somebody-else"], ids=["no token", "a wrong token"])
def test_without_the_right_token_the_rest_is_named_on_a_card(
    reading_secured: Any,
    secured_server: Any,
    new_chart: Any,
    without_prefetch: Without,
    ask_site: AskSite,
    told: Told,
    token: str,
) -> None:
    chart = new_chart("p-2")
    prefetch = {"patient": chart.patient(), "conditions": chart.bundle(chart.twitching())}
    said = told(
        ask_site(reading_secured, without_prefetch(chart, secured_server, token=token, prefetch=prefetch))
    )
    assert "laboratory results: the EHR's server refused the token (401)" in said
    assert "prescribed medicines: the EHR's server refused the token (401)" in said
