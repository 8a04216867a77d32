"""Calls, assessments and a card kit made by hand, so that the protocol is tested without the clinical rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from typing import Any, get_args

import msgspec
import pytest

from cds_hooks.card_kit import CardKit
from cds_hooks.card_wording import CardKind, card_wording, override_reasons
from cds_hooks.request import HookContext
from cds_hooks.response import Coding, Source
from cds_hooks.service_request import order_templates
from mappings.assessment import Assessment, Evidence, Gate
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
Json = dict[str, Any]


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
        uuid=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
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


@pytest.fixture
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
