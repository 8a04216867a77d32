"""Test suggestions as FHIR R4 ServiceRequests: built and checked once per rule set, filled in per call.

Only their code comes from the rules, so only that is checked here, by the patterns of FHIR's data types. `knowledge
check`, `config check` and a test check every request with fhir.resources, which would take 0.06 s and 8 MB at each start.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from cds_hooks.request import HookContext
from mappings.assessment import Assessment, TestAdvice
from mappings.rules import OrderRule, Request

STATUS = "draft"
INTENT = "proposal"
PRIORITY = {"urgent": "urgent", "immediate": "stat"}
"""FHIR request-priority by the urgency of the advice; routine is FHIR's own default."""
EVIDENCE = re.compile(r"(?:Condition|Observation|DiagnosticReport|DocumentReference)/[A-Za-z0-9\-.]{1,64}")
"""What `reasonReference` may point to."""
REQUESTER = ("Practitioner/", "PractitionerRole/")


Text = Annotated[str, Meta(pattern=r"\S")]


class _Coding(Struct, frozen=True):
    system: Annotated[str, Meta(pattern=r"^\S+$")]
    code: Annotated[str, Meta(pattern=r"^\S+(\s\S+)*$")]
    display: Text | None = None


class _Code(Struct, frozen=True):
    """A CodeableConcept, as far as an order has one."""

    text: Text
    coding: tuple[_Coding, ...] = ()


class OrderError(ValueError):
    """An order rule whose request is no valid ServiceRequest."""


class OrderTemplate(NamedTuple):
    """A request for one test without patient: what it is called, and the resource."""

    title: str
    resource: dict[str, Any]
    covers: str = ""
    """The part of the test this request is; empty: the whole test."""


def order_templates(orders: Mapping[str, OrderRule]) -> dict[str, tuple[OrderTemplate, ...]]:
    """The templates by test id; several when a test is several requests. Raises OrderError naming the test."""
    return {
        test: tuple(
            OrderTemplate(
                rule.title if len(rule.requests) == 1 else request.text,
                _template(test, request),
                request.covers,
            )
            for request in rule.requests
        )
        for test, rule in orders.items()
        if not rule.never_suggested
    }


def _template(test: str, request: Request) -> dict[str, Any]:
    """A checked resource; the subject is a placeholder, because FHIR requires one."""
    code: dict[str, Any] = {"text": request.text}
    if request.code:
        coding = {"system": request.system, "code": request.code, "display": request.display}
        code["coding"] = [{name: value for name, value in coding.items() if value}]
    resource = {
        "resourceType": "ServiceRequest",
        "status": STATUS,
        "intent": INTENT,
        "code": code,
        "subject": {"reference": "Patient/placeholder"},
    }
    if request.code and not request.system:
        raise OrderError(f"order `{test}`: the code {request.code} has no system")
    try:
        msgspec.convert(code, _Code)
    except msgspec.ValidationError as error:
        raise OrderError(f"order `{test}` is no valid ServiceRequest: {error}") from error
    return resource


def fill_in(
    template: OrderTemplate, advice: TestAdvice, assessment: Assessment, context: HookContext, reason: str
) -> dict[str, Any]:
    """The template for this patient, encounter and user, dated today, with the evidence it rests on."""
    resource = template.resource | {
        "subject": {"reference": f"Patient/{context.patient_id}"},
        "authoredOn": assessment.assessed_at.isoformat(),
        "reasonCode": [{"text": reason}],
    }
    if advice.urgency in PRIORITY:
        resource["priority"] = PRIORITY[advice.urgency]
    if context.encounter_id:
        resource["encounter"] = {"reference": f"Encounter/{context.encounter_id}"}
    if context.user_id.startswith(REQUESTER):
        resource["requester"] = {"reference": context.user_id}
    evidence = _references(item.resource for item in (*assessment.gate.because, *advice.evidence))
    if evidence:
        resource["reasonReference"] = evidence
    return resource


def _references(resources: Iterable[str]) -> list[dict[str, str]]:
    """References to those that a ServiceRequest may name as its reason, each once."""
    return [{"reference": resource} for resource in dict.fromkeys(resources) if EVIDENCE.fullmatch(resource)]
