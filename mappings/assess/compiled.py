"""The rule set compiled once: conditions as functions, and the indices the steps need."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec import UNSET, Struct

from mappings.assess.predicates import Condition, compile_condition
from mappings.assess.triggers import Trigger, Triggers, triggers_of, union
from mappings.assessment import Indicator, Strength, Tier
from mappings.knowledge import Knowledge, conditions
from mappings.rule_language import When
from mappings.rules import Aside, ContributorRule, Note, OrderRule, RedFlagRule, SpuriousRule, Suggest

INDICATOR: dict[Tier, Indicator] = {"A": "critical", "C1": "warning"}


class CompiledTier(Struct, frozen=True):
    """A tier and the condition for it."""

    tier: Tier
    holds: Condition
    says: str
    indicator: Indicator
    strength: Strength


class CompiledAside(Struct, frozen=True):
    """A sentence and the condition for it."""

    holds: Condition
    says: str


class CompiledContributor(Struct, frozen=True):
    """A contributor rule with its conditions as functions."""

    rule: ContributorRule
    tiers: tuple[CompiledTier, ...]
    through: Condition | None
    considered: tuple[CompiledAside, ...]
    adds: tuple[CompiledAside, ...]
    triggers: Triggers
    """Without one of these in the record the rule has nothing to say."""


class CompiledSuggest(Struct, frozen=True):
    """A reason to order and the condition for it."""

    rule: Suggest
    holds: Condition
    triggers: Triggers


class CompiledOrder(Struct, frozen=True):
    """An order rule with its conditions as functions; `labs`: the results that decide whether it is answered."""

    rule: OrderRule
    triggers: Triggers
    labs: frozenset[str]
    suggest: tuple[CompiledSuggest, ...]
    not_when: tuple[CompiledAside, ...]


class Compiled:
    """Everything `assess` needs of a `Knowledge`, in the order it is evaluated."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        rules = [_contributor(rule, knowledge) for rule in knowledge.contributors.values()]
        self.primary = _primary(knowledge)
        self.red_flags: tuple[tuple[RedFlagRule, Condition, Triggers], ...] = tuple(
            (rule, compile_condition(rule.when, knowledge), triggers_of(rule.when))
            for rule in knowledge.red_flags.values()
        )
        self.orders = tuple(
            _order(rule, knowledge) for rule in knowledge.orders.values() if not rule.never_suggested
        )
        self.notes: tuple[tuple[Note, Condition, Triggers], ...] = tuple(
            (note, compile_condition(note.when, knowledge), triggers_of(note.when))
            for note in knowledge.notes.values()
        )
        self.spurious: tuple[tuple[SpuriousRule, Condition | None], ...] = tuple(
            (rule, compile_condition(rule.exposure, knowledge) if rule.exposure else None)
            for rule in knowledge.spurious.values()
        )
        self.by_trigger: dict[Trigger, list[CompiledContributor]] = {}
        for contributor in rules:
            for trigger in contributor.triggers:
                self.by_trigger.setdefault(trigger, []).append(contributor)
        self.by_class: dict[str, list[ContributorRule]] = {}
        for rule in knowledge.contributors.values():
            for name in _classes(rule):
                self.by_class.setdefault(name, []).append(rule)
        self.together = tuple(
            (frozenset(classes), contributor)
            for contributor in rules
            if (classes := _together(contributor.rule))
        )
        self.depth = {contributor.rule.id: _depth(contributor.rule) for contributor in rules}
        self.rank = {name: place for place, name in enumerate(knowledge.ranking.within_tier)}
        self.tier_rank = {tier: place for place, tier in enumerate(knowledge.ranking.tiers)}

    def candidates(self, present: frozenset[Trigger]) -> list[CompiledContributor]:
        """The contributors that may have something to say, in the order in which they are asked."""
        found = {rule.rule.id: rule for trigger in present for rule in self.by_trigger.get(trigger, ())}
        return [rule for _, rule in sorted(found.items(), key=lambda item: (self.depth[item[0]], item[0]))]


@lru_cache(maxsize=16)
def compiled(knowledge: Knowledge) -> Compiled:
    """Compiles a rule set on first use; loading it has seen to it that every condition means something."""
    return Compiled(knowledge)


def _contributor(rule: ContributorRule, knowledge: Knowledge) -> CompiledContributor:
    return CompiledContributor(
        rule=rule,
        tiers=tuple(
            CompiledTier(
                tier=tier.tier,
                holds=compile_condition(tier.when, knowledge),
                says=tier.says,
                indicator=tier.indicator or INDICATOR.get(tier.tier, "info"),
                strength=tier.strength or rule.strength,
            )
            for tier in rule.tiers
        ),
        through=compile_condition(rule.through.when, knowledge) if rule.through else None,
        considered=_asides(rule.considered, knowledge),
        adds=_asides(rule.adds, knowledge),
        triggers=union(triggers_of(when) for when in _openings(rule)),
    )


def _classes(rule: ContributorRule) -> set[str]:
    """The drug classes whose exposure alone a drug's rule asks for."""
    if not rule.id.startswith("drug:") or rule.never_ranked:
        return set()
    asked = [*(tier.when for tier in rule.tiers), *([rule.through.when] if rule.through else [])]
    found = (when for opening in asked for _, when in conditions(opening))
    return {name for when in found if isinstance(when.exposure, tuple) for name in when.exposure}


def _together(rule: ContributorRule) -> set[str]:
    """The drug classes of which a rule asks for several agents at once."""
    asked = (when for tier in rule.tiers for _, when in conditions(tier.when) if when.agents > 1)
    return {name for when in asked if isinstance(when.exposure, tuple) for name in when.exposure}


def _openings(rule: ContributorRule) -> Iterator[When]:
    """The conditions any of which makes the rule say something."""
    yield from (tier.when for tier in rule.tiers)
    yield from (aside.when for aside in rule.considered)
    if rule.through:
        yield rule.through.when


def _asides(asides: tuple[Aside, ...], knowledge: Knowledge) -> tuple[CompiledAside, ...]:
    return tuple(CompiledAside(compile_condition(aside.when, knowledge), aside.says) for aside in asides)


def _order(rule: OrderRule, knowledge: Knowledge) -> CompiledOrder:
    return CompiledOrder(
        rule=rule,
        triggers=union(triggers_of(reason.when) for reason in rule.suggest),
        labs=frozenset((*rule.answered_by, *rule.asks_again)),
        suggest=tuple(
            CompiledSuggest(reason, compile_condition(reason.when, knowledge), triggers_of(reason.when))
            for reason in rule.suggest
        ),
        not_when=_asides(rule.not_when, knowledge),
    )


def _depth(rule: ContributorRule) -> int:
    """0: asks facts only. 1: acts through results or asks what is ranked. 2: asks what is ranked in a tier."""
    asked = {when.word() for tier in rule.tiers for _, when in conditions(tier)}
    if "ranked_in" in asked:
        return 2
    return 1 if rule.through or asked & {"ranked", "unsupported"} else 0


def _primary(knowledge: Knowledge) -> dict[tuple[str, str], str]:
    """(analyte, direction) -> the contributor that a result in this direction is.

    The first `lab` word of a tier is what the contributor is about; drugs that move this result explain it.
    """
    found: dict[tuple[str, str], str] = {}
    for rule in knowledge.contributors.values():
        for tier in rule.tiers:
            first = next((when for _, when in conditions(tier) if when.lab is not UNSET), None)
            if (
                first is not None
                and first.is_ in ("low", "high")
                and not rule.id.startswith(("drug:", "cond:"))
            ):
                found.setdefault((str(first.lab), str(first.is_)), rule.id)
    return found
