"""Every rule of a rule set with the place to mend it at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from msgspec import Struct

from mappings.knowledge import Knowledge
from mappings.limit_rules import AnalyteRule


class Defect(Struct, frozen=True, order=True):
    """One thing to mend: the file, and what to write instead."""

    where: str
    problem: str


def stem(name: str) -> str:
    """The file name of an id: `drug:thiazide` is in `drug_thiazide.yaml`."""
    return name.replace(":", "_")


def folders(knowledge: Knowledge) -> dict[str, Mapping[str, Any]]:
    """The folders with one file per rule."""
    return {
        "contributors": knowledge.contributors,
        "red_flags": knowledge.red_flags,
        "orders": knowledge.orders,
        "analytes": {**knowledge.analytes, knowledge.calcium.id: knowledge.calcium},
        "spurious": knowledge.spurious,
    }


def rules(knowledge: Knowledge) -> Iterator[tuple[str, Any]]:
    """Every rule with conditions, sources and a review, by its place."""
    for folder, group in folders(knowledge).items():
        for name, rule in group.items():
            yield f"{folder}/{stem(name)}.yaml", rule
    for name, note in knowledge.notes.items():
        yield f"notes.yaml ({name})", note


def cited(rule: Any) -> tuple[str, ...]:
    """Every source a rule names, those of its limits too, each once."""
    found = [*rule.references]
    if isinstance(rule, AnalyteRule):
        for part in (*rule.bands.low, *rule.bands.high, rule.reference, rule.pregnancy):
            found += part.references if part else ()
    return tuple(dict.fromkeys(found))


def listed(where: str, field: str, values: tuple[str, ...], known: set[str]) -> Iterator[Defect]:
    """The names of `values` that are not known, each with what it may have meant."""
    for value in values:
        if value not in known:
            close = get_close_matches(value, sorted(known), n=1)
            advice = f"did you mean `{close[0]}`?" if close else "correct it, or add what it names"
            yield Defect(
                where, f"`{field.removeprefix('$.')}` names `{value}`, which nothing defines; {advice}"
            )
