"""Good calls of every service, made from the examples: what hostile ones are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cds_hooks.advice_id import new_id

ROOT = Path(__file__).parent.parent.parent


class Call(NamedTuple):
    """Where a body goes, and the body, decoded."""

    path: str
    body: Any


def good_calls() -> list[Call]:
    """Every example as a call of every service, and a feedback call."""
    found = [feedback()]
    for file in sorted((ROOT / "examples").glob("*/request.json")):
        found += _of_every_service(json.loads(file.read_bytes()))
    return found


def feedback() -> Call:
    """An accepted and an overridden card."""
    at = "2026-11-22T09:30:00Z"
    accepted = {
        "card": new_id("topic:twitching-tests"),
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": new_id("test:magnesium")}, {"id": new_id("test:ecg")}],
        "outcomeTimestamp": at,
    }
    reason = {
        "code": "contraindicated",
        "system": "https://ehr.example.org/reasons",
        "display": "Contraindicated",
    }
    overridden = {
        "card": new_id("topic:twitching-contributors"),
        "outcome": "overridden",
        "overrideReason": {"reason": reason, "userComment": "known since spring"},
        "outcomeTimestamp": at,
    }
    return Call("/cds-services/twitching-patient-view/feedback", {"feedback": [accepted, overridden]})


def _of_every_service(call: dict[str, Any]) -> Iterator[Call]:
    """A patient-view call as it is, and with the context of the other hooks; one also asks for the explanation."""
    context = call["context"]
    orders = {"resourceType": "Bundle", "entry": _entries(call, "medications")[:3]}
    contexts = {
        "patient-view": context,
        "encounter-start": context | {"encounterId": "e-1"},
        "problem-list-item-create": context
        | {"conditions": {"resourceType": "Bundle", "entry": _entries(call, "conditions")[:2]}},
        "order-select": context
        | {
            "draftOrders": orders,
            "selections": [f"MedicationRequest/{e['resource']['id']}" for e in orders["entry"]],
        },
        "order-sign": context | {"draftOrders": orders},
    }
    for hook, its_context in contexts.items():
        yield Call(f"/cds-services/twitching-{hook}", call | {"hook": hook, "context": its_context})
    yield Call("/cds-services/twitching-patient-view/explain", call)


def _entries(call: dict[str, Any], key: str) -> list[Any]:
    return list((call["prefetch"].get(key) or {}).get("entry", []))
