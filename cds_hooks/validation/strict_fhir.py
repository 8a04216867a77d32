"""The strict check: resources that a service wants to have created or updated are valid FHIR R4B."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cds_hooks.service_request import OrderTemplate
from cds_hooks.validation.rule import Rule, Violation, text
from cds_hooks.validation.walk import Node

STRICT = ("fhir_r4#resource", "cds-hooks_2.0@130")


def _resource_is_valid(node: Node) -> Iterator[Violation]:
    resource = node.value.get("resource")
    if isinstance(resource, dict) and text(resource, "resourceType"):
        yield from _faults(resource)


def _faults(resource: dict[str, Any]) -> Iterator[Violation]:
    kind = text(resource, "resourceType")
    fix = f"Send a {kind} that is valid FHIR R4."
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            yield Violation(("resource", *fault["loc"]), f"{kind}: {fault['msg']}.", fix)
    except Exception as error:  # noqa: BLE001 - the library also leaks KeyError and TypeError, and no text may stop us
        problem = f"{kind}: no valid FHIR R4B ({type(error).__name__}: {error})."
        yield Violation(("resource",), problem, "Use only resource types and elements that R4 has.")


def order_faults(orders: Mapping[str, tuple[OrderTemplate, ...]]) -> Iterator[str]:
    """What is wrong with the requests that suggestions are made of, by test; nothing if all are valid FHIR R4B."""
    for test, templates in orders.items():
        for template in templates:
            for fault in _faults(template.resource):
                yield f"order `{test}`: {'.'.join(map(str, fault.at[1:]))}: {fault.problem}"


RULES = (
    Rule("action", "error", STRICT, _resource_is_valid),
    Rule("systemAction", "error", STRICT, _resource_is_valid),
)
