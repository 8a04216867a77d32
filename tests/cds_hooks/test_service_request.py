"""What we suggest to order is a valid FHIR ServiceRequest, for every test and every kind of call."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import msgspec
import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_hooks.request import HookContext
from cds_hooks.service_request import OrderError, fill_in, order_templates
from cds_hooks.validation.strict_fhir import order_faults
from mappings.assessment import Assessment, Evidence, Gate
from mappings.assessment import TestAdvice as Advice  # under a name that pytest does not collect
from mappings.knowledge import load_knowledge
from mappings.rules import OrderRule

Make = Callable[..., Assessment]
MAGNESIUM = Advice("magnesium", "Serum magnesium", "suggested", "not measured")


def test_the_resource_is_complete(
    orders: dict[str, OrderRule], context: HookContext, assessment: Make
) -> None:
    (template,) = order_templates(orders)["magnesium"]
    evidence = (Evidence("potassium", "potassium 2.8 mmol/L", "Observation/k-1"),)
    advice = msgspec.structs.replace(MAGNESIUM, evidence=evidence)
    assert fill_in(template, advice, assessment(), context, "not measured") == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {
            "text": "Magnesium, serum or plasma",
            "coding": [
                {"system": "http://loinc.org", "code": "19123-9", "display": "Magnesium, serum or plasma"}
            ],
        },
        "subject": {"reference": "Patient/p-1"},
        "encounter": {"reference": "Encounter/e-1"},
        "requester": {"reference": "Practitioner/doc-1"},
        "authoredOn": "2026-03-01",
        "reasonCode": [{"text": "not measured"}],
        "reasonReference": [{"reference": "Condition/tw-1"}, {"reference": "Observation/k-1"}],
    }


def test_what_is_not_known_is_left_out(orders: dict[str, OrderRule], assessment: Make) -> None:
    (template,) = order_templates(orders)["ecg"]
    resource = fill_in(
        template, MAGNESIUM, assessment(gate=Gate(True)), HookContext("p-1", "Patient/p-1"), "why"
    )
    assert set(resource) == {
        "resourceType",
        "status",
        "intent",
        "code",
        "subject",
        "authoredOn",
        "reasonCode",
    }
    assert resource["code"] == {"text": "Electrocardiogram, 12 leads"}


@pytest.mark.parametrize(
    ("urgency", "priority"), [("routine", None), ("urgent", "urgent"), ("immediate", "stat")]
)
def test_urgency_is_the_priority(
    orders: dict[str, OrderRule], context: HookContext, assessment: Make, urgency: str, priority: str | None
) -> None:
    (template,) = order_templates(orders)["magnesium"]
    advice = Advice("magnesium", "Serum magnesium", "suggested", "why", urgency)  # type: ignore[arg-type]
    assert fill_in(template, advice, assessment(), context, "why").get("priority") == priority


@pytest.mark.parametrize(
    "resource",
    [
        "Encounter/e-1",
        "urn:uuid:0b9c",
        "labs",
        "",
        "Observation/a b",
        "MedicationRequest/m",
        "https://x/Observation/1",
    ],
)
def test_only_what_fhir_allows_is_a_reason(
    orders: dict[str, OrderRule], context: HookContext, assessment: Make, resource: str
) -> None:
    (template,) = order_templates(orders)["magnesium"]
    gate = Gate(True, (Evidence("x", "x", resource),))
    assert "reasonReference" not in fill_in(template, MAGNESIUM, assessment(gate=gate), context, "why")


def test_one_call_leaves_no_trace_in_the_next(
    orders: dict[str, OrderRule], context: HookContext, assessment: Make
) -> None:
    (template,) = order_templates(orders)["magnesium"]
    before = json.dumps(template.resource)
    fill_in(template, MAGNESIUM, assessment(), context, "why")
    assert json.dumps(template.resource) == before


def test_a_test_of_two_requests_is_two_templates(orders: dict[str, OrderRule]) -> None:
    assert [template.title for template in order_templates(orders)["calcium_albumin"]] == [
        "Calcium, serum",
        "Albumin, serum",
    ]


def test_what_is_never_suggested_has_no_template(orders: dict[str, OrderRule]) -> None:
    never = {"magnesium": msgspec.structs.replace(orders["magnesium"], never_suggested=True)}
    assert order_templates(never) == {}


@pytest.mark.parametrize(
    "request_",
    [
        {"text": ""},
        {"text": "x", "code": "1-8"},
        {"text": "x", "code": "has blank ", "system": "http://loinc.org"},
    ],
)
def test_an_invalid_order_rule_stops_the_start(
    orders: dict[str, OrderRule], request_: dict[str, str]
) -> None:
    rule = msgspec.to_builtins(orders["magnesium"])
    rule["requests"] = [request_]
    with pytest.raises(OrderError, match="magnesium"):
        order_templates({"magnesium": msgspec.convert(rule, OrderRule)})


def test_the_strict_check_names_the_test_and_the_element(orders: dict[str, OrderRule]) -> None:
    good = order_templates(orders)
    assert list(order_faults(good)) == []
    (template,) = good["ecg"]
    broken = template._replace(resource=template.resource | {"occurrenceDateTime": "soon"})
    (fault,) = order_faults(good | {"ecg": (broken,)})
    assert fault.startswith("order `ecg`: occurrenceDateTime: ServiceRequest: ")


@pytest.mark.parametrize("user", ["Practitioner/d", "PractitionerRole/d", "Patient/p", ""])
@pytest.mark.parametrize("encounter", ["e-1", ""])
def test_every_order_of_the_rules_is_valid_fhir(assessment: Make, user: str, encounter: str) -> None:
    rules = load_knowledge().orders
    templates = order_templates(rules)
    assert set(templates) == {test for test, rule in rules.items() if not rule.never_suggested}
    for test, several in templates.items():
        for template in several:
            advice = Advice(test, rules[test].title, "suggested", "why", "urgent")
            resource = fill_in(template, advice, assessment(), HookContext("p-1", user, encounter), "why")
            checked = ServiceRequest.model_validate(resource)
            assert (checked.status, checked.intent) == ("draft", "proposal")
            assert checked.authoredOn == date(2026, 3, 1)
