"""The objects of CDS Hooks, read from `shapes.yaml` and, for the contexts, from `hooks.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from cds_hooks.validation.findings import Severity, listed
from cds_hooks.validation.hooks import Hook, HookField, hook_named, hooks

FILE = Path(__file__).parent / "shapes.yaml"
KINDS = ("discovery", "request", "response", "feedback")
"""The kinds of document, which are also the names of their outermost shapes."""
NO_EMPTIES = ("cds-hooks_2.0@3",)
EXTENSION = ("cds-hooks_2.0@214",)


class Format(Struct, frozen=True, forbid_unknown_fields=True):
    """A pattern for whole strings, and what it means in words."""

    pattern: str
    says: str


class Notice(Struct, frozen=True, forbid_unknown_fields=True):
    """What is reported whenever a field is there."""

    severity: Severity
    ids: tuple[str, ...]
    because: str


class Field(Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "is", "nullable": "null"}):
    """One field of a shape; `shapes.yaml` explains the members."""

    kind: str
    ids: tuple[str, ...]
    send: str
    array: bool = False
    map: bool = False
    required: bool | Literal["recommended"] = False
    empty: bool = False
    nullable: bool = False
    values: tuple[str, ...] = ()
    format: str = ""
    longest: int | None = None
    required_ids: tuple[str, ...] = ()
    value_ids: tuple[str, ...] = ()
    notice: Notice | None = None
    types: tuple[str, ...] = ()
    """The resource types allowed: of the resource itself, or of what a reference points to."""

    @property
    def ids_if_missing(self) -> tuple[str, ...]:
        return self.required_ids or self.ids

    @property
    def ids_of_value(self) -> tuple[str, ...]:
        return self.value_ids or self.ids

    def pattern(self) -> Format | None:
        """What the string must look like, if that is defined."""
        if self.format == "reference" and self.types:
            says = "a relative reference, " + listed(tuple(f"{name}/id" for name in self.types))
            return Format(rf"^({'|'.join(self.types)})/[^\s/]+$", says)
        return formats()[self.format] if self.format else None


class Condition(Struct, frozen=True, forbid_unknown_fields=True, rename={"field": "if", "values": "is"}):
    """If `field` is there (with one of `values`, where given), then `needs` must or `bars` must not be there."""

    field: str
    ids: tuple[str, ...]
    values: tuple[str, ...] = ()
    needs: str = ""
    bars: str = ""


class Shape(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of object."""

    fields: dict[str, Field]
    conditions: tuple[Condition, ...] = ()


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    formats: dict[str, Format]
    shapes: dict[str, Shape]


@cache
def _file() -> _File:
    return msgspec.convert(yaml.safe_load(FILE.read_text(encoding="utf-8")), _File)


@cache
def formats() -> Mapping[str, Format]:
    """The formats by name."""
    return _file().formats


@cache
def shapes() -> Mapping[str, Shape]:
    """Every shape by name; the context of a hook is `context:<hook>`. Raises msgspec.ValidationError for a bad file."""
    return _file().shapes | {f"context:{hook.name}": _context(hook) for hook in hooks().values()}


def context_shape(hook: object) -> str:
    """The name of the shape of a hook's context; `object` (nothing is known) for a custom hook."""
    known = hook_named(hook)
    return f"context:{known.name}" if known else "object"


def _context(hook: Hook) -> Shape:
    return Shape({name: _context_field(name, field) for name, field in hook.fields.items()})


def _context_field(name: str, field: HookField) -> Field:
    """The field of a context as the field of a shape."""
    text = field.kind in ("string", "reference", "references")
    of = f"a FHIR {listed(field.types)}" if field.types and not text else "an object"
    fmt = "bare_id" if field.id_of else "reference" if text else ""
    word = "string" if text else "resource" if field.kind.startswith("resource") else "object"
    made = Field(
        kind=word,
        ids=field.ids_for("type"),
        required_ids=field.ids_for("presence"),
        value_ids=field.ids_for("content"),
        array=field.kind.endswith("s"),
        required=field.required,
        format=fmt,
        types=field.types,
        send=of,
    )
    pattern = made.pattern()
    says = pattern.says if pattern else of
    return msgspec.structs.replace(
        made, send=f"an array, each item {says}" if made.array else f"`{name}`, {says}"
    )
