"""Rules about the resources in a hook's context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_hooks.validation.findings import listed, quoted
from cds_hooks.validation.hooks import Holds, hooks, library
from cds_hooks.validation.rule import Rule, Violation, objects, resources, text
from cds_hooks.validation.walk import Node


def _bundles_hold_what_they_should(node: Node) -> Iterator[Violation]:
    """The entries of each Bundle are of the types and in the states of the hook's table, which says how bad others are."""
    for name, field in hooks()[node.shape.removeprefix("context:")].fields.items():
        if field.holds:
            for position, resource in resources(node.value.get(name)):
                for violation in _held(resource, field.holds, field.ids_for("content")):
                    yield violation._replace(at=(name, "entry", position, "resource", *violation.at))


def _held(resource: dict[str, Any], holds: Holds, ids: tuple[str, ...]) -> Iterator[Violation]:
    kind, status = text(resource, "resourceType"), text(resource, "status")
    if holds.requests and kind not in library().requests:
        problem = f"The Bundle of orders holds a {quoted(kind)}, which is no order."
        fix = "Epic sends Medication resources so; services should pass over what they do not know."
        yield Violation(("resourceType",), problem, fix, "information", EPIC_ORDERS)
    elif holds.types and kind not in holds.types:
        problem = f"The Bundle holds a {quoted(kind)}, not only {listed(holds.types)}."
        yield Violation(
            ("resourceType",), problem, f"Send only {listed(holds.types)} resources.", "error", ids
        )
    elif holds.status and status not in holds.status:
        problem = f"The status is {quoted(status)}, not {listed(holds.status)}."
        yield Violation(
            ("status",),
            problem,
            f"Send only resources whose status is {listed(holds.status)}.",
            holds.otherwise,
            ids,
        )


def _selections_are_in_draft_orders(node: Node) -> Iterator[Violation]:
    drafts = {
        f"{text(found, 'resourceType')}/{text(found, 'id')}"
        for _, found in resources(node.value.get("draftOrders"))
    }
    selections = node.value.get("selections")
    for position, selection in enumerate(selections if isinstance(selections, list) else ()):
        if isinstance(selection, str) and selection and selection not in drafts:
            problem = f"{quoted(selection)} is not in `draftOrders`."
            yield Violation(("selections", position), problem, "Select only orders that draftOrders holds.")


def _tasks_are_about_dispatched_orders(node: Node) -> Iterator[Violation]:
    orders = node.value.get("dispatchedOrders")
    for position, task in objects(node.value, "fulfillmentTasks"):
        focus = task.get("focus")
        reference = text(focus, "reference") if isinstance(focus, dict) else ""
        if reference not in (orders if isinstance(orders, list) else ()):
            problem = f"The task is about {quoted(reference)}, which is not in `dispatchedOrders`."
            yield Violation(("fulfillmentTasks", position, "focus"), problem, "Refer to a dispatched order.")


EPIC_ORDERS = ("client/epic#draft-orders",)
SELECTIONS = ("cds-hooks-library_1.0.1@88",)
TASKS = ("cds-hooks-library_1.0.1@72",)

RULES = (
    Rule("context:", "information", EPIC_ORDERS, _bundles_hold_what_they_should),
    Rule("context:order-select", "error", SELECTIONS, _selections_are_in_draft_orders),
    Rule("context:order-dispatch", "error", TASKS, _tasks_are_about_dispatched_orders),
)
