"""Quality control of the rule files: what a reviewer must mend before the rules are released.

Loading (`mappings.knowledge`) already refuses malformed files. This page finds what is well-formed and
still wrong: names that mean nothing, units no limit can be held against, overdue reviews.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from msgspec import UNSET, Struct

from mappings.knowledge import Knowledge, conditions
from mappings.limit_rules import AnalyteRule, Band
from mappings.rule_language import When
from mappings.rules import ContributorRule, OrderRule
from terminology.coding import LOINC, SNOMED_CT, loinc_check_digit_ok, snomed_check_digit_ok
from terminology.concepts import known_concepts
from terminology.drug_classes import read_classes
from terminology.quantity import UnitError, convert

LONGEST_SENTENCE = 320
"""A clinician has seconds: a sentence longer than this is a paragraph."""


class Defect(Struct, frozen=True):
    """One thing to mend: the file or id, and what to write instead."""

    where: str
    problem: str


def check(knowledge: Knowledge, today: date, vignettes: Path | None = None) -> list[Defect]:
    """All defects of a rule set, by file. `vignettes`: the folder in which each contributor has its file."""
    found = [
        *_names(knowledge),
        *_references(knowledge),
        *_limits(knowledge),
        *_codes(knowledge),
        *_reviews(knowledge, today),
        *_sentences(knowledge),
        *_files(knowledge),
    ]
    if vignettes is not None:
        found += [
            Defect(
                rule.id,
                f"has no vignette file; write {stem(rule.id)}.yaml with: does, does not, at the limit",
            )
            for rule in knowledge.contributors.values()
            if not (vignettes / f"{stem(rule.id)}.yaml").is_file()
        ]
    return sorted(found, key=lambda defect: (defect.where, defect.problem))


def stem(name: str) -> str:
    """The file name of an id: `drug:thiazide` is in `drug_thiazide.yaml`."""
    return name.replace(":", "_")


def _rules(knowledge: Knowledge) -> Iterator[tuple[str, Any]]:
    for group in (
        knowledge.contributors,
        knowledge.red_flags,
        knowledge.orders,
        knowledge.spurious,
        knowledge.analytes,
        knowledge.notes,
    ):
        yield from group.items()
    yield "calcium", knowledge.calcium


def _names(knowledge: Knowledge) -> Iterator[Defect]:
    known = {
        "lab": {*knowledge.analytes, knowledge.calcium.id},
        "exposure": _classes(),
        "problem": known_concepts(),
        "finding": known_concepts(),
        "ranked": set(knowledge.contributors),
        "red_flag": {*knowledge.red_flags, "any"},
        "answer": set(knowledge.questions),
        "unsupported": {name for name, rule in knowledge.contributors.items() if rule.through},
    }
    for name, rule in _rules(knowledge):
        for where, when in conditions(rule):
            yield from _unknown(name, where, when, known)
            if when.lab is not UNSET and when.band:
                yield from _bands_named(knowledge, name, where, when)
    tests = {*knowledge.orders, *knowledge.panels}
    parts = {
        request.covers for rule in knowledge.orders.values() for request in rule.requests if request.covers
    }
    for rule in knowledge.contributors.values():
        yield from _listed(
            rule.id, "suppresses", rule.suppresses, {*knowledge.contributors, *knowledge.red_flags}
        )
        if rule.through:
            labs = tuple(mediator.lab for mediator in rule.through.mediators)
            yield from _listed(rule.id, "through.mediators", labs, known["lab"])
    for order in knowledge.orders.values():
        yield from _listed(order.id, "answered_by", order.answered_by, known["lab"])
        yield from _listed(order.id, "asks_again", order.asks_again, known["lab"])
        for group in order.covered_by:
            yield from _listed(order.id, "covered_by", group, tests | parts)
    for panel, members in knowledge.panels.items():
        yield from _listed(panel, "members", members, tests | parts)
    yield from _listed("ranking", "within_tier", knowledge.ranking.within_tier, set(knowledge.contributors))
    yield from _listed("gate", "opens", knowledge.gate.opens, known_concepts())


def _classes() -> set[str]:
    return {name for drug_class in read_classes() for name in (drug_class.id, *drug_class.local.values())}


def _unknown(name: str, where: str, when: When, known: dict[str, set[str]]) -> Iterator[Defect]:
    word = when.word()
    if word in known:
        value = getattr(when, word)
        yield from _listed(
            name, f"{where}.{word}", (value,) if isinstance(value, str) else value, known[word]
        )


def _listed(name: str, where: str, values: tuple[str, ...], known: set[str]) -> Iterator[Defect]:
    for value in values:
        if value not in known:
            yield Defect(
                name, f"`{where}` names `{value}`, which nothing defines; correct it or add its file"
            )


def _bands_named(knowledge: Knowledge, name: str, where: str, when: When) -> Iterator[Defect]:
    rules = [knowledge.analytes.get(str(when.lab))]
    if when.lab == knowledge.calcium.id:
        rules = [
            knowledge.analytes.get(getattr(knowledge.calcium, kind))
            for kind in ("ionised", "adjusted", "total")
        ]
    bands = {band.name for rule in rules if rule for band in (*rule.bands.low, *rule.bands.high)}
    yield from _listed(name, f"{where}.band", when.band, bands)


def _references(knowledge: Knowledge) -> Iterator[Defect]:
    for name, rule in _rules(knowledge):
        cited = set(getattr(rule, "references", ()))
        if isinstance(rule, AnalyteRule):
            cited |= {ref for band in (*rule.bands.low, *rule.bands.high) for ref in band.references}
        if not cited:
            yield Defect(name, "cites no source; give `references`, or J for a design judgement")
        for reference in sorted(cited - set(knowledge.references)):
            yield Defect(name, f"cites `{reference}`, which references.yaml does not hold")


def _limits(knowledge: Knowledge) -> Iterator[Defect]:
    for rule in knowledge.analytes.values():
        for side in ("low", "high"):
            bands: tuple[Band, ...] = getattr(rule.bands, side)
            for band in bands:
                for bound in ("below", "at_most", "above", "at_least"):
                    yield from _units(rule, f"bands.{side}.{band.name}.{bound}", getattr(band, bound))
            yield from _steps(rule, side, bands)
        for kind in ("reference", "pregnancy"):
            interval = getattr(rule, kind)
            for side in ("low", "high") if interval else ():
                yield from _units(rule, f"{kind}.{side}", getattr(interval, side))


def _units(rule: AnalyteRule, where: str, limit: dict[str, Any]) -> Iterator[Defect]:
    canonical = next(iter(limit), "")
    for unit, value in limit.items():
        try:
            converted = convert(rule.id, value, unit, canonical)
        except UnitError as error:
            yield Defect(rule.id, f"`{where}` has a limit in `{unit}`, which cannot be read: {error}")
            continue
        if abs(converted - limit[canonical]) > abs(limit[canonical]) / 20:
            yield Defect(
                rule.id, f"`{where}`: {value} {unit} is not {limit[canonical]} {canonical}; one is mistyped"
            )


def _steps(rule: AnalyteRule, side: str, bands: tuple[Band, ...]) -> Iterator[Defect]:
    """Bands go from severe to mild."""
    limits = [
        next((limit for limit in (b.below, b.at_most, b.above, b.at_least) if limit), None) for b in bands
    ]
    stated = [next(iter(limit.values())) for limit in limits if limit]
    for severe, milder in pairwise(stated):
        if (severe > milder) if side == "low" else (severe < milder):
            yield Defect(
                rule.id, f"`bands.{side}`: {severe} stands before {milder}; order them from severe to mild"
            )


def _codes(knowledge: Knowledge) -> Iterator[Defect]:
    checks = {LOINC: loinc_check_digit_ok, SNOMED_CT: snomed_check_digit_ok}
    for order in knowledge.orders.values():
        for request in order.requests:
            if request.code and not checks.get(request.system, bool)(request.code):
                yield Defect(order.id, f"the code {request.code} has a wrong check digit")
            if bool(request.code) != bool(request.system):
                yield Defect(order.id, "a request needs both `system` and `code`, or neither")


def _reviews(knowledge: Knowledge, today: date) -> Iterator[Defect]:
    for name, rule in _rules(knowledge):
        review = rule.review
        if review.due < today:
            yield Defect(name, f"was due for review on {review.due}; review it and set a new date")
        if review.date > today:
            yield Defect(name, f"was reviewed in the future ({review.date}); correct the date")


def _sentences(knowledge: Knowledge) -> Iterator[Defect]:
    for name, rule in _rules(knowledge):
        for text in sentences(rule):
            if len(text) > LONGEST_SENTENCE:
                yield Defect(
                    name, f"has a sentence of {len(text)} characters; {LONGEST_SENTENCE} is the longest"
                )


def sentences(rule: ContributorRule | OrderRule | Any) -> Iterator[str]:
    """The sentences of a rule that reach a card."""
    for field in ("tiers", "considered", "adds"):
        yield from (item.says for item in getattr(rule, field, ()) if item.says)
    yield from (item.reason for item in getattr(rule, "suggest", ()))
    if says := getattr(rule, "says", ""):
        yield says


def _files(knowledge: Knowledge) -> Iterator[Defect]:
    """Each file is named after its id, so that it is found."""
    for folder, group in (
        ("contributors", knowledge.contributors),
        ("red_flags", knowledge.red_flags),
        ("analytes", {**knowledge.analytes, "calcium": knowledge.calcium}),
        ("orders", {**knowledge.orders, "panels": None}),
        ("spurious", knowledge.spurious),
    ):
        names = {path.stem for path in (knowledge.folder / folder).glob("*.yaml")}
        for name in sorted(names ^ {stem(name) for name in group}):
            yield Defect(
                f"{folder}/{name}.yaml", "file name and id differ; name the file after its id, `:` as `_`"
            )
