"""What conditions may ask of the situation: place, time, age, and what is ranked so far."""

from __future__ import annotations

from decimal import Decimal

from mappings.assess import evidence
from mappings.assess.case import Case
from mappings.assess.record_words import NOTHING, Condition, Proof, bounds_hold, words_pattern
from mappings.assessment import Evidence
from mappings.knowledge import Knowledge
from mappings.rule_language import Limit, When


def site(when: When, knowledge: Knowledge) -> Condition:
    """The twitching (or, with `of_findings`, a finding) is at one of these places."""
    words = when.site
    assert isinstance(words, tuple)  # noqa: S101
    pattern = words_pattern(words)

    def holds(case: Case) -> Proof | None:
        sites = case.sites
        if when.of_findings:
            twitching = case.knowledge.gate.opens
            groups = [group for name, group in case.findings.items() if name not in twitching]
            sites = tuple(f"{f.site} {f.text}".lower() for group in groups for f in group)
        for site in sites:
            if pattern.search(site):
                text = knowledge.wording["site"].format(site=evidence.clip(site))
                return (Evidence(label="site", text=text),)
        return None

    return holds


def onset_days(when: When, knowledge: Knowledge) -> Condition:  # noqa: ARG001
    """Days since the twitching was first noticed; unknown never holds."""
    limit = when.onset_days
    assert isinstance(limit, Limit)  # noqa: S101

    def holds(case: Case) -> Proof | None:
        if case.onset is None:
            return None
        days = Decimal((case.today - case.onset).days)
        return NOTHING if bounds_hold(limit, days, "d") else None

    return holds


def age(when: When, knowledge: Knowledge) -> Condition:
    """Age in years; a partial birth date must hold at both ends."""
    limit = when.age
    assert isinstance(limit, Limit)  # noqa: S101

    def holds(case: Case) -> Proof | None:
        if case.age is None:
            return None
        sure = all(bounds_hold(limit, Decimal(years), "a") for years in case.age)
        text = knowledge.wording["age"].format(years=case.age[0])
        return (Evidence(label="age", text=text),) if sure else None

    return holds


def pregnant(when: When, knowledge: Knowledge) -> Condition:  # noqa: ARG001
    """Pregnancy is documented, or is not."""
    return lambda case: NOTHING if case.pregnant == when.pregnant else None


def ranked(when: When, knowledge: Knowledge) -> Condition:  # noqa: ARG001
    """One of these contributors is ranked."""
    ids, tiers = when.ranked, frozenset(when.tiers)
    assert isinstance(ids, tuple)  # noqa: S101

    def holds(case: Case) -> Proof | None:
        found = [case.ranked[name] for name in ids if name in case.ranked]
        found = [contributor for contributor in found if not tiers or contributor.tier in tiers]
        return tuple(item for contributor in found for item in contributor.evidence[:1]) if found else None

    return holds


def ranked_in(when: When, knowledge: Knowledge) -> Condition:  # noqa: ARG001
    """Any contributor is ranked in one of these tiers."""
    tiers = when.ranked_in
    assert isinstance(tiers, tuple)  # noqa: S101
    return lambda case: NOTHING if any(c.tier in tiers for c in case.ranked.values()) else None


def red_flag(when: When, knowledge: Knowledge) -> Condition:  # noqa: ARG001
    """One of these red flags is raised."""
    ids = when.red_flag
    assert isinstance(ids, tuple)  # noqa: S101

    def holds(case: Case) -> Proof | None:
        found = [flag for name, flag in case.red_flags.items() if name in ids or "any" in ids]
        return tuple(item for flag in found for item in flag.evidence[:1]) if found else None

    return holds


def first_line(when: When, knowledge: Knowledge) -> Condition:
    """All first-line results are normal, the newest included, or at least one is not known."""
    answers = [rule.answered_by for rule in knowledge.orders.values() if rule.first_line]
    newest = [rule.asks_again for rule in knowledge.orders.values() if rule.first_line]

    def holds(case: Case) -> Proof | None:
        states = [[case.readings[a].direction for a in group] for group in answers]
        unread = any(case.unreadable(labs) for labs in newest)
        if when.first_line == "unknown":
            unknown = unread or any(all(d == "unknown" for d in group) for group in states)
            return NOTHING if unknown else None
        normal = all("normal" in group and not {"low", "high"} & set(group) for group in states)
        return NOTHING if normal and not unread else None

    return holds


def unsupported(when: When, knowledge: Knowledge) -> Condition:  # noqa: ARG001
    """This contributor acts through a result that is not known."""
    name = str(when.unsupported)
    return lambda case: NOTHING if name in case.unsupported else None


def unread(when: When, knowledge: Knowledge) -> Condition:  # noqa: ARG001
    """One of these is on record and could not be read; the card names it as a gap."""
    names = when.unread
    assert isinstance(names, tuple)  # noqa: S101
    wanted = frozenset(names)
    return lambda case: NOTHING if any(gap.what in wanted for gap in case.unread) else None
