"""Medicines that are being ordered now: which results they would move, and what to know before they are started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from mappings.assess import evidence
from mappings.assess.case import Case
from mappings.assess.compiled import Compiled
from mappings.assessment import SEVERITY, Effect, Evidence, Proposal
from mappings.facts import Medication
from mappings.rules import ContributorRule, Mediator


def propose(case: Case, rules: Compiled, *, documented: bool) -> tuple[Proposal, ...]:
    """One proposal per drafted medicine and class that matters here, those that worsen an abnormal result first.

    With documented twitching every medicine that can contribute to it matters; otherwise only one that would
    push a result further that is abnormal already.
    """
    found: list[Proposal] = []
    for medication in _drafts(case.facts.medications):
        combined = list(_combined(case, medication, rules)) if documented else []
        stood_for = {name for p in combined for name in rules.knowledge.contributors[p.id].suppresses}
        for rule in _rules(medication, rules):
            effects = _effects(case, rule)
            worsens = any(effect.worsens for effect in effects)
            matters = documented and (rule.tiers or (rule.through and rule.through.tier))
            if worsens or (matters and rule.id not in stood_for):
                found.append(_proposal(case, medication, rule, effects))
        found += combined
    return tuple(
        sorted(found, key=lambda proposal: (-SEVERITY[proposal.indicator], proposal.drug, proposal.id))
    )


def _drafts(medications: Iterable[Medication]) -> list[Medication]:
    drafted = sorted(
        (m for m in medications if m.status == "draft"),
        key=lambda m: (m.text, m.resource, m.classes, m.local, m.route, m.by),
    )
    return sorted({m.resource or m.text: m for m in drafted}.values(), key=lambda m: (m.text, m.resource))


def _rules(medication: Medication, rules: Compiled) -> list[ContributorRule]:
    names = (*medication.classes, *medication.local)
    found = {rule.id: rule for name in names for rule in rules.by_class.get(name, ())}
    return list(found.values())


def _combined(case: Case, medication: Medication, rules: Compiled) -> Iterator[Proposal]:
    """What taking it together with the others would be, where a rule asks for several agents at once."""
    names = {*medication.classes, *medication.local}
    asked = [rule for classes, rule in rules.together if classes & names]
    if not asked:
        return
    taken = replace(medication, status="active", start=None)
    others = tuple(m for m in case.facts.medications if m.status != "draft")
    after = Case(replace(case.facts, medications=(*others, taken)), case.knowledge, case.today)
    after.readings = case.readings
    for rule in asked:
        tier = next((tier for tier in rule.tiers if tier.holds(after) is not None), None)
        if tier and tier.holds(case) is None:
            yield Proposal(
                id=rule.rule.id,
                title=rule.rule.title,
                drug=evidence.clip(medication.text),
                resource=medication.resource,
                says=tier.says,
                indicator=max(tier.indicator, "warning", key=SEVERITY.__getitem__),
                references=rule.rule.references,
            )


def _effects(case: Case, rule: ContributorRule) -> tuple[Effect, ...]:
    if rule.through is None:
        return ()
    asked = [mediator for mediator in rule.through.mediators if not mediator.explains_only]
    moved = [
        m for m in rule.through.mediators if m.explains_only and case.readings[m.lab].direction == m.goes
    ]
    return tuple(_effect(case, mediator) for mediator in (*asked, *moved))


def _effect(case: Case, mediator: Mediator) -> Effect:
    reading, say = case.readings[mediator.lab], case.knowledge.wording
    known = reading.direction != "unknown"
    now: tuple[Evidence, ...] = (
        (evidence.of_reading(reading, case.knowledge),) if known and reading.result else ()
    )
    text = say[f"effect_{mediator.goes}"].format(analyte=reading.title)
    return Effect(
        lab=mediator.lab,
        goes=mediator.goes,
        label=text,
        text=f"{text}: {now[0].text}" if now else f"{text}: {say['effect_unknown']}",
        worsens=reading.direction == mediator.goes,
        known=known,
        evidence=now,
    )


def _proposal(
    case: Case, medication: Medication, rule: ContributorRule, effects: tuple[Effect, ...]
) -> Proposal:
    direct = "" if effects else case.knowledge.wording["effect_direct"].format(mechanism=rule.mechanism)
    return Proposal(
        id=rule.id,
        title=rule.title,
        drug=evidence.clip(medication.text),
        resource=medication.resource,
        effects=effects,
        says=direct,
        indicator="warning" if any(effect.worsens for effect in effects) else "info",
        references=rule.references,
    )
