"""What a call must be, and what is forgiven."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.errors import Refused
from cds_hooks.request import read_request, service_of
from cds_hooks.services import SERVICE_BY_ID

Call = Callable[..., bytes]
SERVICE = SERVICE_BY_ID["twitching-patient-view"]
CONTEXT = {"userId": "Practitioner/example", "patientId": "p-1"}
CANARY = "canary-7f3a"


def refusal(body: bytes) -> tuple[int, list[str], str]:
    """Status, the fields named, and the whole text of the refusal."""
    with pytest.raises(Refused) as caught:
        read_request(body, SERVICE)
    outcome = json.loads(caught.value.body())
    assert outcome["resourceType"] == "OperationOutcome"
    assert all(issue["severity"] == "error" and issue["diagnostics"] for issue in outcome["issue"])
    fields = [field for issue in outcome["issue"] for field in issue.get("expression", [])]
    return caught.value.status, fields, caught.value.body().decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hook", ...),
        ("hook", None),
        ("hook", ""),
        ("hook", 5),
        ("hook", [CANARY]),
        ("hook", CANARY),
        ("hookInstance", ...),
        ("hookInstance", None),
        ("hookInstance", ""),
        ("hookInstance", 12345),
        ("hookInstance", {"value": CANARY}),
        ("context", ...),
        ("context", None),
        ("context", CANARY),
        ("context", [CONTEXT]),
        ("prefetch", [CANARY]),
        ("prefetch", CANARY),
        ("prefetch", 1),
        ("fhirServer", 1),
        ("fhirServer", {"url": CANARY}),
        ("fhirAuthorization", CANARY),
        ("fhirAuthorization", []),
        ("extension", [CANARY]),
        ("extension", CANARY),
    ],
)
def test_a_wrong_field_is_named_and_not_repeated(call: Call, field: str, value: Any) -> None:
    status, fields, text = refusal(call(**{field: value}))
    assert (status, fields) == (400, [field])
    assert CANARY not in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("patientId", ...),
        ("patientId", None),
        ("patientId", ""),
        ("patientId", "Patient/"),
        ("patientId", 17),
        ("patientId", [CANARY]),
        ("patientId", f"{CANARY} with blanks"),
        ("patientId", f"../{CANARY}"),
        ("patientId", "a" * 129),
        ("userId", 17),
        ("userId", {"reference": CANARY}),
        ("encounterId", 17),
        ("encounterId", [CANARY]),
        ("encounterId", f"{CANARY}?x=1"),
    ],
)
def test_a_wrong_context_field_is_named_and_not_repeated(call: Call, field: str, value: Any) -> None:
    context = {name: given for name, given in (CONTEXT | {field: value}).items() if given is not ...}
    status, fields, text = refusal(call(context=context))
    assert (status, fields) == (400, [f"context.{field}"])
    assert CANARY not in text


def test_every_field_at_fault_is_named_at_once() -> None:
    assert refusal(b'{"prefetch": 1}')[1] == ["hook", "hookInstance", "context", "prefetch"]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"hook"', '"hook": "patient-view", "hook"', ["hook"]),
        ('"hookInstance"', '"hookInstance": "a", "hookInstance"', ["hookInstance"]),
        ('"context"', '"context": {}, "context"', ["context"]),
        ('"prefetch"', '"prefetch": null, "prefetch"', ["prefetch"]),
        ('"prefetch"', '"pref\\u0065tch": {}, "prefetch"', ["prefetch"]),
        ('"patientId"', '"patientId": "p-2", "patientId"', ["context.patientId"]),
        ('"conditions"', '"conditions": null, "conditions"', ["prefetch.conditions"]),
        ('"conditions"', f'"{CANARY}": 1, "{CANARY}": 2, "conditions"', ["prefetch"]),
    ],
)
def test_a_field_that_appears_twice_is_refused(call: Call, old: str, new: str, field: list[str]) -> None:
    status, fields, text = refusal(call().replace(old.encode(), new.encode(), 1))
    assert (status, fields) == (400, field)
    assert CANARY not in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"null",
        b"[]",
        b'"text"',
        b"42",
        b"{",
        b"{'hook': 1}",
        b'{"hook": "patient-view",}',
        b'{"hook": NaN}',
        b'{"prefetch": {"labs": Infinity}}',
        b'{"prefetch": {"labs": [1, -Infinity]}}',
        b'\xef\xbb\xbf{"hook": "patient-view"}',
        '{"hook": "patient-view"}'.encode("utf-16"),
        b'{"prefetch": {"labs": "\\ud800"}}',
        b'{"prefetch": {"labs": "\\udc00\\ud800"}}',
        b'{"prefetch": {"labs": "\xff"}}',
        b'{"prefetch": {"labs": "\xed\xa0\x80"}}',
        b'{"prefetch": {"labs": "a\x00b"}}',
        b'{"hook": "patient-view"} {}',
        b"[" * 100_000,
        b'{"hook": ' * 100_000,
        b'{"prefetch": {"labs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b"\x1f\x8b\x08\x00compressed",
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    status, fields, _ = refusal(body)
    assert (status, fields) == (400, [])


@pytest.mark.parametrize(
    "fields",
    [
        {"prefetch": ...},
        {"prefetch": None},
        {"prefetch": {}},
        {"prefetch": {"conditions": None}},
        {"fhirServer": None, "fhirAuthorization": None, "extension": None},
        {
            "fhirServer": "https://ehr.example/fhir",
            "fhirAuthorization": {"access_token": "t", "expires_in": "300"},
        },
        {"extension": {"com.epic.cdshooks.request.bpa-trigger-action": "60"}},
        {"hookInstance": "not-a-uuid"},
        {"user": "Practitioner/old-style", "unknown": [{"deep": [1, 2.5, True, None]}], "hookVersion": 1.0},
        {"context": {"patientId": "p-1"}},
        {"context": {"patientId": "Patient/p-1"}},
        {"context": {"patientId": "p-1", "userId": None, "encounterId": None}},
        {"context": {"patientId": "p-1", "userId": "", "encounterId": "", "more": {}}},
    ],
)
def test_what_real_clients_do_is_accepted(call: Call, fields: dict[str, Any]) -> None:
    request = read_request(call(**fields), SERVICE)
    assert request.context.patient_id == "p-1"
    assert request.hook == "patient-view"


def test_many_members_of_which_many_appear_twice_are_refused_quickly_and_briefly(call: Call) -> None:
    """Each name is counted once, not looked for among all the others: that took minutes for a body of a megabyte."""
    members = b"".join(b'"%06d": 0, ' % (number % 50_000) for number in range(100_000))
    body = call(prefetch={"conditions": None}).replace(b'"prefetch": {', b'"prefetch": {' + members, 1)
    before = time.process_time()
    status, fields, text = refusal(body)
    assert (status, fields) == (400, ["prefetch"])
    assert len(text) < 1_000
    assert time.process_time() - before < 30


def test_an_unknown_field_may_appear_twice(call: Call) -> None:
    body = call().replace(b'"context"', b'"user": 1, "user": 2, "context"')
    assert read_request(body, SERVICE).context.patient_id == "p-1"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("Practitioner/a", "Practitioner/a"),
        ("PractitionerRole/a_1", "PractitionerRole/a_1"),
        ("Patient/a", "Patient/a"),
        ("RelatedPerson/a", "RelatedPerson/a"),
        ("a", ""),
        ("Device/a", ""),
        ("Practitioner/a b", ""),
        ("Practitioner/", ""),
    ],
)
def test_the_user_is_kept_when_its_type_is_known(call: Call, given: str, read: str) -> None:
    assert read_request(call(context=CONTEXT | {"userId": given}), SERVICE).context.user_id == read


def test_the_encounter_may_carry_its_type(call: Call) -> None:
    assert (
        read_request(call(context=CONTEXT | {"encounterId": "Encounter/e-1"}), SERVICE).context.encounter_id
        == "e-1"
    )


def test_prefetch_values_stay_as_they_came(call: Call) -> None:
    request = read_request(call(prefetch={"labs": None, "mine": [{"a": "µ"}]}), SERVICE)
    assert {key: msgspec.json.decode(value) for key, value in request.prefetch.items()} == {
        "labs": None,
        "mine": [{"a": "µ"}],
    }


def test_the_service_follows_from_the_hook(call: Call) -> None:
    assert service_of(call()) is SERVICE
    with pytest.raises(Refused) as caught:
        service_of(call(hook=CANARY))
    assert CANARY not in caught.value.body().decode()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["hook", "hookInstance", "context", "prefetch", "fhirServer", "fhirAuthorization", "extension"]
)


@given(
    st.dictionaries(fields, json_values),
    st.dictionaries(st.sampled_from(["patientId", "encounterId"]), json_values),
)
def test_any_json_is_either_read_or_refused(top: dict[str, Any], context: dict[str, Any]) -> None:
    whole = {"hook": "patient-view", "hookInstance": "i", "context": {"patientId": "p"} | context} | top
    status = 200
    try:
        read_request(json.dumps(whole).encode(), SERVICE)
    except Refused as refused:
        status = refused.status
    assert status in (200, 400)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        read_request(body, SERVICE)
