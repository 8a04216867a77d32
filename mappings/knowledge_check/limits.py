"""Limits that cannot be held against a result, or that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from mappings.knowledge import Knowledge
from mappings.knowledge_check.rules import Defect
from mappings.limit_rules import AnalyteRule, Band
from mappings.rule_language import PerUnit
from terminology.quantity import UnitError, convert

BOUNDS = ("below", "at_most", "above", "at_least")


def limits(knowledge: Knowledge) -> Iterator[Defect]:
    """Units that cannot be read, the same limit mistyped in a second unit, bands out of order."""
    for rule in knowledge.analytes.values():
        where = f"analytes/{rule.id}.yaml"
        for place, limit in _stated(rule):
            yield from _units(rule, where, place, limit)
        for side in ("low", "high"):
            yield from _steps(where, side, getattr(rule.bands, side))


def _stated(rule: AnalyteRule) -> Iterator[tuple[str, PerUnit]]:
    for side in ("low", "high"):
        for band in getattr(rule.bands, side):
            for bound in BOUNDS:
                yield f"bands.{side}.{band.name}.{bound}", getattr(band, bound)
        for kind in ("reference", "pregnancy"):
            if interval := getattr(rule, kind):
                yield f"{kind}.{side}", getattr(interval, side)


def _units(rule: AnalyteRule, where: str, place: str, limit: PerUnit) -> Iterator[Defect]:
    canonical = next(iter(limit), "")
    for unit, value in limit.items():
        try:
            converted = convert(rule.id, value, unit, canonical)
        except UnitError as error:
            yield Defect(where, f"`{place}` has a limit in `{unit}`, which cannot be read: {error}")
            continue
        if abs(converted - limit[canonical]) > abs(limit[canonical]) / 20:
            yield Defect(
                where, f"`{place}`: {value} {unit} is not {limit[canonical]} {canonical}; one is mistyped"
            )


def _steps(where: str, side: str, bands: tuple[Band, ...]) -> Iterator[Defect]:
    """Bands go from severe to mild; one without a bound takes all that is left."""
    first = [next((getattr(band, b) for b in BOUNDS if getattr(band, b)), None) for band in bands]
    for severe, milder in pairwise(next(iter(limit.values())) for limit in first if limit):
        if (severe > milder) if side == "low" else (severe < milder):
            yield Defect(
                where, f"`bands.{side}`: {severe} stands before {milder}; order them from severe to mild"
            )
    for band, limit in list(zip(bands, first, strict=True))[:-1]:
        if not limit and not band.flagged:
            yield Defect(
                where, f"`bands.{side}.{band.name}` has no bound and hides what follows; put it last"
            )
