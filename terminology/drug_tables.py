"""The drug tables in memory: code -> ingredients, route and classes; and the names for free text.

Sources are in each row of the files under terminology/drugs (key into sources.csv); README.md there says how they were
made. Loaded once; a product code costs one dictionary entry, an NDC twelve bytes.
"""

from __future__ import annotations

import csv
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

from terminology.drug_classes import AtcGroup, ClassRules, Rule, read_classes, read_unknown_routes
from terminology.drug_names import FOLDER, Names, Routes, TextOnly, read_names, read_routes

# Which of several RxNorm codes of one order says most. A product with a dose form before one without.
RANKS = {"product": 0, "component": 1, "MIN": 2, "IN": 3, "PIN": 3, "BN": 4}


class Member(Struct, frozen=True, eq=False):
    """An ingredient with the rules by which it counts here. Compared by identity: each exists once."""

    ingredient: str
    rules: tuple[Rule, ...]
    minor: bool = False
    """One of many: a multivitamin's magnesium."""


class Product(Struct, frozen=True, eq=False):
    """What a code stands for. Shared by all codes that mean the same."""

    members: tuple[Member, ...]
    route: str
    rank: int


class DrugName(Struct, frozen=True, eq=False):
    """A name to look for in text, and how the brand is taken ("" if unknown or not a brand)."""

    text: str
    members: tuple[Member, ...]
    route: str = ""


class DrugTables(Struct, frozen=True, eq=False):
    """Everything `recognise` looks up."""

    rxnorm: dict[int, Product]
    ndc: array[int]
    """Sorted 11-digit NDCs; `ndc_product` holds the RxNorm product at the same place."""
    ndc_product: array[int]
    snomed: dict[int, Product]
    atc: dict[str, AtcGroup]
    drug_names: tuple[DrugName, ...]
    as_minor: dict[Member, Member]
    """Members that the tables know as minor components of a long list, and what they are there."""
    names: Names
    routes: Routes

    def by_ndc(self, ndc11: int) -> Product | None:
        """The product with this 11-digit NDC."""
        place = bisect_left(self.ndc, ndc11)
        if place < len(self.ndc) and self.ndc[place] == ndc11:
            return self.rxnorm[self.ndc_product[place]]
        return None


class _Loader:
    """Makes members and products, each once."""

    def __init__(self) -> None:
        self.names = read_names()
        self.rules = ClassRules(read_classes(), read_unknown_routes())
        self.members: dict[tuple[str, str, bool], Member] = {}
        self.products: dict[tuple[tuple[Member, ...], str, int], Product] = {}

    def member(self, ingredient: str, table_classes: str, minor: str = "") -> Member:
        key = (ingredient, table_classes, bool(minor))
        if key not in self.members:
            self.members[key] = Member(ingredient, self.rules.of(ingredient, table_classes), key[2])
        return self.members[key]

    def product(self, members: tuple[Member, ...], route: str, rank: int) -> Product:
        return self.products.setdefault((members, route, rank), Product(members, route, rank))


@cache
def drug_tables() -> DrugTables:
    """The tables, read on first use. Raises OSError, ValueError or KeyError if a file is missing or broken."""
    loader = _Loader()
    ingredients = list(_rows("ingredients.csv"))
    brands = list(_rows("brands.csv"))
    found: dict[int, tuple[list[Member], str, int]] = {}
    for rxcui, _, _, ingredient, table_classes, route, minor, *_ in _rows("products.csv"):
        _add(
            found,
            rxcui,
            loader.member(ingredient, table_classes, minor),
            route,
            RANKS["product" if route else "component"],
        )
    for rxcui, tty, _, ingredient, table_classes, minor, *_ in ingredients:
        _add(found, rxcui, loader.member(ingredient, table_classes, minor), "", RANKS[tty])
    for rxcui, _, ingredient, table_classes, route, minor, *_ in brands:
        if rxcui:
            _add(found, rxcui, loader.member(ingredient, table_classes, minor), route, RANKS["BN"])
    ndc, ndc_product = _ndc()
    alone = {row[3]: loader.member(row[3], row[4]) for row in ingredients if row[1] == "IN"}
    return DrugTables(
        rxnorm={
            code: loader.product(tuple(members), route, rank)
            for code, (members, route, rank) in found.items()
        },
        ndc=ndc,
        ndc_product=ndc_product,
        snomed={
            int(code): loader.product((alone[ingredient],), "", RANKS["IN"])
            for code, _, ingredient, _, _ in _rows("snomed.csv")
        },
        atc=loader.rules.atc(),
        drug_names=tuple(_drug_names(loader, alone, ingredients, brands)),
        as_minor={
            loader.member(name, classes): member
            for (name, classes, minor), member in list(loader.members.items())
            if minor
        },
        names=loader.names,
        routes=read_routes(),
    )


def _add(
    found: dict[int, tuple[list[Member], str, int]], code: str, member: Member, route: str, rank: int
) -> None:
    members, _, _ = found.setdefault(int(code), ([], route, rank))
    if member not in members:
        members.append(member)


def _ndc() -> tuple[array[int], array[int]]:
    numbers = array(
        "Q", map(int, (FOLDER / "ndc.csv").read_text("ascii").partition("\n")[2].replace(",", "\n").split())
    )
    return numbers[::2], array("I", numbers[1::2])


def _drug_names(
    loader: _Loader, alone: dict[str, Member], ingredients: list[list[str]], brands: list[list[str]]
) -> Iterator[DrugName]:
    """Ingredients, salts, their other names, medicines known by name only, and brands; the first of a name wins."""
    names = loader.names
    plain = [
        DrugName(name, (alone[ingredient],)) for _, tty, name, ingredient, *_ in ingredients if tty != "MIN"
    ]
    for others in (names.second_names, names.abbreviations, names.further_names):
        plain += [
            DrugName(text, (alone[ingredient],)) for ingredient, texts in others.items() for text in texts
        ]
    for entry in names.text_only:
        member = _text_only(loader, entry)
        plain += [DrugName(text, (member,)) for text in (entry.name, *entry.names)]
    yield from plain
    by_brand: dict[str, tuple[list[Member], set[str]]] = {}
    for _, brand, ingredient, table_classes, route, minor, *_ in brands:
        for text, usual in _brand_names(brand, route, names.not_a_brand):
            members, routes = by_brand.setdefault(text, ([], set()))
            members.append(loader.member(ingredient, table_classes, minor))
            routes.add(usual)
    for text, (members, routes) in by_brand.items():
        yield DrugName(text, tuple(members), routes.pop() if len(routes) == 1 else "")
    # German and Scandinavian texts drop a name's last e: furosemid, omeprazol, prednisolon.
    for name in plain:
        if re.fullmatch(r"[a-z]{6,}e", name.text):
            yield DrugName(name.text[:-1], name.members)


def _text_only(loader: _Loader, entry: TextOnly) -> Member:
    classes = loader.rules.classes
    ids = [entry.drug_class, entry.also] if entry.also else [entry.drug_class]
    return Member(entry.name, tuple(loader.rules.rule(entry.name, classes[name]) for name in ids))


def _brand_names(brand: str, route: str, ordinary_words: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The brand without RxNorm's remark on its formula, and its route.

    "HFA" is the propellant of an inhaler: without it the brand may be a syrup or a nebuliser solution as well.
    """
    name = re.sub(r" Reformulated .*| \(New Formula\)$", "", brand).strip('"')
    if name.lower() not in ordinary_words:
        yield name, route
    if name.endswith(" HFA"):
        yield name.removesuffix(" HFA"), ""


def _rows(file: str) -> Iterator[list[str]]:
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        yield from rows
