"""Calls, assessments and a card kit made by hand, so that the protocol is tested without the clinical rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from typing import Any, get_args

import msgspec
import pytest
from starlette.testclient import TestClient

from cds_hooks.app import create_app
from cds_hooks.card_kit import CardKit
from cds_hooks.card_wording import CardKind, card_wording, override_reasons
from cds_hooks.cards import build_cards
from cds_hooks.monitoring import daily_counts
from cds_hooks.request import HookContext
from cds_hooks.response import Card, Coding, Source
from cds_hooks.service_request import order_templates
from cds_hooks.settings import Settings
from mappings.assessment import Assessment, Contributor, Evidence, Gate, RedFlag
from mappings.assessment import TestAdvice as Advice  # under a name that pytest does not collect
from mappings.knowledge import load_knowledge
from mappings.rules import OrderRule

REVIEW = {
    "version": 1,
    "date": "2026-11-22",
    "due": "2027-11-22",
    "status": "not yet reviewed by a clinician",
}
LOINC = "http://loinc.org"
ORDERS = {
    "magnesium": ("Serum magnesium", [("Magnesium, serum or plasma", "19123-9")]),
    "calcium_albumin": ("Calcium and albumin", [("Calcium, serum", "17861-6"), ("Albumin, serum", "1751-7")]),
    "ecg": ("ECG", [("Electrocardiogram, 12 leads", "")]),
}
BUNDLE = {"resourceType": "Bundle", "type": "searchset"}
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
Json = dict[str, Any]


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """On a busy machine the last counts of a service that ends need longer than a supervisor would wait for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(daily_counts, "CLOSE_SECONDS", 60.0)
        yield


@pytest.fixture
def call() -> Callable[..., bytes]:
    """The body of a valid patient-view call, with the given fields replaced (or removed: `...`)."""

    def make(**fields: Any) -> bytes:
        body: Json = {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/example", "patientId": "p-1", "encounterId": "e-1"},
            "prefetch": {"conditions": {"resourceType": "Bundle", "type": "searchset"}},
        }
        return json.dumps(
            {name: value for name, value in (body | fields).items() if value is not ...}
        ).encode()

    return make


@pytest.fixture(scope="session")
def orders() -> dict[str, OrderRule]:
    """Three order rules: one request, two requests, one without a code."""
    rules = {}
    for test, (title, requests) in ORDERS.items():
        rule = {
            "id": test,
            "title": title,
            "review": REVIEW,
            "references": ["C17"],
            "requests": [
                {"text": text} | ({"system": LOINC, "code": code, "display": text} if code else {})
                for text, code in requests
            ],
        }
        rules[test] = msgspec.convert(rule, OrderRule)
    return rules


@pytest.fixture
def kit(orders: dict[str, OrderRule]) -> CardKit:
    """A kit with the real sentences, few orders and countable identifiers."""
    wording = card_wording()
    numbers = count(1)
    return CardKit(
        wording=wording,
        sources={
            kind: Source(wording.source_label, Coding(wording.topics[kind].code, wording.topic_system))
            for kind in get_args(CardKind)
        },
        override_reasons=override_reasons(),
        orders=order_templates(orders),
        references={"C17": "SfE 2022", "C01": "NICE NG127 2019"},
        titles={"thiazide": "Thiazide", "hypocalcaemia": "Low calcium"},
        status="not yet reviewed by a clinician",
        new_id=lambda _: f"00000000-0000-4000-8000-{next(numbers):012d}",
    )


@pytest.fixture
def context() -> HookContext:
    """Who the cards are about and for."""
    return HookContext("p-1", "Practitioner/doc-1", "e-1")


@pytest.fixture
def assessment() -> Callable[..., Assessment]:
    """An assessment of documented twitching, with the given parts."""

    def make(**parts: Any) -> Assessment:
        gate = Gate(True, (Evidence("Fasciculation", "Fasciculation since 2026-01-25", "Condition/tw-1"),))
        return Assessment(
            **({"assessed_at": date(2026, 3, 1), "knowledge_version": "1+abc", "gate": gate} | parts)
        )

    return make


@pytest.fixture(scope="session")
def low_potassium() -> Evidence:
    """A result with everything a reader needs."""
    return Evidence(
        label="potassium",
        text="potassium 2.8 mmol/L (2026-02-25); lower limit 3.5, laboratory's own",
        resource="Observation/k-1",
        value="2.8",
        unit="mmol/L",
        date=date(2026, 2, 25),
        limit="3.5 mmol/L",
        limit_source="lab",
    )


@pytest.fixture
def empties() -> Callable[[Any], list[str]]:
    """The paths of everything that the protocol wants left out instead: null, "", [] and {}."""

    def find(value: Any, path: str = "$") -> Iterator[str]:
        if value is None or value in ("", [], {}):
            yield path
        elif isinstance(value, dict):
            for name, member in value.items():
                yield from find(member, f"{path}.{name}")
        elif isinstance(value, list):
            for index, element in enumerate(value):
                yield from find(element, f"{path}[{index}]")

    return lambda value: list(find(value))


@pytest.fixture(scope="session")
def contributor(low_potassium: Evidence) -> Callable[..., Any]:
    """A low potassium explained by a thiazide, with the given parts replaced."""

    def make(evidence: Evidence = low_potassium, **parts: Any) -> Contributor:
        whole = {
            "id": "hypokalaemia",
            "title": "Low potassium",
            "tier": "C1",
            "strength": "plausible",
            "evidence": (evidence,),
            "explained_by": ("thiazide",),
            "references": ("C17",),
            "says": "Check magnesium: low magnesium makes low potassium refractory.",
            "indicator": "warning",
        }
        return Contributor(**(whole | parts))

    return make


@pytest.fixture(scope="session")
def red_flag() -> Callable[..., Any]:
    """A swallowing impairment, with the given parts replaced."""

    def make(**parts: Any) -> RedFlag:
        whole = {
            "id": "dysphagia",
            "title": "Swallowing impairment",
            "urgency": "urgent",
            "evidence": (Evidence("Dysphagia", "Dysphagia (2026-02-20)", "Observation/d-1"),),
            "says": "Name motor neuron disease in the letter.",
            "references": ("C01",),
            "indicator": "warning",
        }
        return RedFlag(**(whole | parts))

    return make


@pytest.fixture(scope="session")
def advice() -> Callable[..., Any]:
    """A suggested test, magnesium unless stated."""

    def make(test: str = "magnesium", title: str = "Serum magnesium", **parts: Any) -> Advice:
        return Advice(
            **({"id": test, "title": title, "status": "suggested", "reason": "not measured"} | parts)
        )

    return make


@pytest.fixture(scope="session")
def bundle() -> Callable[..., Any]:
    """A searchset of these resources."""

    def make(*resources: Json) -> Json:
        return BUNDLE | {"entry": [{"resource": resource} for resource in resources]}

    return make


@pytest.fixture(scope="session")
def condition() -> Callable[..., Any]:
    """Documented, active twitching, with the given elements replaced."""

    def make(**parts: Any) -> Json:
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

    return make


@pytest.fixture(scope="session")
def patient() -> Callable[..., Any]:
    """An adult, unless the birth date says otherwise."""

    def make(birth_date: str = "1960-05-05") -> Json:
        return {"resourceType": "Patient", "id": "p-1", "birthDate": birth_date, "gender": "female"}

    return make


@pytest.fixture(scope="session")
def potassium() -> Callable[..., Any]:
    """A potassium of February 2026."""

    def make(value: float) -> Json:
        return {
            "resourceType": "Observation",
            "id": "k-1",
            "status": "final",
            "category": [{"coding": [{"system": CATEGORIES, "code": "laboratory"}]}],
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

    return make


@pytest.fixture
def cards(kit: CardKit, context: HookContext) -> Callable[[Assessment], tuple[Card, ...]]:
    """The cards of an assessment."""
    return lambda assessment: build_cards(assessment, context, kit)


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The service with its real rules, on 1 March 2026."""
    url = f"sqlite:///{tmp_path_factory.mktemp('client')}/feedback.sqlite3"
    settings = Settings(base_url="https://cds.example", max_body_bytes=1_000_000, database_url=url)
    app = create_app(settings, knowledge=load_knowledge(), today=lambda: date(2026, 3, 1))
    with TestClient(app) as running:
        yield running
