"""What holds for the validator as a whole."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.discovery import discovery
from cds_hooks.services import SERVICES
from cds_hooks.validation.findings import json_path
from cds_hooks.validation.shapes import KINDS, shapes
from cds_hooks.validation.validate import Report, validate, validate_value
from cds_hooks.validation.walk import nodes

GOOD = sorted(path.stem for path in Path(__file__).with_name("good").glob("*.json"))
DEPRECATED = ("request-medication-prescribe", "request-order-review")


def required_fields() -> Iterator[tuple[str, str]]:
    """The place of every required field of every good document."""
    for name in GOOD:
        document = json.loads(
            Path(__file__).with_name("good").joinpath(f"{name}.json").read_text(encoding="utf-8")
        )
        for node in nodes(document, name.partition("-")[0]):
            for field_name, field in shapes()[node.shape].fields.items():
                if field.required is True:
                    yield name, json_path((*node.at, field_name))


def names() -> st.SearchStrategy[str]:
    """Names of fields that mean something, and others."""
    known = {name for shape in shapes().values() for name in shape.fields}
    return st.sampled_from([*sorted(known), "extension", "resourceType", "entry", "status", ""]) | st.text(
        max_size=5
    )


def words() -> st.SearchStrategy[str]:
    """Values that mean something, and others."""
    meaningful = [
        "patient-view",
        "order-select",
        "order-dispatch",
        "create",
        "delete",
        "Bundle",
        "at-most-one",
        "Task",
    ]
    queries = [
        "Patient/{{context.patientId}}",
        "{{}}",
        "{{{{",
        "http://[",
        "Observation?a=$&b:c=ge2020",
        "patient/",
    ]
    return st.sampled_from(meaningful + queries) | st.text(max_size=20)


def documents() -> st.SearchStrategy[Any]:
    """JSON values that are nearly documents."""
    leaves = (
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words()
    )
    return st.recursive(
        leaves,
        lambda below: st.lists(below, max_size=4) | st.dictionaries(names(), below, max_size=8),
        max_leaves=40,
    )


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_is_recognised_and_has_nothing_to_report(
    name: str, good: Callable[[str], Any]
) -> None:
    report = validate_value(good(name))
    assert report.kind == name.partition("-")[0]
    expected = {"cds-hooks-library#deprecated-hook"} if name in DEPRECATED else set()
    assert {requirement for finding in report.findings for requirement in finding.requirements} == expected


@pytest.mark.parametrize(("name", "place"), list(required_fields()))
def test_a_missing_required_field_is_an_error_that_names_it(
    name: str, place: str, good: Callable[[str], Any], change: Callable[..., None]
) -> None:
    document = good(name)
    change(document, place)
    errors = [
        found
        for found in validate_value(document, kind=name.partition("-")[0]).findings
        if found.severity == "error"
    ]
    field = re.split(r"[.\]]", place)[-1]
    assert [found for found in errors if found.path == place and f"`{field}` is missing" in found.problem]


def test_empty_answers_are_allowed_where_the_specification_says_so() -> None:
    assert validate(b'{"cards": []}').findings == ()
    assert validate(b'{"services": []}').findings == ()
    assert validate(b'{"feedback": []}').findings == ()


def test_a_document_that_is_none_of_the_four_is_named(good: Callable[[str], Any]) -> None:
    (finding,) = validate_value({"resourceType": "OperationOutcome"}).findings
    assert "OperationOutcome" in finding.problem
    assert validate_value([good("response")]).kind == ""


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "empty"),
        ('{"cards": [],}', "comma"),
        ('{"cards": [] /* none */}', "comments"),
        ("{'cards': []}", "double quotation"),
        ('{"cards": [', "Check"),
        ("[" * 100_000, "Flatten"),
    ],
)
def test_a_syntax_error_has_a_cure(text: str, hint: str) -> None:
    (finding,) = validate(text.encode()).findings
    assert hint in finding.fix


def test_text_that_is_not_utf_8_is_an_error() -> None:
    assert "UTF-8" in validate('{"cards": []}'.encode("utf-16")).findings[0].problem


def test_errors_come_first(good: Callable[[str], Any]) -> None:
    document = good("response")
    document["cards"][0]["extra"] = "x"
    document["cards"][1]["indicator"] = "urgent"
    assert [found.severity for found in validate_value(document).findings] == ["error", "information"]


def test_unknown_fields_get_a_suggestion(good: Callable[[str], Any]) -> None:
    document = good("request-order-dispatch")
    document["context"]["dispatched-orders"] = document["context"]["dispatchedOrders"]
    assert [found.fix for found in validate_value(document).findings] == ["Did you mean `dispatchedOrders`?"]


def test_the_context_of_a_custom_hook_is_not_checked(good: Callable[[str], Any]) -> None:
    document = good("request-patient-view") | {"hook": "com.example.tea-time", "context": {"kettle": "on"}}
    assert [found.severity for found in validate_value(document).findings] == ["information"]


@pytest.mark.parametrize(
    ("server", "findings"),
    [
        ("http://localhost:8080/fhir", 0),
        ("http://[::1]/fhir", 0),
        ("http://[::1/fhir", 1),
        ("http://10.0.0.5/fhir", 1),
    ],
)
def test_http_is_for_this_machine_only(server: str, findings: int, good: Callable[[str], Any]) -> None:
    document = good("request-patient-view") | {"fhirServer": server}
    assert validate_value(document).count("warning") == findings


def test_entries_of_prefetched_bundles_are_data_unless_they_are_outcomes(good: Callable[[str], Any]) -> None:
    document = good("request-patient-view")
    document["prefetch"]["potassium"]["entry"] = [
        {"resource": {"resourceType": "Observation", "id": "k"}},
        {"link": "x"},
    ]
    assert validate_value(document).findings == ()


def test_html_in_code_and_links_is_no_html(good: Callable[[str], Any]) -> None:
    document = good("response")
    document["cards"][0]["detail"] = "See <https://example.com>; `<b>` is code; 3 < 4 and 5 > 2"
    assert validate_value(document).findings == ()


def test_the_strict_check_reports_unknown_resources_and_elements(good: Callable[[str], Any]) -> None:
    document = good("response")
    resource = document["cards"][0]["suggestions"][0]["actions"][0]["resource"]
    assert validate_value(document, strict_fhir=True).findings == ()
    resource["contained"] = [{"resourceType": "Foo"}]
    assert validate_value(document).findings == ()
    assert [found.severity for found in validate_value(document, strict_fhir=True).findings] == ["error"]
    resource["resourceType"] = "Foo"
    assert validate_value(document, strict_fhir=True).count("error") == 1


def test_another_kind_than_the_four_is_refused() -> None:
    with pytest.raises(ValueError, match="discovery, request, response, feedback"):
        validate(b"{}", kind="card")


def test_our_own_discovery_has_no_errors_and_no_warnings() -> None:
    report = validate(discovery(SERVICES))
    assert report.kind == "discovery"
    assert [found for found in report.findings if found.severity != "information"] == []


@pytest.fixture
def without_collection() -> Iterator[None]:
    """What other tests left behind is not finalised while the stack is full: its finalisers would fail there."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collection")
@pytest.mark.parametrize("field", ["summary", "detail", "extension", "extra", "suggestions"])
def test_no_depth_of_nesting_is_too_much(field: str) -> None:
    for depth in [*range(50, 1200, 50), 5000]:
        text = f'{{"cards": [{{"{field}": {"[" * depth}1{"]" * depth}}}]}}'
        assert validate(text.encode(), strict_fhir=True).count("error") > 0


def test_numbers_too_long_to_be_written_are_reported(good: Callable[[str], Any]) -> None:
    document = good("response")
    document["cards"][0]["detail"] = 10**5000
    assert "This value is not a string." in validate_value(document).findings[0].problem
    assert validate(b'{"cards": ' + b"9" * 5000 + b"}").count("error") == 1


@given(documents(), st.sampled_from([None, *KINDS]))
def test_nothing_is_raised_for_any_json(document: Any, kind: str | None) -> None:
    report = validate_value(document, kind=kind)
    assert isinstance(report, Report)
    assert report.findings == tuple(dict.fromkeys(report.findings))


@given(documents(), st.sampled_from([None, *KINDS]))
def test_text_and_value_are_judged_alike(document: Any, kind: str | None) -> None:
    assert validate(json.dumps(document).encode(), kind=kind) == validate_value(document, kind=kind)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_nothing_is_raised_for_any_bytes(content: bytes) -> None:
    assert isinstance(validate(content), Report)
