"""The same shapes as JSON Schema (draft 2020-12). `python -m cds_hooks.validation.json_schema` writes `schemas/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cds_hooks.validation.hooks import hooks
from cds_hooks.validation.shapes import EXTENSION, KINDS, NO_EMPTIES, Condition, Field, Shape, formats, shapes

FOLDER = Path(__file__).parent / "schemas"
Schema = dict[str, Any]

PRESENT: Schema = {
    "$comment": NO_EMPTIES[0],
    "description": "Any value without null and without empty strings, arrays and objects, at any depth.",
    "type": ["string", "number", "boolean", "array", "object"],
    "minLength": 1,
    "minItems": 1,
    "minProperties": 1,
    "items": {"$ref": "#/$defs/present"},
    "additionalProperties": {"$ref": "#/$defs/present"},
}
FHIR: Schema = PRESENT | {
    "description": "Any part of a FHIR resource: as `present`, but an item of an array may be null.",
    "items": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/fhir"}]},
    "additionalProperties": {"$ref": "#/$defs/fhir"},
}
EXTENSION_OBJECT: Schema = {
    "$comment": EXTENSION[0],
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"$ref": "#/$defs/present"},
}
ONE_RECOMMENDED: Schema = {
    "$comment": "cds-hooks_2.0@122, cds-resp-1",
    "if": {"properties": {"selectionBehavior": {"const": "at-most-one"}}, "required": ["selectionBehavior"]},
    "then": {
        "properties": {
            "suggestions": {
                "contains": {
                    "type": "object",
                    "properties": {"isRecommended": {"const": True}},
                    "required": ["isRecommended"],
                },
                "minContains": 0,
                "maxContains": 1,
            }
        }
    },
}
"""The one invariant that `shapes.yaml` cannot say and JSON Schema can."""


def schema(kind: str) -> Schema:
    """The schema of one kind of document, complete in itself."""
    used = _used(kind)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:twitching-cds:cds-hooks-2.0:{kind}",
        "title": f"CDS Hooks 2.0 {kind}",
        "$ref": f"#/$defs/{kind}",
        "$defs": {name: _object(name) for name in used}
        | {"extension": EXTENSION_OBJECT, "present": PRESENT, "fhir": FHIR},
    }


def _used(kind: str) -> list[str]:
    """The names of the shapes that a kind of document is made of."""
    found = [kind]
    for name in found:
        below = [
            shape
            for field in shapes()[name].fields.values()
            for shape in (
                [f"context:{hook}" for hook in hooks()] if field.kind == "context" else [field.kind]
            )
        ]
        found += [shape for shape in dict.fromkeys(below) if shape in shapes() and shape not in found]
    return found


def _object(name: str) -> Schema:
    shape = shapes()[name]
    needed = [field_name for field_name, field in shape.fields.items() if field.required is True]
    made: Schema = {
        "type": "object",
        "minProperties": 1,
        "properties": {field_name: _field(field) for field_name, field in shape.fields.items()}
        | {"extension": {"$ref": "#/$defs/extension"}},
        "additionalProperties": {"$ref": "#/$defs/present"},
    }
    if needed:
        made["required"] = needed
    conditions = [_condition(condition) for condition in shape.conditions] + _special(name, shape)
    if conditions:
        made["allOf"] = conditions
    return made


def _special(name: str, shape: Shape) -> list[Schema]:
    """What ties fields together in ways of its own."""
    if name == "card":
        return [ONE_RECOMMENDED]
    if any(field.kind == "context" for field in shape.fields.values()):
        return [
            {"if": _hook_is([hook]), "then": {"properties": {"context": {"$ref": f"#/$defs/context:{hook}"}}}}
            for hook in hooks()
        ] + [
            {"if": _hook_is(list(hooks())), "else": {"properties": {"context": {"$ref": "#/$defs/present"}}}}
        ]
    return []


def _hook_is(names: list[str]) -> Schema:
    return {"properties": {"hook": {"enum": names}}, "required": ["hook"]}


def _field(field: Field) -> Schema:
    made: Schema = {
        "$comment": ", ".join(dict.fromkeys((*field.ids, *field.ids_of_value))),
        "description": field.send,
    }
    value = _value(field)
    if field.array:
        made |= {"type": "array", "items": value} | ({} if field.empty else {"minItems": 1})
    elif field.map:
        item: Schema = {"anyOf": [{"type": "null"}, value]} if field.nullable else value
        made |= {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"minLength": 1},
            "additionalProperties": item,
        }
    else:
        made |= value
    return made


def _value(field: Field) -> Schema:
    """One value, as `structure` checks it."""
    match field.kind:
        case "string":
            return _string(field)
        case "boolean" | "integer":
            return {"type": field.kind}
        case "resource":
            return _resource(field)
        case "context":
            return {"type": "object", "minProperties": 1}
        case "object":
            return {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/present"}}
        case "any":
            return {"$ref": "#/$defs/present"}
        case shape:
            return {"$ref": f"#/$defs/{shape}"}


def _string(field: Field) -> Schema:
    made: Schema = {"type": "string", "minLength": 1}
    pattern = field.pattern()
    if field.values:
        made["enum"] = list(field.values)
    if field.longest is not None:
        made["maxLength"] = field.longest
    if pattern:
        made["pattern"] = pattern.pattern
    return made


def _resource(field: Field) -> Schema:
    kind: Schema = {"type": "string", "pattern": formats()["resource_type"].pattern}
    if field.types:
        kind["enum"] = list(field.types)
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": kind},
        "additionalProperties": {"$ref": "#/$defs/fhir"},
    }


def _condition(condition: Condition) -> Schema:
    given: Schema = {"required": [condition.field]}
    if condition.values:
        given["properties"] = {condition.field: {"enum": list(condition.values)}}
    then: Schema = (
        {"required": [condition.needs]} if condition.needs else {"not": {"required": [condition.bars]}}
    )
    return {"$comment": ", ".join(condition.ids), "if": given, "then": then}


def as_text(kind: str) -> str:
    """The content of the schema's file."""
    return json.dumps(schema(kind), indent=2) + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write the files of all kinds."""
    for kind in KINDS:
        (folder / f"{kind}.schema.json").write_text(as_text(kind), encoding="utf-8")


if __name__ == "__main__":  # pragma: no cover - run by hand
    write()
