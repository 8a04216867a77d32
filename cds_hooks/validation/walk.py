"""The typed objects of a document, each with its shape and its place; what is of the wrong type is passed by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cds_hooks.validation.findings import Path
from cds_hooks.validation.shapes import Field, context_shape, shapes


class Node(NamedTuple):
    """One object of the document. `shape` is a name of `shapes()`."""

    shape: str
    value: Mapping[str, Any]
    at: Path


def nodes(document: object, kind: str) -> Iterator[Node]:
    """Every object whose shape is known, outermost first, in the order of the specification's tables."""
    if isinstance(document, dict):
        yield from _below(Node(kind, document, ()))


def shape_of(field: Field, parent: Mapping[str, Any]) -> str:
    """The shape of the field's values, which for a context depends on the hook beside it; else the field's own kind."""
    return context_shape(parent.get("hook")) if field.kind == "context" else field.kind


def _below(node: Node) -> Iterator[Node]:
    yield node
    for name, field in shapes()[node.shape].fields.items():
        shape = shape_of(field, node.value)
        if shape not in shapes():
            continue
        value = node.value.get(name)
        members = enumerate(value) if field.array and isinstance(value, list) else [(None, value)]
        for position, member in members:
            if isinstance(member, dict):
                at = (*node.at, name) if position is None else (*node.at, name, position)
                yield from _below(Node(shape, member, at))
