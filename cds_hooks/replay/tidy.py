"""The shapes of nearly all lines: what fits them fits the reader's shapes, and is decoded in less time.

An Observation is decoded without most of the elements that the reader leaves as JSON, with its value as a binary number,
and with elements in the order in which FHIR has them. What does not fit is not tidy, whatever else it is. A value of 0 may
have been too small for a binary number, and too small for the reader: it is for the caller to look.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw, defstruct, field
from msgspec.structs import FieldInfo, fields

from cds_hooks.replay.heads import KINDS, Elements
from mappings.from_fhir import shapes
from mappings.from_fhir.datatypes import Value

FIRST: Final = ("id", "status", "category_json", "code_json", "subject", "effective_date_time", "issued")
"""The elements that most results have, in the order of https://hl7.org/fhir/R4/observation.html."""
DECIDING: Final = ("interpretation_json", "performer_json")
"""Of what the reader leaves as JSON, what decides whether a result that says something in words may wait."""


class Subject(Value, frozen=True):
    """A reference all of whose parts are there or left out, not null."""

    reference: str = ""
    type: str = ""
    display: str = ""


class Quantity(Value, frozen=True):
    """The same of a quantity."""

    value: float = 0
    comparator: str = ""
    unit: str = ""
    system: str = ""
    code: str = ""


NO_QUANTITY: Final[Any] = Quantity(0, "", None, None, None)  # type: ignore[arg-type]
"""Unlike any that was sent, which has no null."""
STRICTER: Final[dict[str, tuple[Any, Any]]] = {
    "subject": (Subject, Subject()),
    "patient": (None, None),
    "focus": (tuple[()], ()),
    "value_quantity": (Quantity, NO_QUANTITY),
}
"""Type and default of elements that allow less than the reader's. An Observation has no `patient`, and hardly any a focus."""


def _element(known: FieldInfo) -> tuple[str, Any, Any]:
    type_, default = STRICTER.get(known.name, (known.type, known.default))
    return known.name, type_, field(default=default, name=known.encode_name)


def _result() -> type[Any]:
    known = {found.name: found for found in fields(shapes.Observation)}
    needed = [name for name, found in known.items() if found.type is not Raw or name in DECIDING]
    return defstruct(
        "Result",
        [_element(known[name]) for name in dict.fromkeys([*FIRST, "value_quantity", *needed])],
        tag_field="resourceType",
        tag="Observation",
        gc=False,
    )


if TYPE_CHECKING:

    class Result(shapes.Observation):
        """An Observation that is tidy; for the type checker. What is stricter has the parts that are used."""

        subject: Subject = Subject()  # type: ignore[assignment]
        value_quantity: Quantity = NO_QUANTITY  # type: ignore[assignment]
else:
    Result = _result()
HEADS: Final = {
    defstruct(type_, [], bases=(Elements,), tag_field="resourceType", tag=type_): type_
    for type_ in (*KINDS, "Medication")
    if type_ != "Observation"
}
"""The other types, by the shapes of their elements."""
ALL: Final = reduce(or_, HEADS, Result)
decode: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(ALL).decode
"""A `Result`, or one of the `HEADS`. Raises ValueError and other `DATA_ERRORS` for what is not tidy."""


@lru_cache(100)
def passing_over(types: frozenset[str]) -> tuple[Callable[[bytes], Any], dict[type[Any], str]]:
    """`decode` for exports that hold resources of further types, and their shapes, which are empty, by name."""
    empty = {defstruct(type_, [], tag_field="resourceType", tag=type_, gc=False): type_ for type_ in types}
    return msgspec.json.Decoder(reduce(or_, empty, ALL)).decode, empty
