"""The second, tolerant decode of a resource that does not have the shape it should have.

Only used after the typed decoder refused: a value of the wrong JSON type is read if what it means is plain
(`"status": ["final"]` is not, `"clinicalStatus": "active"` is) and left out otherwise, and the caller is
told which elements were left out.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, inspect

Shape = TypeVar("Shape", bound=msgspec.Struct)

MAIN_ELEMENT: Final = {
    "CodeableConcept": "text",
    "CodeableReference": "text",
    "Diagnosis": "text",
    "EncounterReason": "text",
    "Annotation": "text",
    "Dosage": "text",
    "Reference": "reference",
    "Quantity": "value",
}
"""What a bare string or number means where this complex type belongs (STU3 `clinicalStatus`)."""

_LEFT_OUT: Final = object()
_BUILTINS: Final = msgspec.json.Decoder(float_hook=Decimal)


def decode(content: bytes | Raw, shape: type[Shape]) -> tuple[Shape, frozenset[str]]:
    """Read a JSON object as `shape` and name the elements left out, as `code.coding.display`.

    Raises ValueError if the content is no JSON object, RecursionError if it is nested too deeply.
    """
    value = _BUILTINS.decode(content)
    left_out: set[str] = set()
    read = _read(value, _type_of(shape), "", left_out)
    if not isinstance(read, shape):
        raise msgspec.ValidationError("not a JSON object")
    return read, frozenset(left_out)


def decode_element(content: bytes, kind: Any) -> tuple[Any, frozenset[str]]:
    """Read one element as `kind`, and name what was left out; None if nothing could be read."""
    left_out: set[str] = set()
    read = _read(_BUILTINS.decode(content), _type_of(kind), "", left_out)
    return None if read is _LEFT_OUT else read, frozenset(left_out)


@lru_cache(maxsize=64)
def _type_of(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _read(value: Any, kind: inspect.Type, path: str, left_out: set[str]) -> Any:
    match kind:
        case inspect.UnionType():
            return _read(
                value, next(t for t in kind.types if not isinstance(t, inspect.NoneType)), path, left_out
            )
        case inspect.StructType():
            return _read_struct(value, kind, path, left_out)
        case inspect.VarTupleType():
            elements = value if isinstance(value, list) else [value]
            read = (_read(v, kind.item_type, path, left_out) for v in elements if v is not None)
            return tuple(v for v in read if v is not _LEFT_OUT)
        case inspect.RawType():
            return Raw(msgspec.json.encode(value))
        case _:
            read_value = _read_primitive(value, kind)
            if read_value is _LEFT_OUT:
                left_out.add(path)
            return read_value


def _read_struct(value: Any, kind: inspect.StructType, path: str, left_out: set[str]) -> Any:
    main = MAIN_ELEMENT.get(kind.cls.__name__)
    if main and isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        value = {main: value}
    if not isinstance(value, dict):
        left_out.add(path)
        return _LEFT_OUT
    elements: dict[str, Any] = {}
    for field in kind.fields:
        element = value.get(field.encode_name)
        if element is None:
            continue
        below = f"{path}.{field.encode_name}" if path else field.encode_name
        read = _read(element, field.type, below, left_out)
        if read is not _LEFT_OUT:
            elements[field.name] = read
    return kind.cls(**elements)


def _read_primitive(value: Any, kind: inspect.Type) -> Any:
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    match kind:
        case inspect.StrType() if isinstance(value, str):
            return value
        case inspect.StrType() if number:
            return str(value)
        case inspect.BoolType() if isinstance(value, bool):
            return value
        case inspect.BoolType() if value in ("true", "false"):
            return value == "true"
        case inspect.IntType() if isinstance(value, int) and number:
            return value
        case inspect.DecimalType() if number or isinstance(value, str):
            return _decimal(value)
        case _:
            return _LEFT_OUT


def _decimal(value: int | str | Decimal) -> Any:
    try:
        return Decimal(value)
    except InvalidOperation:
        return _LEFT_OUT
