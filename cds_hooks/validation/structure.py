"""What `shapes.yaml` can say about one object: required fields, types, values, formats, nothing empty.

The JSON Schemas say the same, so an error here is a document that they refuse, and the other way round.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cds_hooks.validation.findings import Finding, Path, json_path, listed, named, quoted
from cds_hooks.validation.shapes import EXTENSION, NO_EMPTIES, Condition, Field, Shape, formats, shapes
from cds_hooks.validation.walk import Node, shape_of

TYPE_WORDS = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "resource": "an object, a FHIR resource",
}
UNKNOWN = ("advice#unknown-field",)


def structure(node: Node) -> Iterator[Finding]:
    """The findings about the node's own fields; fields with a shape are looked into as nodes of their own."""
    shape = shapes()[node.shape]
    for name, field in shape.fields.items():
        at = (*node.at, name)
        if name in node.value:
            yield from _member(node.value[name], field, shape_of(field, node.value), at)
            yield from _notice(name, field, at)
        elif field.required:
            yield Finding(
                "error" if field.required is True else "warning",
                json_path(at),
                f"`{name}` is missing.",
                f"Send {field.send}.",
                field.ids_if_missing,
            )
    for condition in shape.conditions:
        yield from _condition(condition, node, shape)
    for name, value in node.value.items():
        if name == "extension":
            yield from _extension(value, (*node.at, name))
        elif name not in shape.fields:
            yield from _unknown(name, node, shape)
            yield from empties(value, (*node.at, name))


def root_must_be_an_object(document: object, kind: str) -> Iterator[Finding]:
    """A finding if the document is not an object."""
    if not isinstance(document, dict):
        ids = tuple(
            i for field in shapes()[kind].fields.values() if field.required is True for i in field.ids
        )
        article = "an array" if isinstance(document, list) else quoted(document)
        yield Finding(
            "error", "$", f"The document is {article}, not an object.", f"Send a {kind} object.", ids
        )


def empties(value: Any, at: Path, *, null_items: bool = False) -> Iterator[Finding]:
    """Every null and everything empty in a value of unknown shape; FHIR allows null as the item of an array."""
    waiting: list[tuple[Any, Path, bool]] = [(value, at, False)]
    while waiting:
        found, here, item = waiting.pop()
        if found in ("", [], {}) or (found is None and not (item and null_items)):
            yield _empty(found, here)
        elif isinstance(found, dict):
            waiting += [(member, (*here, str(name)), False) for name, member in reversed(found.items())]
        elif isinstance(found, list):
            waiting += [(found[i], (*here, i), True) for i in reversed(range(len(found)))]


def _member(value: Any, field: Field, shape: str, at: Path) -> Iterator[Finding]:
    """The findings about a field's value, item by item if it has items."""
    if value is None:
        yield _empty(value, at)
    elif field.array:
        yield from _array(value, field, shape, at)
    elif field.map:
        yield from _map(value, field, shape, at)
    else:
        yield from _item(value, field, shape, at)


def _array(value: Any, field: Field, shape: str, at: Path) -> Iterator[Finding]:
    if not isinstance(value, list):
        yield _mistyped(value, "an array", field, at)
        return
    if not value and not field.empty:
        yield _empty(value, at)
    for position, item in enumerate(value):
        yield from _item(item, field, shape, (*at, position))


def _map(value: Any, field: Field, shape: str, at: Path) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield _mistyped(value, "an object", field, at)
        return
    if not value:
        yield _empty(value, at)
    for name, item in value.items():
        if not name:
            yield Finding(
                "error", json_path((*at, name)), "A key is empty.", "Give every key a name.", field.ids
            )
        if item is not None or not field.nullable:
            yield from _item(item, field, shape, (*at, name))


def _item(value: Any, field: Field, shape: str, at: Path) -> Iterator[Finding]:
    """The findings about one value, without those of the shape it has."""
    if value is None:
        yield _empty(value, at)
    elif not _is(value, shape):
        ids = field.ids_of_value if field.array or field.map else field.ids
        yield _mistyped(value, TYPE_WORDS.get(shape, "an object"), field, at, ids)
    elif value in ("", {}) and not _has_required(shape):
        yield _empty(value, at)
    elif shape == "string":
        yield from _string(value, field, at)
    elif shape == "resource":
        yield from _resource(value, field, at)
        yield from empties(value, at, null_items=True)
    elif shape in ("object", "any"):
        yield from empties(value, at)


def _is(value: Any, shape: str) -> bool:
    """Whether the value has the JSON type of the shape; 300.0 is a whole number."""
    match shape:
        case "any":
            return True
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return not isinstance(value, bool) and (
                isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            )
        case _:
            return isinstance(value, dict)


def _has_required(shape: str) -> bool:
    """Whether an empty object is reported anyway, by what it lacks."""
    if shape == "resource":
        return True
    return shape in shapes() and any(field.required is True for field in shapes()[shape].fields.values())


def _string(value: str, field: Field, at: Path) -> Iterator[Finding]:
    pattern = field.pattern()
    fix = f"Send {field.send}."
    if field.values and value not in field.values:
        problem = f"`{at[-1]}` is {quoted(value)}, not {listed(field.values)}."
        meant = next((known for known in field.values if known.lower() == value.strip().lower()), "")
        fix = f"Send {meant}; capitals and blanks count." if meant else fix
    elif field.longest is not None and len(value) > field.longest:
        problem = f"`{at[-1]}` has {len(value)} characters; at most {field.longest} are allowed."
    elif pattern and not _regex(pattern.pattern).fullmatch(value):
        problem = f"{quoted(value)} is not {pattern.says}."
    else:
        return
    yield Finding("error", json_path(at), problem, fix, field.ids_of_value)


def _resource(value: dict[str, Any], field: Field, at: Path) -> Iterator[Finding]:
    """A FHIR resource has a resourceType, of the types that the field allows."""
    given = value.get("resourceType")
    ids, send = field.ids_of_value, f"Send {field.send}."
    here = json_path((*at, "resourceType"))
    if given is None:
        yield Finding("error", here, "`resourceType` is missing: this is no FHIR resource.", send, ids)
    elif not isinstance(given, str) or not _regex(formats()["resource_type"].pattern).fullmatch(given):
        yield Finding("error", here, f"{quoted(given)} is no FHIR resource type.", send, ids)
    elif field.types and given not in field.types:
        yield Finding("error", here, f"The resource is a {given}, not a {listed(field.types)}.", send, ids)


def _extension(value: Any, at: Path) -> Iterator[Finding]:
    if isinstance(value, dict) and value:
        yield from empties(value, at)
    elif value in ("", [], {}, None):
        yield _empty(value, at)
    else:
        yield Finding(
            "error",
            json_path(at),
            f"`extension` is {quoted(value)}, not an object.",
            "Send an object whose keys are globally unique, such as com.example.name.",
            EXTENSION,
        )


def _condition(condition: Condition, node: Node, shape: Shape) -> Iterator[Finding]:
    given = node.value.get(condition.field)
    if condition.field not in node.value or (condition.values and given not in condition.values):
        return
    when = f"`{condition.field}` is {given}" if condition.values else f"`{condition.field}` is given"
    if condition.needs and condition.needs not in node.value:
        problem = f"`{condition.needs}` is missing although {when}."
        fix = f"Send {shape.fields[condition.needs].send}."
        yield Finding("error", json_path((*node.at, condition.needs)), problem, fix, condition.ids)
    elif condition.bars and condition.bars in node.value:
        problem = f"`{condition.bars}` is not allowed when {when}."
        fix = f"Leave out `{condition.bars}`."
        yield Finding("error", json_path((*node.at, condition.bars)), problem, fix, condition.ids)


def _notice(name: str, field: Field, at: Path) -> Iterator[Finding]:
    if field.notice:
        fix = f"Use it knowingly: {field.send}."
        yield Finding(
            field.notice.severity, json_path(at), f"`{name}` {field.notice.because}.", fix, field.notice.ids
        )


def _unknown(name: str, node: Node, shape: Shape) -> Iterator[Finding]:
    close = difflib.get_close_matches(name, [*shape.fields, "extension"], n=1)
    fix = f"Did you mean `{close[0]}`?" if close else "Leave it out, or put it into `extension`."
    at = json_path((*node.at, name))
    yield Finding("information", at, f"CDS Hooks 2.0 defines no {named(name)} here.", fix, UNKNOWN)


def _empty(value: Any, at: Path) -> Finding:
    name = named(at[-1]) if at and isinstance(at[-1], str) else "This item"
    problem = f"{name} is {'null' if value is None else 'empty'}, which is not allowed here."
    return Finding("error", json_path(at), problem, "Give it a value, or leave it out.", NO_EMPTIES)


def _mistyped(value: Any, wanted: str, field: Field, at: Path, ids: tuple[str, ...] = ()) -> Finding:
    problem = f"{quoted(value)} is not {wanted}."
    return Finding("error", json_path(at), problem, f"Send {field.send}.", ids or field.ids)


@lru_cache(maxsize=64)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
