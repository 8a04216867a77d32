"""Drug classes and the rules by which a member counts as acting on the whole body: classes.yaml, compiled.

A rule belongs to one ingredient in one class, because routes may differ between ingredients of a class.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec
from msgspec import Struct

from terminology.drug_names import FOLDER

UnknownRoute = Literal["systemic", "local", "by_ingredient"]


class AtcPrefix(Struct, frozen=True, forbid_unknown_fields=True):
    """An ATC prefix of a class; classes.yaml says what the fields mean."""

    prefix: str
    route: str = ""
    routes: frozenset[str] | None = None
    named: bool = False


class DrugClass(Struct, frozen=True, forbid_unknown_fields=True, eq=False):
    """One class of classes.yaml; the head of that file says what the fields mean."""

    id: str
    title: str
    table_classes: tuple[str, ...] = msgspec.field(name="from")
    source: str
    reviewed: date
    review_status: str
    only: frozenset[str] | None = None
    not_counted: frozenset[str] = frozenset()
    systemic_routes: frozenset[str] | None = None
    systemic_routes_of: dict[str, frozenset[str]] = {}
    unknown_route: UnknownRoute = "systemic"
    unknown_route_of: dict[str, UnknownRoute] = {}
    amount_is_systemic: bool = False
    minor: bool = True
    local: dict[str, str] = {}
    atc: tuple[AtcPrefix, ...] = ()


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    review: dict[str, object]
    classes: tuple[DrugClass, ...]


class Rule(Struct, frozen=True, eq=False):
    """When one ingredient counts in one class. Compared by identity: each exists once."""

    drug_class: str
    routes: frozenset[str] | None
    """Route groups that count; None: every one."""
    unknown: bool
    """Whether an unknown route counts."""
    amount: bool
    """Whether an unknown route counts if a plain amount in mg is stated."""
    minor: bool
    """Whether a minor component counts."""
    local: dict[str, str]

    def counts(self, route: str, *, amount: bool) -> bool:
        """Whether the ingredient, taken by this route group ("" = unknown), acts on the whole body."""
        if not route:
            return self.unknown or (self.amount and amount)
        return self.routes is None or route in self.routes

    def local_name(self, route: str) -> str:
        """What the ingredient is called when it does not count by this route; "" = nothing."""
        return self.local.get(route) or self.local.get("other", "")


class AtcGroup(Struct, frozen=True, eq=False):
    """What an ATC prefix says by itself."""

    rules: tuple[Rule, ...]
    classes: frozenset[str]
    """Class ids a name in the text may belong to."""
    route: str


class ClassRules:
    """The rules of every ingredient, made on demand and kept: the same ingredient in the same class is the same rule."""

    def __init__(
        self, classes: tuple[DrugClass, ...], unknown_routes: Mapping[tuple[str, str], bool]
    ) -> None:
        self.classes = {drug_class.id: drug_class for drug_class in classes}
        self._unknown_routes = unknown_routes
        self._made: dict[tuple[str, str], Rule] = {}

    def of(self, ingredient: str, table_classes: str) -> tuple[Rule, ...]:
        """The rules of an ingredient whose classes in the source tables are `table_classes`, split at "|".

        Empty for an ingredient that is recognised but does not count (`not_counted`).
        """
        names = table_classes.split("|")
        return tuple(
            self.rule(ingredient, drug_class)
            for drug_class in self.classes.values()
            if not drug_class.not_counted.intersection([ingredient])
            and any(name in drug_class.table_classes for name in names)
            and (drug_class.only is None or ingredient in drug_class.only)
        )

    def rule(self, ingredient: str, drug_class: DrugClass) -> Rule:
        """The rule of this ingredient in this class."""
        key = (ingredient, drug_class.id)
        if key not in self._made:
            unknown = drug_class.unknown_route_of.get(ingredient, drug_class.unknown_route)
            counted = (
                self._unknown_routes.get(key, True) if unknown == "by_ingredient" else unknown == "systemic"
            )
            routes = drug_class.systemic_routes_of.get(ingredient, drug_class.systemic_routes)
            self._made[key] = _rule(drug_class, routes, unknown=counted)
        return self._made[key]

    def atc(self) -> dict[str, AtcGroup]:
        """Every ATC prefix with what it says."""
        found: dict[str, list[tuple[AtcPrefix, DrugClass]]] = {}
        for drug_class in self.classes.values():
            for entry in drug_class.atc:
                found.setdefault(entry.prefix, []).append((entry, drug_class))
        return {prefix: _atc_group(entries) for prefix, entries in found.items()}


def _rule(drug_class: DrugClass, routes: frozenset[str] | None, *, unknown: bool) -> Rule:
    return Rule(
        drug_class.id, routes, unknown, drug_class.amount_is_systemic, drug_class.minor, drug_class.local
    )


def _atc_group(entries: list[tuple[AtcPrefix, DrugClass]]) -> AtcGroup:
    rules = tuple(
        _rule(drug_class, entry.routes or drug_class.systemic_routes, unknown=entry.routes is None)
        for entry, drug_class in entries
        if not entry.named
    )
    return AtcGroup(rules, frozenset(drug_class.id for _, drug_class in entries), entries[0][0].route)


def read_classes() -> tuple[DrugClass, ...]:
    """Raises msgspec.ValidationError, naming the place, if the file is not as described here."""
    return msgspec.yaml.decode((FOLDER / "classes.yaml").read_bytes(), type=_File).classes


def read_unknown_routes() -> dict[tuple[str, str], bool]:
    """(ingredient, class id) -> whether an unknown route counts; every row states the product counts behind it."""
    with (FOLDER / "unknown_route.csv").open(encoding="utf-8", newline="") as lines:
        return {
            (row["ingredient"], row["drug_class"]): row["unknown_route"] == "systemic"
            for row in csv.DictReader(lines)
        }
