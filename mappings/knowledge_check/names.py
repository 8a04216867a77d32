"""Names in rules that nothing defines: such a rule would never fire, and nobody would notice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from mappings.knowledge import Knowledge, conditions
from mappings.knowledge_check.rules import Defect, listed, rules, stem
from mappings.rule_language import When
from mappings.rules import ContributorRule, OrderRule, SpuriousRule
from terminology.concepts import concepts
from terminology.drug_classes import read_classes

READ_TYPES = frozenset(
    (
        "Condition",
        "Encounter",
        "MedicationRequest",
        "MedicationStatement",
        "medication",
        "Observation",
        "Procedure",
        "QuestionnaireResponse",
        "ServiceRequest",
    )
)
"""What a rule may ask whether it could not be read, besides concepts."""


def names(knowledge: Knowledge) -> Iterator[Defect]:
    """Every name that means nothing."""
    known = _known(knowledge)
    for where, rule in rules(knowledge):
        for place, when in conditions(rule):
            yield from _in_condition(knowledge, where, place, when, known)
        yield from _in_rule(knowledge, where, rule, known)
    yield from _in_companions(knowledge, known)


def _known(knowledge: Knowledge) -> dict[str, set[str]]:
    parts = {
        request.covers for rule in knowledge.orders.values() for request in rule.requests if request.covers
    }
    return {
        "lab": {*knowledge.analytes, knowledge.calcium.id},
        "exposure": set(knowledge.drug_classes),
        "problem": {*concepts()},
        "finding": {*concepts()},
        "ranked": set(knowledge.contributors),
        "red_flag": {*knowledge.red_flags, "any"},
        "answer": set(knowledge.questions),
        "unsupported": {name for name, rule in knowledge.contributors.items() if rule.through},
        "unread": {*concepts(), *READ_TYPES},
        "tests": {*knowledge.orders, *knowledge.panels, *parts},
    }


def _in_condition(
    knowledge: Knowledge, where: str, place: str, when: When, known: dict[str, set[str]]
) -> Iterator[Defect]:
    word = when.word()
    if word in known:
        value = getattr(when, word)
        yield from listed(
            where, f"{place}.{word}", (value,) if isinstance(value, str) else value, known[word]
        )
    if when.lab is not UNSET:
        yield from listed(where, f"{place}.band", when.band, _bands(knowledge, str(when.lab)))
    question = knowledge.questions.get(str(when.answer))
    if question and question.options:
        yield from listed(
            where, f"{place}.values", when.values, {option.value for option in question.options}
        )


def _bands(knowledge: Knowledge, lab: str) -> set[str]:
    calcium = knowledge.calcium
    measured = (calcium.ionised, calcium.adjusted, calcium.total) if lab == calcium.id else (lab,)
    found = [knowledge.analytes[name] for name in measured if name in knowledge.analytes]
    return {band.name for rule in found for band in (*rule.bands.low, *rule.bands.high)}


def _in_rule(knowledge: Knowledge, where: str, rule: Any, known: dict[str, set[str]]) -> Iterator[Defect]:
    if isinstance(rule, ContributorRule):
        for name in rule.suppresses:
            if name in knowledge.red_flags:
                yield Defect(
                    where, f"`suppresses` names the red flag `{name}`: nothing may hide one; leave it out"
                )
            else:
                yield from listed(where, "suppresses", (name,), set(knowledge.contributors))
        mediators = rule.through.mediators if rule.through else ()
        yield from listed(where, "through.mediators", tuple(m.lab for m in mediators), known["lab"])
        if not rule.tiers and not rule.through and not rule.considered:
            yield Defect(where, "never says anything; give `tiers`, `through` or `considered`")
    if isinstance(rule, OrderRule):
        yield from listed(where, "answered_by", rule.answered_by, known["lab"])
        yield from listed(where, "asks_again", rule.asks_again, known["lab"])
        for group in rule.covered_by:
            yield from listed(where, "covered_by", group, known["tests"])
    if isinstance(rule, SpuriousRule):
        labs = (*rule.invalidates, *(lab for part in (*rule.results, *rule.any_of) for lab in part.labs))
        yield from listed(where, "results", labs, set(knowledge.analytes))
        yield from listed(where, "repeat", rule.repeat, set(knowledge.orders))


def _in_companions(knowledge: Knowledge, known: dict[str, set[str]]) -> Iterator[Defect]:
    calcium, gate, ranking = knowledge.calcium, knowledge.gate, knowledge.ranking
    measured = (calcium.ionised, calcium.adjusted, calcium.total, calcium.albumin)
    yield from listed(
        "analytes/calcium.yaml", "ionised, adjusted, total, albumin", measured, set(knowledge.analytes)
    )
    for panel, members in knowledge.panels.items():
        yield from listed("orders/panels.yaml", panel, members, known["tests"])
    yield from listed("gate.yaml", "opens", gate.opens, known["problem"])
    yield from listed("gate.yaml", "mimics", gate.mimics, known["problem"])
    yield from listed("gate.yaml", "examination_refutes", gate.examination_refutes, known["problem"])
    yield from listed("gate.yaml", "known_mnd", gate.known_mnd, known["ranked"])
    yield from listed("ranking.yaml", "within_tier", ranking.within_tier, known["ranked"])
    for rule in knowledge.contributors.values():
        for tier in sorted({tier.tier for tier in rule.tiers} - set(ranking.tiers)):
            where = f"contributors/{stem(rule.id)}.yaml"
            yield Defect(
                where, f"uses tier {tier}, which has no place in ranking.yaml; add it to `tiers` there"
            )
    yield from listed("drug_classes.yaml", "id", tuple(knowledge.drug_classes), _terminology_classes())
    concepts = tuple(question.concept for question in knowledge.questions.values() if question.concept)
    yield from listed("questionnaire.yaml", "concept", concepts, known["finding"])


def _terminology_classes() -> set[str]:
    return {name for drug_class in read_classes() for name in (drug_class.id, *drug_class.local.values())}
