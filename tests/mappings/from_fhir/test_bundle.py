from __future__ import annotations

import json
from typing import Any

import pytest

from mappings.from_fhir.bundle import next_links, unwrap

PATIENT = {"resourceType": "Patient", "id": "p"}
ENTRY = {"resource": PATIENT}
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
NO_RESULTS = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found"}]}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "value",
    [
        PATIENT,
        {"resourceType": "Bundle", "type": "searchset", "entry": [ENTRY]},
        {"resourceType": "Bundle", "entry": [ENTRY]},
        {"entry": [ENTRY]},
        {"resourceType": "Bundle", "entry": ENTRY},
        {"response": {"status": "200 OK"}, "resource": PATIENT},
        {"response": {"status": 200}, "resource": PATIENT},
        {"resource": {"resourceType": "Bundle", "entry": [ENTRY]}},
        [PATIENT],
        [{"response": {"status": "200"}, "resource": PATIENT}],
        {"resourceType": "Bundle", "type": "batch-response", "entry": [{"resource": {"entry": [ENTRY]}}]},
        {"resourceType": "Bundle", "entry": [{"fullUrl": 5, "resource": PATIENT}]},
        {"resourceType": "Bundle", "entry": [ENTRY, {"response": {"status": "204"}}, {}]},
        {"id": "p", "resourceType": "patient"},
    ],
)
def test_one_patient_is_found_however_it_is_wrapped(value: Any) -> None:
    found = unwrap(b" \n" + encoded(value))
    assert [(item.type, item.resource.id) for item in found.items] == [("Patient", "p")]
    assert not found.failed
    assert not found.null


@pytest.mark.parametrize(
    "value",
    [
        {"resourceType": "Bundle", "type": "searchset", "total": 0},
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": []},
        {
            "resourceType": "Bundle",
            "total": 0,
            "entry": [{"resource": NO_RESULTS, "search": {"mode": "outcome"}}],
        },
    ],
)
def test_an_empty_bundle_is_an_answer(value: Any) -> None:
    found = unwrap(encoded(value))
    assert found.bundle
    assert not found.failed
    assert not found.incomplete
    assert found.items == []


@pytest.mark.parametrize(
    "value",
    [
        ERROR,
        NO_RESULTS,  # as a value it stands in place of the data
        {},
        {"id": "p"},
        "text",
        5,
        True,
        [[[[[[[[[[PATIENT]]]]]]]]]],
        {"resourceType": "Bundle", "entry": "text"},
        {"resourceType": "Bundle", "entry": [ENTRY, None, 3]},
        {"resourceType": "Bundle", "entry": [{"resource": "text"}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"id": "p"}}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "not a type!"}}]},
        {"resourceType": "Bundle", "entry": [{"resource": ERROR}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "OperationOutcome", "issue": 5}}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "OperationOutcome"}}]},
        {"resourceType": "Bundle", "entry": [{"response": {"status": "404 Not Found"}}]},
        {"response": {"status": "500"}, "resource": None},
        {"resourceType": {"a": 1}},
    ],
)
def test_what_is_no_resource_is_a_failure(value: Any) -> None:
    assert unwrap(encoded(value)).failed


@pytest.mark.parametrize("content", [None, b"null", b" null", b'{"response": {"status": "200"}}', b"[null]"])
def test_null_is_nothing_provided(content: bytes | None) -> None:
    found = unwrap(content)
    assert found.null
    assert not found.failed


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"resourceType": "Patient", "id": "\xff"}', b"[1,", b"\xef\xbb\xbf{}"]
)
def test_bytes_that_are_not_json_are_a_failure_and_do_not_raise(content: bytes) -> None:
    found = unwrap(content)
    assert found.failed or found.unreadable


def test_nesting_without_end_is_a_failure_and_does_not_raise() -> None:
    for opening, closing in (("[", "]"), ('{"resource":', "}"), ('{"entry":[{"resource":', "}]}")):
        found = unwrap((opening * 50_000 + "1" + closing * 50_000).encode())
        assert found.failed


def test_types_that_are_not_read_are_remembered() -> None:
    assert unwrap(encoded({"entry": [{"resource": {"resourceType": "Claim", "status": 5}}]})).others == {
        "Claim"
    }


def test_next_pages_are_named_and_make_the_answer_incomplete() -> None:
    links = [{"relation": "self", "url": "a"}, {"relation": "next", "url": "https://ehr.example/page/2"}]
    content = encoded({"resourceType": "Bundle", "link": links, "entry": [ENTRY]})
    assert next_links(content) == ["https://ehr.example/page/2"]
    assert unwrap(content).incomplete
    assert next_links(None) == []


@pytest.mark.parametrize(
    ("total", "sent", "incomplete"), [(3, 0, True), (3, 2, True), (2, 2, False), (1, 2, False)]
)
def test_a_total_above_the_number_of_entries_is_incomplete(total: int, sent: int, incomplete: bool) -> None:
    entries = [{"resource": {"resourceType": "Patient", "id": str(number)}} for number in range(sent)]
    assert (
        unwrap(encoded({"resourceType": "Bundle", "total": total, "entry": entries})).incomplete is incomplete
    )


def test_the_links_of_a_patient_are_no_pages() -> None:
    linked = PATIENT | {"link": [{"other": {"reference": "Patient/q"}, "type": "seealso"}]}
    assert next_links(encoded(linked)) == []
    assert len(unwrap(encoded(linked)).items) == 1


def test_elements_that_do_not_matter_may_be_broken() -> None:
    broken = {
        "resourceType": "Observation",
        "id": 5,
        "status": "final",
        "note": "haemolysed",
        "referenceRange": 3,
    }
    (item,) = unwrap(encoded(broken)).items
    assert item.label == "Observation/5"


def test_a_resource_whose_status_cannot_be_read_is_unreadable_as_a_whole() -> None:
    found = unwrap(encoded({"resourceType": "Observation", "id": "k", "status": ["final"]}))
    assert found.unreadable == [("Observation", "Observation/k")]
    assert found.items == []


def test_a_number_beyond_every_decimal_makes_its_resource_unreadable() -> None:
    found = unwrap(
        b'{"resourceType": "Observation", "id": [], "valueQuantity": {"value": 1e9999999999999999999}}'
    )
    assert found.unreadable == [("Observation", "")]
