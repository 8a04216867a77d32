"""Feedback as clients really send it, to the running service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

Json = dict[str, Any]
PATH = "/cds-services/twitching-patient-view/feedback"
TIME = "2026-11-22T10:00:00Z"
REASON = {
    "code": "wrong-time-workflow",
    "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
}


def overridden(**parts: Any) -> Json:
    return {"card": str(uuid4()), "outcome": "overridden", "outcomeTimestamp": TIME} | parts


def accepted(**parts: Any) -> Json:
    suggestions = {"acceptedSuggestions": [{"id": str(uuid4())}]}
    return overridden(outcome="accepted") | suggestions | parts


SAME = overridden()
TAKEN: dict[str, list[Json]] = {
    "as the specification says, accepted": [accepted()],
    "as the specification says, overridden": [
        overridden(overrideReason={"reason": REASON | {"display": "Remind me later"}, "userComment": "later"})
    ],
    "as Epic sends it: overrideReasons, an object": [overridden(overrideReasons={"reason": REASON})],
    "as Epic sends it: the reason of a site in an extension": [
        overridden(
            overrideReasons={
                "extension": {"com.epic.cdshooks.feedback.overrideReason.reasonCategory": "7"},
                "userComment": "x",
            }
        )
    ],
    "overrideReasons, an array": [overridden(overrideReasons=[{"reason": REASON}])],
    "as the sandbox sends it: a reason without display": [overridden(overrideReason={"reason": REASON})],
    "no reason": [overridden()],
    "a reason that is null": [overridden(overrideReason=None)],
    "the same card twice": [SAME, SAME],
    "a card that was never sent": [overridden(card="00000000-0000-4000-8000-000000000000")],
    "a card whose id is no UUID": [overridden(card="card-1")],
    "a year late": [overridden(outcomeTimestamp="2025-11-22T10:00:00.123+01:00")],
    "a batch of several cards": [accepted(), overridden(), accepted(), overridden()],
    "unknown fields": [overridden(x=None, extension={"y": []})],
    "an empty batch": [],
}
REFUSED: dict[str, tuple[Any, str]] = {
    "no array": ({}, "feedback"),
    "an object instead of the array": ({"feedback": {}}, "feedback"),
    "an item that is null": ({"feedback": [None]}, "feedback[0]"),
    "no card": ({"feedback": [{"outcome": "overridden", "outcomeTimestamp": TIME}]}, "feedback[0].card"),
    "an outcome that is none": ({"feedback": [overridden(outcome="ignored")]}, "feedback[0].outcome"),
    "no time": ({"feedback": [{"card": "x", "outcome": "overridden"}]}, "feedback[0].outcomeTimestamp"),
    "a time without zone": (
        {"feedback": [overridden(outcomeTimestamp="2026-11-22T10:00:00")]},
        "feedback[0].outcomeTimestamp",
    ),
    "accepted, but nothing": (
        {"feedback": [overridden(outcome="accepted")]},
        "feedback[0].acceptedSuggestions",
    ),
    "a mistake in the second item": ({"feedback": [overridden(), overridden(card=1)]}, "feedback[1].card"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_it_is_taken(http: httpx2.Client, name: str) -> None:
    for _ in range(2):  # clients repeat what they are not sure of
        answer = http.post(PATH, json={"feedback": TAKEN[name]})
        assert (answer.status_code, answer.json()) == (200, {}), answer.text


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_by_the_name_of_the_field(
    http: httpx2.Client, refusal: Callable[[httpx2.Response], list[str]], name: str
) -> None:
    body, field = REFUSED[name]
    answer = http.post(PATH, json=body)
    assert (answer.status_code, refusal(answer)) == (400, [field])
