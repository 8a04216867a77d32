"""Which drug classes a medication belongs to, by its codes, else by its text, and whether its route makes it count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

from msgspec import Struct

from terminology.coding import (
    ATC,
    NDC,
    RXNORM,
    SNOMED_CT,
    CodingLike,
    canonical_system,
)
from terminology.drug_classes import AtcGroup
from terminology.drug_tables import DrugTables, Member, Product, drug_tables
from terminology.drug_text import CACHED, Reading, order_route, read, says_no_medicine

By: TypeAlias = Literal["", "rxnorm", "ndc", "atc", "snomed", "text"]

_NDC_PARTS = re.compile(r"(\d{4,5})-(\d{3,4})-(\d{1,2})")
_ATC_CODE = re.compile(r"[A-Z]\d\d[A-Z]{0,2}(?:\d\d)?")
_ATC_LENGTHS = (7, 5, 4, 3)


class DrugMatch(Struct, frozen=True):
    """What one medication is. No ingredients: it is in none of the tables, which says nothing about the medicine."""

    ingredients: tuple[str, ...] = ()
    """Names in the tables (`furosemide`); an ATC code where only a code says which agent it is."""
    classes: tuple[str, ...] = ()
    """Ids of classes.yaml that count by this route."""
    local: tuple[str, ...] = ()
    """What its ingredients are called in classes that do not count by this route (`inhaled_corticosteroid`)."""
    route: str = ""
    """Route group of routes.yaml, "" if unknown."""
    by: By = ""
    no_medicine: bool = False
    """The record states that no medicine is taken."""


UNKNOWN = DrugMatch()


def recognise(codings: Sequence[CodingLike], texts: Sequence[str], route: str = "") -> DrugMatch:
    """What a medication with these codings and texts, ordered by this route, is.

    Systems are consulted in this order until one knows a code: RxNorm (product, combination, ingredient, salt,
    brand), NDC, ATC, SNOMED CT. Several ingredient codes together are a combination. Text is read only if no code
    is known: the displays of the codings together, then `texts` one by one, until one names a medicine.

    `route` is the order's own route, in free text or as a display. If understood it wins over the product's, except
    where routes.yaml calls the product's narrower. Never raises; the first call reads the tables.
    """
    tables = drug_tables()
    product, by = _by_code(codings, tables)
    stated = order_route(route[:CACHED]) if route else ""
    if product is not None:
        group = (
            product.route if not stated or product.route in tables.routes.narrower.get(stated, ()) else stated
        )
        if product.route and group not in tables.routes.narrowed_by_text:
            return _judge(product.members, group, by, amount=False)
        return _with_texts(product.members, group, by, _said(codings, texts))
    said = _said(codings, texts)
    if atc := _by_atc(codings, tables):
        code, prefix = atc
        return _with_texts(_named_members(prefix, code, said), stated or prefix.route, "atc", said)
    if (product := _by_snomed(codings, tables)) is not None:
        return _with_texts(product.members, stated, "snomed", said)
    displays = tuple(coding.display for coding in codings if coding.display)
    return _by_text(displays, said or _coded_words(codings), stated)


def _with_texts(members: tuple[Member, ...], route: str, by: By, said: tuple[str, ...]) -> DrugMatch:
    """Judge by the route so far, made exact or supplied by what the texts say."""
    judge = _judge_with_texts if _is_short(said) else _judge_with_texts.__wrapped__
    return judge(members, route, by, said)


def _by_text(displays: tuple[str, ...], said: tuple[str, ...], stated: str) -> DrugMatch:
    read_all = _read_all if _is_short(said) else _read_all.__wrapped__
    return read_all(displays, said, stated)


def _is_short(said: tuple[str, ...]) -> bool:
    return sum(map(len, said)) <= CACHED


@lru_cache(maxsize=2048)
def _read_all(displays: tuple[str, ...], said: tuple[str, ...], stated: str) -> DrugMatch:
    for texts in (displays, *((text,) for text in said)):
        if members := tuple(dict.fromkeys(member for text in texts for member in read(text).members)):
            return _judge_with_texts.__wrapped__(members, stated, "text", said)
    return DrugMatch(no_medicine=True) if said and all(map(says_no_medicine, said)) else UNKNOWN


@lru_cache(maxsize=2048)
def _judge_with_texts(members: tuple[Member, ...], route: str, by: By, said: tuple[str, ...]) -> DrugMatch:
    """The route that the text naming the medicine says comes first, then what other texts and the brand say."""
    readings = [read(text) for text in said]
    naming = next((reading for reading in readings if reading.members), Reading())
    hints = [naming.route, *(reading.route for reading in readings), naming.brand_route]
    hint = next((group for group in hints if group), "")
    group = hint if not route or hint in drug_tables().routes.narrower.get(route, ()) else route
    return _judge(members, group, by, amount=any(reading.amount for reading in readings))


@lru_cache(maxsize=4096)
def _judge(members: tuple[Member, ...], route: str, by: By, *, amount: bool) -> DrugMatch:
    classes: dict[str, None] = {}
    local: dict[str, None] = {}
    for member in members:
        for rule in member.rules:
            if member.minor and not rule.minor:
                continue
            if rule.counts(route, amount=amount):
                classes[rule.drug_class] = None
            elif name := rule.local_name(route):
                local[name] = None
    ingredients = tuple(dict.fromkeys(member.ingredient for member in members))
    return DrugMatch(ingredients, tuple(classes), tuple(local), route, by)


def _by_code(codings: Sequence[CodingLike], tables: DrugTables) -> tuple[Product | None, By]:
    best: Product | None = None
    for coding in codings:
        if coding.code and canonical_system(coding.system) == RXNORM:
            product = tables.rxnorm.get(_number(coding.code))
            if product is None or product is best:
                continue
            if best is None or product.rank < best.rank:
                best = product
            elif product.rank == best.rank:
                best = _together(best, product)
    if best is not None:
        return best, "rxnorm"
    for coding in codings:
        if coding.code and canonical_system(coding.system) == NDC:
            product = _by_ndc(coding.code.strip(), tables)
            if product is not None:
                return product, "ndc"
    return None, ""


@lru_cache(maxsize=256)
def _together(one: Product, other: Product) -> Product:
    """Two codes that say equally much: the ingredients of a combination, listed one by one."""
    members = tuple(dict.fromkeys((*one.members, *other.members)))
    return Product(members, one.route or other.route, one.rank)


def _number(code: str) -> int:
    """The code as a number, -1 if it is none. RxNorm and SNOMED CT identifiers have no more than 18 digits."""
    code = code.strip()
    return int(code) if len(code) <= 18 and code.isascii() and code.isdigit() else -1


def _by_ndc(code: str, tables: DrugTables) -> Product | None:
    """The product of an NDC in any of its forms: 11 digits, or 10 with or without the hyphens of the label.

    Ten digits without hyphens can be padded in three places; they are understood only if one product fits.
    """
    parts = _NDC_PARTS.fullmatch(code)
    if parts and len(code) >= len("1234-1234-12"):
        return tables.by_ndc(int(parts[1].zfill(5) + parts[2].zfill(4) + parts[3].zfill(2)))
    if not (code.isascii() and code.isdigit()):
        return None
    if len(code) == 11:
        return tables.by_ndc(int(code))
    if len(code) == 10:
        padded = ("0" + code, f"{code[:5]}0{code[5:]}", f"{code[:9]}0{code[9:]}")
        found = {product for each in padded if (product := tables.by_ndc(int(each))) is not None}
        return found.pop() if len(found) == 1 else None
    return None


def _by_atc(codings: Sequence[CodingLike], tables: DrugTables) -> tuple[str, AtcGroup] | None:
    for coding in codings:
        if coding.code and canonical_system(coding.system) == ATC:
            code = coding.code.strip().upper()
            if _ATC_CODE.fullmatch(code):
                for length in _ATC_LENGTHS:
                    if group := tables.atc.get(code[:length]):
                        return code, group
    return None


def _named_members(group: AtcGroup, code: str, said: Sequence[str]) -> tuple[Member, ...]:
    """The agents that a text names, if one of them is what the ATC code says; else the code itself as the agent."""
    for text in said:
        members = read(text).members
        if any(rule.drug_class in group.classes for member in members for rule in member.rules):
            return members
    return (_atc_member(group, code),)


@lru_cache(maxsize=512)
def _atc_member(group: AtcGroup, code: str) -> Member:
    return Member(code, group.rules)


def _by_snomed(codings: Sequence[CodingLike], tables: DrugTables) -> Product | None:
    for coding in codings:
        if coding.code and canonical_system(coding.system) == SNOMED_CT:
            product = tables.snomed.get(_number(coding.code))
            if product is not None:
                return product
    return None


def _said(codings: Sequence[CodingLike], texts: Sequence[str]) -> tuple[str, ...]:
    """The displays of the codings, then the texts, each once."""
    displays = [coding.display for coding in codings if coding.display]
    return tuple(dict.fromkeys([*displays, *filter(None, texts)]))


def _coded_words(codings: Sequence[CodingLike]) -> tuple[str, ...]:
    """Codes that are words (`no-known-medications`), where an order has no other text."""
    return tuple(coding.code for coding in codings if coding.code and not coding.code.isdigit())
