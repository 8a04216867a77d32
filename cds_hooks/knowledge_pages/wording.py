"""The words of the knowledge pages (`words.yaml`), and names of what the rules speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from cds_hooks.card_wording import card_wording
from mappings.assessment import Indicator, Strength, Tier
from mappings.knowledge import Knowledge
from mappings.rule_language import Limit, PerUnit, Review

BREAK = re.compile(r"[:;]|\.(?:\s|$)")
"""Where the beginning of a sentence ends."""


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """`words.yaml`."""

    review: Review
    source: str
    tiers: dict[Tier, str]
    strengths: dict[Strength, str]
    indicators: dict[Indicator, str]
    urgencies: dict[str, str]
    order_urgencies: dict[str, str]
    precedence: dict[str, str]
    directions: dict[str, str]
    bounds: dict[str, str]
    moves: dict[str, str]
    condition: dict[str, str]
    names: dict[str, str]
    groups: dict[str, str]
    say: dict[str, str]


@cache
def words() -> Words:
    """The words. Raises msgspec.ValidationError when the file does not fit."""
    path = Path(__file__).with_name("words.yaml")
    return msgspec.convert(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader), Words)


def name_of(identifier: str) -> str:
    """A concept, history item or route in words."""
    return words().names.get(identifier, identifier.replace("_", " "))


def called(rule: Any) -> str:
    """The title of a rule; a remark has none and is called by how its sentence begins."""
    return str(getattr(rule, "title", "") or BREAK.split(rule.says, 1)[0])


def title_of(identifier: str, knowledge: Knowledge) -> str:
    """The title of a rule, analyte, test or class; an id that has none is read as words."""
    tables: Iterable[Mapping[str, object]] = (
        knowledge.contributors,
        knowledge.red_flags,
        knowledge.orders,
        knowledge.analytes,
        knowledge.spurious,
        knowledge.notes,
        knowledge.drug_classes,
        {knowledge.calcium.id: knowledge.calcium},
    )
    found = next((table[identifier] for table in tables if identifier in table), None)
    return called(found) if found else name_of(identifier)


def quantity(value: Decimal, unit: str) -> str:
    """`1.4 mEq/L`: with the unit as the cards print it."""
    return f"{value:f} {card_wording().units.get(unit, unit)}"


def per_unit(limit: PerUnit) -> str:
    """`0.7 mmol/L (1.7 mg/dL, 1.4 mEq/L)`; empty when there is none."""
    stated = [quantity(value, unit) for unit, value in limit.items()]
    return " ".join((*stated[:1], *([f"({', '.join(stated[1:])})"] if stated[1:] else [])))


def bounds(limit: Limit, *, units: bool = True) -> str:
    """`at least 40 a`, or without its unit; several bounds are joined."""
    said = []
    for name, text in words().bounds.items():
        stated: PerUnit = getattr(limit, name)
        if stated:
            value = per_unit(stated) if units else f"{next(iter(stated.values())):f}"
            said.append(text.format(value=value))
    return words().condition["bounds"].join(said)


def listing(items: Iterable[str]) -> str:
    """`a, b or c`."""
    known = list(dict.fromkeys(items))
    if len(known) < 2:
        return "".join(known)
    return ", ".join(known[:-1]) + words().condition["or"] + known[-1]
