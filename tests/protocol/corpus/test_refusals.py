"""Calls that cannot be answered: each is refused with an OperationOutcome that names the field, never with a 5xx."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

Json = dict[str, Any]
Chart = Any
Refusal = Callable[[httpx2.Response], list[str]]
SERVICE = "/cds-services/twitching-"
PATH = f"{SERVICE}patient-view"
CANARY = "canary-4711"


def context(**fields: Any) -> Callable[[Chart], Json]:
    return lambda c: c.call(context=fields)


def fields(**fields: Any) -> Callable[[Chart], Json]:
    return lambda c: c.call(**fields)


FIELDS: dict[str, tuple[Callable[[Chart], Json], str]] = {
    "another service's hook": (fields(hook="order-sign"), "hook"),
    "a hook that nobody knows": (fields(hook=CANARY), "hook"),
    "no hook": (fields(hook=...), "hook"),
    "no hookInstance": (fields(hookInstance=...), "hookInstance"),
    "an empty hookInstance": (fields(hookInstance=""), "hookInstance"),
    "a hookInstance that is a number": (fields(hookInstance=1), "hookInstance"),
    "no context": (lambda c: {k: v for k, v in c.call().items() if k != "context"}, "context"),
    "no patient": (context(patientId=None), "context.patientId"),
    "an empty patient": (context(patientId=""), "context.patientId"),
    "a patient that is an object": (context(patientId={"id": CANARY}), "context.patientId"),
    "a patient that is a path": (context(patientId=f"../../{CANARY}"), "context.patientId"),
    "a patient that is a query": (context(patientId=f"p-1&_id={CANARY}"), "context.patientId"),
    "a patient with a line break": (context(patientId=f"p-1\r\nX: {CANARY}"), "context.patientId"),
    "an encounter that is a path": (context(encounterId="../Patient/x"), "context.encounterId"),
    "an encounter that is a number": (context(encounterId=1), "context.encounterId"),
    "a user that is a list": (context(userId=[CANARY]), "context.userId"),
    "a prefetch that is a list": (fields(prefetch=[CANARY]), "prefetch"),
    "a prefetch that is a string": (fields(prefetch=CANARY), "prefetch"),
    "a FHIR server that is a list": (fields(fhirServer=[CANARY]), "fhirServer"),
    "an authorization that is a string": (fields(fhirAuthorization=CANARY), "fhirAuthorization"),
    "a token that is an object": (
        fields(fhirAuthorization={"access_token": {"x": CANARY}}),
        "fhirAuthorization.access_token",
    ),
    "an extension that is a list": (fields(extension=[CANARY]), "extension"),
}
DRAFTS: dict[str, tuple[str, Json, str]] = {
    "no drafted orders": ("order-sign", {}, "context.draftOrders"),
    "drafted orders that are a list": ("order-sign", {"draftOrders": []}, "context.draftOrders"),
    "selections that are a string": (
        "order-select",
        {"draftOrders": {"resourceType": "Bundle"}, "selections": CANARY},
        "context.selections",
    ),
    "no conditions": ("problem-list-item-create", {"conditions": None}, "context.conditions"),
}
REQUIRED: dict[str, Callable[[Chart], Json]] = {
    "prefetch absent": fields(prefetch=...),
    "prefetch null": fields(prefetch=None),
    "prefetch empty": fields(prefetch={}),
    "conditions null": lambda c: c.call(prefetch=c.prefetch(conditions=None)),
    "conditions missing": lambda c: c.call(prefetch=c.prefetch(conditions=...)),
    "conditions an error": lambda c: c.call(
        prefetch=c.prefetch(conditions={"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]})
    ),
    "conditions a number": lambda c: c.call(prefetch=c.prefetch(conditions=1)),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_wrong_field_is_named(http: httpx2.Client, chart: Chart, refusal: Refusal, name: str) -> None:
    make, field = FIELDS[name]
    answer = http.post(PATH, json=make(chart))
    assert (answer.status_code, refusal(answer)) == (400, [field])
    assert CANARY not in answer.text


@pytest.mark.parametrize("name", DRAFTS)
def test_a_context_without_its_resources_is_named(
    http: httpx2.Client, chart: Chart, refusal: Refusal, name: str
) -> None:
    hook, more, field = DRAFTS[name]
    answer = http.post(f"{SERVICE}{hook}", json=chart.call(hook, more))
    assert (answer.status_code, refusal(answer)) == (400, [field])
    assert CANARY not in answer.text


@pytest.mark.parametrize("hook", ["patient-view", "encounter-start", "order-select", "order-sign"])
@pytest.mark.parametrize("name", REQUIRED)
def test_required_data_that_are_missing_are_named(
    http: httpx2.Client, chart: Chart, refusal: Refusal, name: str, hook: str
) -> None:
    context = {"encounterId": "e-1", "draftOrders": chart.bundle(type="collection"), "selections": []}
    call = REQUIRED[name](chart)
    call |= {"hook": hook, "context": context | call["context"]}
    answer = http.post(f"{SERVICE}{hook}", json=call)
    assert (answer.status_code, refusal(answer)) == (412, ["prefetch.conditions"])


def raw(before: str, after: str) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        assert before.encode() in body
        return body.replace(before.encode(), after.encode(), 1)

    return change


HOOK = '"hook": "patient-view"'
BODIES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "blanks": lambda _: b"  \n",
    "no JSON": lambda _: b"hook=patient-view",
    "half of it": lambda body: body[: len(body) // 2],
    "a list": lambda body: b"[" + body + b"]",
    "a string": lambda _: b'"patient-view"',
    "null": lambda _: b"null",
    "two documents": lambda body: body + body,
    "a comment": raw("{", "{ /* the call */"),
    "a comma too many": lambda body: body.rstrip()[:-1] + b",}",
    "NaN": raw(HOOK, f'{HOOK}, "x": NaN'),
    "Infinity": raw(HOOK, f'{HOOK}, "x": -Infinity'),
    "a number beyond all bounds": raw(HOOK, f'{HOOK}, "x": 1e999'),
    "half a surrogate": raw('"patientId": "p-1"', r'"patientId": "\ud800"'),
    "a byte order mark inside": lambda body: b" \xef\xbb\xbf" + body,
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "Latin-1": lambda body: body.replace(b'"p-1"', b'"p-\xe9"', 1),
    "a field given twice": raw(HOOK, f"{HOOK}, {HOOK}"),
    "a field given twice, once in escapes": raw(HOOK, f'{HOOK}, "h\\u006fok": "order-sign"'),
    "the patient given twice": raw('"patientId": "p-1"', '"patientId": "p-1", "patientId": "p-2"'),
    "a key of the prefetch given twice": raw('"prefetch": {', '"prefetch": {"labs": null, '),
    "nested without end": lambda _: b'{"hook":' * 100_000,
    "lists without end": lambda _: b'{"extension":' + b"[" * 100_000,
}


def test_a_byte_order_mark_is_passed_over(http: httpx2.Client, chart: Chart) -> None:
    """As some writers of .NET put it before what they send (RFC 8259 8.1: a reader may ignore it)."""
    answer = http.post(PATH, content=b"\xef\xbb\xbf" + json.dumps(chart.call()).encode())
    assert answer.status_code == 200, answer.text
    feedback = http.post(f"{PATH}/feedback", content=b'\xef\xbb\xbf{"feedback": []}')
    assert feedback.status_code == 200, feedback.text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(lambda _: b"", "The body is empty; it must be a JSON object.", id="nothing"),
        pytest.param(zlib.compress, "The body is compressed; send it as it is", id="deflate"),
        pytest.param(gzip.compress, "The body is compressed; send it as it is", id="gzip"),
        pytest.param(lambda body: body.decode().encode("utf-16"), "send UTF-8", id="UTF-16"),
    ],
)
def test_what_is_wrong_with_the_whole_body_is_said(
    http: httpx2.Client, chart: Chart, change: Callable[[bytes], bytes], says: str
) -> None:
    for path in (PATH, f"{PATH}/feedback"):
        (issue,) = http.post(path, content=change(json.dumps(chart.call()).encode())).json()["issue"]
        assert says in issue["diagnostics"]


@pytest.mark.parametrize(
    "number",
    [pytest.param("1e400", id="a fraction"), pytest.param("9" * 5_000, id="an integer of 5000 digits")],
)
def test_a_number_beyond_all_bounds_is_named_as_such(http: httpx2.Client, chart: Chart, number: str) -> None:
    body = raw(HOOK, f'{HOOK}, "x": {number}')(json.dumps(chart.call()).encode())
    (issue,) = http.post(PATH, content=body).json()["issue"]
    assert issue["diagnostics"] == "A member of the body is a number that is too large."


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_good_json_is_refused(
    http: httpx2.Client, chart: Chart, refusal: Refusal, name: str
) -> None:
    body = BODIES[name](json.dumps(chart.call()).encode())
    answer = http.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    refusal(answer)
