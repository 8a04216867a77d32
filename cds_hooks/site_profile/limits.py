"""The site's limits laid over the rules: checked, marked as the site's own, never written into the rule files."""

from __future__ import annotations

import copy
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from cds_hooks.site_profile.model import Limit
from cds_hooks.wrong_value import meant
from mappings.assess.limits import limit_in
from mappings.knowledge import Knowledge
from mappings.limit_rules import AnalyteRule, Band, Bands, Interval
from mappings.rule_language import PerUnit
from terminology import quantity

BOUNDS = ("below", "at_most", "above", "at_least")
REFERENCE = "reference"
DIGITS = Context(prec=5)
FURTHEST = 2
"""A limit of a site lies within half and twice ours: further off it is another unit or a typing error."""


class SiteLimit(NamedTuple):
    """One limit that holds, in canonical units, with ours for comparison."""

    limit: Limit
    unit: str
    """The unit as its UCUM code."""
    ours: Decimal | None
    """The limit of the rules in that unit; None where they have none."""


class Overlaid(NamedTuple):
    """The rules with the site's limits, those limits, and what is wrong with the others."""

    knowledge: Knowledge
    limits: tuple[SiteLimit, ...]
    problems: list[str]
    wording: Mapping[str, str]
    """The sentences that the site needs otherwise."""


def overlay(
    knowledge: Knowledge, limits: Sequence[Limit], wording: Mapping[str, str] = MappingProxyType({})
) -> Overlaid:
    """Lay `limits` and `wording` over `knowledge`, which stays as it is; the version of the rules tells the limits."""
    if not limits and not wording:
        return Overlaid(knowledge, (), [], wording)
    analytes, held, problems = dict(knowledge.analytes), [], []
    seen: set[tuple[str, str, str]] = set()
    for number, limit in enumerate(limits):
        where = f"limits.{number}"
        place = (limit.analyte, limit.side, limit.band)
        found = "an earlier entry states the same limit" if place in seen else _unusable(knowledge, limit)
        seen.add(place)
        if found:
            problems.append(f"{where}{found}" if found.startswith(".") else f"{where}: {found}")
            continue
        unit = quantity.unit_code(limit.unit)
        rule = analytes[limit.analyte]
        held.append(SiteLimit(limit, unit, limit_in(rule.id, _stated(rule, limit), unit)))
        analytes[limit.analyte] = _with(rule, limit, unit)
    for name in dict.fromkeys(item.limit.analyte for item in held):
        problems += [f"limits: {name}: {problem}" for problem in _out_of_order(analytes[name])]
    changed = copy.copy(knowledge)
    changed.analytes = analytes
    changed.wording = {**knowledge.wording, **wording}
    if limits:
        changed.version = f"{knowledge.version}.site-{_digest(limits)}"
    return Overlaid(changed, tuple(held), problems, wording)


def _digest(limits: Iterable[Limit]) -> str:
    """Six hexadecimal digits that change with every field of every limit."""
    written = "".join(limit.model_dump_json() for limit in limits)
    return hashlib.sha256(written.encode()).hexdigest()[:6]


def _unusable(knowledge: Knowledge, limit: Limit) -> str:
    """What is wrong with one limit taken by itself; begins with `.field:` when one field is at fault."""
    rule, known = knowledge.analytes.get(limit.analyte), quantity.analytes().get(limit.analyte)
    if rule is None or known is None:
        return f".analyte: no analyte `{limit.analyte}`; {meant(limit.analyte, knowledge.analytes)}"
    bands: tuple[Band, ...] = getattr(rule.bands, limit.side)
    names = [REFERENCE, *(band.name for band in bands if _bound(band))] if bands else []
    if limit.band not in names:
        told = f"it has {', '.join(names)}" if names else "the rules have no limit there"
        return f".band: {limit.analyte} has no `{limit.band}` on the {limit.side} side; {told}"
    unit = quantity.unit_code(limit.unit)
    if unit not in known.units:
        return f".unit: {limit.analyte} is not read in `{limit.unit}`; write one of {', '.join(known.units)}"
    lowest, highest = known.units[unit]
    if not lowest <= limit.value <= highest:
        return f".value: {limit.value} {unit} is no possible {rule.title} ({lowest} to {highest}); check the unit"
    stated = _stated(rule, limit)
    ours = limit_in(rule.id, stated, unit)
    if stated and ours is None:
        return (
            f".unit: {limit.unit} does not convert into {', '.join(stated)}; state the limit in one of these"
        )
    if ours is not None and not ours / FURTHEST <= limit.value <= ours * FURTHEST:
        return (
            f".value: {limit.value} {unit} is less than half or more than twice the limit of the rules"
            f" ({ours.normalize():f} {unit}); check the value and the unit"
        )
    if limit.review_due < limit.reviewed:
        return ".review_due: is before `reviewed`"
    return ""


def _bound(band: Band) -> str:
    """The name of the bound that a band states; empty when it takes all that is left."""
    return next((name for name in BOUNDS if getattr(band, name)), "")


def _stated(rule: AnalyteRule, limit: Limit) -> PerUnit:
    """What the rules state in this place; empty when nothing."""
    if limit.band == REFERENCE:
        return getattr(rule.reference, limit.side) if rule.reference else {}
    band = next(band for band in getattr(rule.bands, limit.side) if band.name == limit.band)
    found: PerUnit = getattr(band, _bound(band))
    return found


def _in_every_unit(limit: Limit, unit: str) -> PerUnit:
    """The limit in every unit the analyte is read in; converted ones to as many digits as a card can show."""
    found = {unit: limit.value}
    for other in quantity.analytes()[limit.analyte].units:
        value = limit_in(limit.analyte, {unit: limit.value}, other)
        if other != unit and value is not None:
            found[other] = DIGITS.plus(value)
    return found


def _with(rule: AnalyteRule, limit: Limit, unit: str) -> AnalyteRule:
    """The rule with this limit."""
    stated = _in_every_unit(limit, unit)
    if limit.band == REFERENCE:
        return replace(rule, reference=replace(rule.reference or Interval(), **{limit.side: stated}))
    bands = tuple(
        replace(band, **{_bound(band): stated}) if band.name == limit.band else band
        for band in getattr(rule.bands, limit.side)
    )
    return replace(rule, bands=replace(rule.bands, **{limit.side: bands}))


def _out_of_order(rule: AnalyteRule) -> Iterator[str]:
    """Bands that no longer go from severe to mild, or lie on the wrong side of the reference limit."""
    canonical = next(iter(quantity.analytes()[rule.id].units))
    reference = {side: _reference(rule, side, canonical) for side in ("low", "high")}
    for side in ("low", "high"):
        steps = [*_steps(rule.bands, side, rule.id, canonical), (REFERENCE, reference[side])]
        known = [(name, value) for name, value in steps if value is not None]
        for (severe, first), (milder, second) in pairwise(known):
            if first >= second if side == "low" else first <= second:
                word = "below" if side == "low" else "above"
                yield (
                    f"{severe} ({first.normalize():f} {canonical}) must lie {word} {milder}"
                    f" ({second.normalize():f} {canonical}) on the {side} side"
                )
    low, high = reference["low"], reference["high"]
    if low is not None and high is not None and low >= high:
        yield f"the reference limits are {low} to {high} {canonical}; the low one must be the smaller"


def _steps(bands: Bands, side: str, analyte: str, unit: str) -> Iterator[tuple[str, Decimal | None]]:
    for band in getattr(bands, side):
        if bound := _bound(band):
            yield band.name, limit_in(analyte, getattr(band, bound), unit)


def _reference(rule: AnalyteRule, side: str, unit: str) -> Decimal | None:
    """Decision limits need no order against a reference interval that the laboratory's goes before."""
    return limit_in(rule.id, getattr(rule.reference, side), unit) if rule.reference else None


class Marks:
    """Finds in a text every limit that is the site's, and says so there."""

    def __init__(self, knowledge: Knowledge, limits: Iterable[SiteLimit], whose_site: str) -> None:
        """`whose_site` is the wording with the blanks `{source}` and `{due}`."""
        self._knowledge = knowledge
        self._whose: dict[tuple[str, str, str], str] = {}
        titles: dict[str, set[str]] = defaultdict(set)
        for item in limits:
            rule = knowledge.analytes[item.limit.analyte]
            whose = whose_site.format(source=item.limit.source, due=item.limit.review_due.isoformat())
            for unit, value in _in_every_unit(item.limit, item.unit).items():
                titles[rule.title].add(unit)
                self._whose[rule.title, unit, f"{value.normalize():f}"] = whose
        self._pattern = re.compile("|".join(self._patterns(titles))) if titles else None

    def _patterns(self, titles: dict[str, set[str]]) -> Iterator[str]:
        """The sentence about a result, from the very template that wrote it."""
        say = self._knowledge.wording
        whose = "|".join(re.escape(say[name]) for name in ("whose_guideline", "whose_default"))
        names = "|".join(re.escape(say[name]) for name in ("limit_low", "limit_high", "limit_critical"))
        blanks = {
            "analyte": f"(?P<analyte>{'|'.join(map(re.escape, titles))})",
            "value": r"[<>]?=?[\d.]+",
            "unit": f"(?P<unit>{'|'.join(re.escape(unit) for units in titles.values() for unit in units)})",
            "date": r"\d{4}-\d\d-\d\d",
            "limit_name": f"(?:{names})",
            "limit": r"(?P<limit>[\d.]+)",
            "whose": f"(?P<whose>{whose})",
        }
        parts = re.split(r"\{(\w+)\}", say["result_limit"])
        yield "".join(blanks[part] if index % 2 else re.escape(part) for index, part in enumerate(parts))

    def say(self, text: str) -> str:
        """The text with the site named where its limit is."""
        if self._pattern is None:
            return text
        return self._pattern.sub(self._named, text)

    def _named(self, found: re.Match[str]) -> str:
        whose = self._whose.get((found["analyte"], found["unit"], found["limit"]))
        if whose is None:
            return found[0]
        start, end = found.start("whose") - found.start(), found.end("whose") - found.start()
        return found[0][:start] + whose + found[0][end:]
