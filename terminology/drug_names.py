"""The reviewed word lists behind free-text recognition: names.yaml and routes.yaml, checked while they are read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct

FOLDER = Path(__file__).parent / "drugs"


class TextOnly(Struct, frozen=True, forbid_unknown_fields=True):
    """A medicine known by name alone, with the id of its class."""

    name: str
    drug_class: str = msgspec.field(name="class")
    also: str = ""
    names: tuple[str, ...] = ()


class Beside(Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to which an ingredient does not belong to a class."""

    is_not: str
    next_to: tuple[str, ...]


class Negation(Struct, frozen=True, forbid_unknown_fields=True):
    """Words that deny a medicine; names.yaml says how each list is used."""

    before: tuple[str, ...]
    reach: int
    harmless: tuple[str, ...]
    after: tuple[str, ...]
    next: tuple[str, ...]
    sentence_end: frozenset[str]
    clause_end: frozenset[str]
    joins: frozenset[str]


class NoMedicine(Struct, frozen=True, forbid_unknown_fields=True):
    """How a text states that no medicine is taken."""

    fillers: frozenset[str]
    denials: frozenset[str]
    alone: frozenset[str]
    things: frozenset[str]


class Names(Struct, frozen=True, forbid_unknown_fields=True):
    """names.yaml."""

    reviewed: date
    review_status: str
    second_names: dict[str, tuple[str, ...]]
    abbreviations: dict[str, tuple[str, ...]]
    further_names: dict[str, tuple[str, ...]]
    text_only: tuple[TextOnly, ...]
    not_the_drug: tuple[str, ...]
    not_a_brand: frozenset[str]
    salts: frozenset[str]
    bare_minerals: frozenset[str]
    beside_a_mineral: frozenset[str]
    minor_from_components: int
    beside: dict[str, tuple[Beside, ...]]
    negation: Negation
    no_medicine: NoMedicine


class Routes(Struct, frozen=True, forbid_unknown_fields=True):
    """routes.yaml."""

    source: str
    reviewed: date
    review_status: str
    precedence: tuple[str, ...]
    groups: dict[str, list[str]]
    order_only: dict[str, list[str]]
    narrower: dict[str, frozenset[str]]
    narrowed_by_text: frozenset[str]
    percent: str
    amount_units: frozenset[str]
    concentration_per: frozenset[str]


def read_names() -> Names:
    """Raises msgspec.ValidationError, naming the place, if the file is not as described here."""
    return msgspec.yaml.decode((FOLDER / "names.yaml").read_bytes(), type=Names)


def read_routes() -> Routes:
    """Raises msgspec.ValidationError, naming the place, if the file is not as described here."""
    return msgspec.yaml.decode((FOLDER / "routes.yaml").read_bytes(), type=Routes)
