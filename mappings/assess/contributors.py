"""Which causes are ranked, at which tier, explained by what; and what was considered and not ranked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from mappings.assess.case import Case
from mappings.assess.compiled import Compiled, CompiledContributor, CompiledTier
from mappings.assess.predicates import Proof
from mappings.assessment import Considered, Contributor, SafetyItem
from mappings.rules import Mediator, Through


def rank(case: Case, rules: Compiled) -> list[Considered]:
    """Fills `case.ranked` (in ranked order at the end) and answers what was considered and not supported."""
    asked = rules.candidates(case.present)
    applying: dict[str, _Applies] | None = None
    for rule in asked:
        if applying is None and rules.depth[rule.rule.id]:
            applying = _throughs(case, rules, asked)
        if not rule.rule.never_ranked and (contributor := _ranked(case, rule, applying or {})):
            case.ranked[rule.rule.id] = contributor
    applying = applying or {}
    _suppress(case, rules)
    _explain(case, rules, applying)
    _add(case, asked)
    considered = _considered(case, asked, applying)
    case.ranked = dict(sorted(case.ranked.items(), key=lambda item: _place(item[1], rules)))
    return considered


def safety(case: Case, rules: Compiled) -> tuple[SafetyItem, ...]:
    """Takes the safety items out of what is ranked: they are shown, never worded as causes."""
    ids = [name for name in case.ranked if rules.knowledge.contributors[name].safety]
    items = [case.ranked.pop(name) for name in ids]
    return tuple(
        SafetyItem(item.id, item.title, item.evidence, item.says, item.tier, item.indicator, item.references)
        for item in items
    )


class _Applies:
    """A rule that acts through results, holding for this patient: since when, and how its mediators stand."""

    def __init__(self, case: Case, through: Through, proof: Proof, rules: Compiled) -> None:
        self.proof = proof
        self.since: date | None = min((item.date for item in proof if item.date), default=None)
        if any(item.date is None for item in proof):
            self.since = None
        elif through.each_dose_counts:
            self.since = max(item.date for item in proof if item.date)
        asked = [m for m in through.mediators if not m.explains_only]
        self.moved = tuple(m for m in through.mediators if self._moved(case, m, rules))
        self.unknown = tuple(m.lab for m in asked if self._unknown(case, m))
        self.asked = tuple(m.lab for m in asked)

    def _moved(self, case: Case, mediator: Mediator, rules: Compiled) -> bool:
        """The result went the drug's way, since it began, and is ranked: a trivial change explains nothing."""
        ranked = rules.primary.get((mediator.lab, mediator.goes)) in case.ranked
        return ranked and not self._older(case, mediator.lab)

    def _unknown(self, case: Case, mediator: Mediator) -> bool:
        return case.readings[mediator.lab].direction == "unknown" or self._older(case, mediator.lab)

    def _older(self, case: Case, lab: str) -> bool:
        on = case.readings[lab].on()
        return self.since is not None and on is not None and on < self.since


def _throughs(case: Case, rules: Compiled, asked: Iterable[CompiledContributor]) -> dict[str, _Applies]:
    found = {}
    for rule in asked:
        holds, through = rule.through, rule.rule.through
        if holds is not None and through is not None and (proof := holds(case)) is not None:
            found[rule.rule.id] = _Applies(case, through, proof, rules)
    for name, applies in found.items():
        if applies.unknown and not applies.moved:
            case.unsupported[name] = applies.unknown
    return found


def _ranked(case: Case, rule: CompiledContributor, applying: dict[str, _Applies]) -> Contributor | None:
    for tier in rule.tiers:
        if (proof := tier.holds(case)) is not None:
            return _contributor(rule, tier, proof)
    through, applies = rule.rule.through, applying.get(rule.rule.id)
    if through is None or applies is None or through.tier is None:
        return None
    if rule.rule.id in case.unsupported or (applies.moved and through.also_ranked):
        return Contributor(
            id=rule.rule.id,
            title=rule.rule.title,
            tier=through.tier,
            strength=rule.rule.strength,
            evidence=applies.proof,
            references=rule.rule.references,
            says=through.says if rule.rule.id in case.unsupported else "",
        )
    return None


def _contributor(rule: CompiledContributor, tier: CompiledTier, proof: Proof) -> Contributor:
    return Contributor(
        id=rule.rule.id,
        title=rule.rule.title,
        tier=tier.tier,
        strength=tier.strength,
        evidence=proof,
        references=rule.rule.references,
        says=tier.says,
        indicator=tier.indicator,
    )


def _suppress(case: Case, rules: Compiled) -> None:
    for name in list(case.ranked):
        if name in case.ranked:
            for other in rules.knowledge.contributors[name].suppresses:
                case.ranked.pop(other, None)


def _explain(case: Case, rules: Compiled, applying: dict[str, _Applies]) -> None:
    """Attaches a drug to the abnormal result it explains; a drug that explains nothing ranked is not hidden."""
    for name, applies in applying.items():
        for mediator in applies.moved:
            explained = rules.primary.get((mediator.lab, mediator.goes))
            if explained in case.ranked:
                contributor = case.ranked[explained]
                new = tuple(item for item in applies.proof if item not in contributor.evidence)
                case.ranked[explained] = replace(
                    contributor,
                    explained_by=(*contributor.explained_by, name.removeprefix("drug:")),
                    evidence=(*contributor.evidence, *new),
                )


def _add(case: Case, asked: Iterable[CompiledContributor]) -> None:
    for rule in asked:
        contributor = case.ranked.get(rule.rule.id)
        if contributor is not None and rule.adds:
            said = [aside.says for aside in rule.adds if aside.holds(case) is not None]
            text = " ".join(part for part in (contributor.says, *said) if part)
            case.ranked[rule.rule.id] = replace(contributor, says=text)


def _considered(
    case: Case, asked: Iterable[CompiledContributor], applying: dict[str, _Applies]
) -> list[Considered]:
    explained = {name for contributor in case.ranked.values() for name in contributor.explained_by}
    found = []
    for rule in asked:
        name = rule.rule.id
        if name in case.ranked or name.removeprefix("drug:") in explained:
            continue
        said = [_said(aside.says, aside.holds(case)) for aside in rule.considered]
        applies = applying.get(name)
        if applies and applies.asked and not applies.unknown:
            said.append(_cleared(case, rule, applies))
        if text := " ".join(dict.fromkeys(part for part in said if part)):
            found.append(Considered(name, text))
    return found


def _said(says: str, proof: Proof | None) -> str:
    if proof is None:
        return ""
    shown = "; ".join(item.text for item in proof[:2])
    return f"{shown}: {says}" if shown else says


def _cleared(case: Case, rule: CompiledContributor, applies: _Applies) -> str:
    kind = "drug_cleared" if rule.rule.id.startswith("drug:") else "condition_cleared"
    normal = [case.readings[lab] for lab in applies.asked if case.readings[lab].direction == "normal"]
    if not normal:
        return ""
    results = ", ".join(reading.title for reading in normal)
    text = case.knowledge.wording[kind].format(results=results)
    named = ", ".join(item.label for item in applies.proof[:2])
    return f"{named}: {text}" if named else text


def _place(contributor: Contributor, rules: Compiled) -> tuple[int, int, str]:
    return (
        rules.tier_rank[contributor.tier],
        rules.rank.get(contributor.id, len(rules.rank)),
        contributor.id,
    )
