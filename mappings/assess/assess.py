"""The one way from facts to an assessment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from mappings.assess import contributors, evidence, spurious, tests_to_order
from mappings.assess.calcium import derive_calcium
from mappings.assess.case import Case
from mappings.assess.compiled import Compiled, compiled
from mappings.assess.evidence import clip
from mappings.assess.proposals import propose
from mappings.assess.readings import Readings, read_results
from mappings.assess.record_words import bounds_hold
from mappings.assess.signs import ABNORMAL_EXAM, EXAM, MEDICINE
from mappings.assess.triggers import present
from mappings.assessment import (
    SEVERITY,
    Assessment,
    Considered,
    Contributor,
    Gate,
    Indicator,
    Proposal,
    RedFlag,
    SafetyItem,
    SilentReason,
    TestAdvice,
)
from mappings.facts import DataGap, PatientFacts
from mappings.knowledge import Knowledge
from mappings.rule_language import Limit

Shown = Contributor | RedFlag | SafetyItem | Proposal
ESSENTIAL = ("Condition", "Observation", "MedicationRequest")
"""Types whose absence is never passed over in silence."""
UNREAD = frozenset({"not-readable", "incomplete"})
PRESSING = {"immediate": 0, "urgent": 1, "soon": 2, "routine": 3}
NOTABLE_TIERS = frozenset({"A", "C1"})


def assess(facts: PatientFacts, knowledge: Knowledge, today: date) -> Assessment:
    """What likely contributes to the twitching, why, and which tests to order; pure and deterministic.

    `facts` in any order give the same answer. `today` is the only clock.
    """
    rules = compiled(knowledge)
    case = Case(facts, knowledge, today)
    gate = Gate(bool(case.gate), tuple(evidence.of_problem(p, knowledge) for p in case.gate))
    if not gate.open:
        if not facts.patient.deceased and (proposed := _order_review(case, rules, gate)):
            return proposed
        if any(map(_hides_problems, facts.gaps)):
            return _gate_unknown(case, gate, tuple(filter(_hides_problems, case.gaps)))
        mimic = any(
            p.active and not set(p.concepts).isdisjoint(knowledge.gate.mimics) for p in facts.problems
        )
        return _silent(case, gate, "mimic-only" if mimic else "twitching-not-documented")
    if facts.patient.deceased:
        return _silent(case, gate, "deceased")
    if case.age is not None and _under_age(case, case.age[1]):
        return Assessment(
            assessed_at=today,
            knowledge_version=knowledge.version,
            gate=gate,
            indicator="info",
            out_of_scope=knowledge.gate.under_age,
            notes=(knowledge.gate.under_age,),
        )
    return _assess(case, rules, gate)


def _assess(case: Case, rules: Compiled, gate: Gate) -> Assessment:
    knowledge = case.knowledge
    doubts = _read(case, rules)
    case.red_flags = _red_flags(case, rules)
    considered = contributors.rank(case, rules)
    proposals = propose(case, rules, documented=True)
    case.proposed = _to_know(proposals)
    safety = (*contributors.safety(case, rules), *doubts.items)
    known_mnd = any(name in case.ranked for name in knowledge.gate.known_mnd)
    if known_mnd:
        case.red_flags = {name: f for name, f in case.red_flags.items() if f.urgency == "immediate"}
    ranked = tuple(case.ranked.values())
    advice = tests_to_order.advise(case, rules, doubts.repeats, first_line=not known_mnd)
    flags = tuple(
        sorted(case.red_flags.values(), key=lambda f: (-SEVERITY[f.indicator], PRESSING[f.urgency], f.id))
    )
    gaps = _gaps(case, rules, advice)
    doubtful = known_mnd and _perhaps_critical(case)
    silence = _silence(ranked, flags, safety, advice, gaps, known_mnd=known_mnd, doubtful=doubtful)
    if silence and not proposals:
        return _silent(case, gate, silence, ranked, considered, advice, gaps)
    return Assessment(
        assessed_at=case.today,
        knowledge_version=knowledge.version,
        gate=gate,
        indicator=_indicator((ranked, flags, safety, proposals), advice),
        red_flags=flags,
        contributors=ranked,
        considered=tuple(considered),
        safety=safety,
        proposals=proposals,
        tests=advice,
        gaps=gaps,
        notes=(*doubts.notes, *_notes(case, rules)),
        unanswered=_unanswered(case),
    )


def _read(case: Case, rules: Compiled) -> spurious.Doubts:
    """Fills the readings of a case, without those a pattern makes untrustworthy."""
    knowledge, pregnant = case.knowledge, case.pregnant
    readings = read_results(case.facts.labs, knowledge, case.today, pregnant=pregnant)
    calcium = derive_calcium(readings, knowledge, pregnant=pregnant)
    doubts = spurious.doubt(case, rules, {**readings, calcium.analyte: calcium})
    if doubts.items:
        doubts.readings[calcium.analyte] = derive_calcium(doubts.readings, knowledge, pregnant=pregnant)
    case.readings = Readings(doubts.readings, [r.gap for r in doubts.readings.values() if r.gap])
    case.present = present(case)
    return doubts


def _hides_problems(gap: DataGap) -> bool:
    return gap.what == "Condition" and gap.reason in UNREAD


def _to_know(proposals: Iterable[Proposal]) -> dict[str, str]:
    return {e.lab: p.drug for p in proposals for e in p.effects if not e.known or e.worsens}


def _order_review(case: Case, rules: Compiled, gate: Gate) -> Assessment | None:
    """Twitching is not documented, but a medicine is being ordered that would push an abnormal result further."""
    if not any(m.status == "draft" for m in case.facts.medications):
        return None
    if case.age is not None and _under_age(case, case.age[0]):
        return None
    _read(case, rules)
    proposals = propose(case, rules, documented=False)
    if not proposals:
        return None
    case.proposed = _to_know(proposals)
    advice = tests_to_order.advise(case, rules, {}, first_line=False)
    wanted = {order.rule.id for order in rules.orders if set(order.rule.answered_by) & set(case.proposed)}
    advice = tuple(test for test in advice if test.id in wanted)
    return Assessment(
        assessed_at=case.today,
        knowledge_version=case.knowledge.version,
        gate=gate,
        indicator=_indicator((proposals,), advice),
        proposals=proposals,
        tests=advice,
        gaps=_gaps(case, rules, advice),
    )


def _gate_unknown(case: Case, gate: Gate, unread: tuple[DataGap, ...]) -> Assessment:
    """Part of the problem list could not be read, so silence would claim what nobody knows."""
    return Assessment(
        assessed_at=case.today,
        knowledge_version=case.knowledge.version,
        gate=gate,
        indicator="info",
        gaps=unread,
        notes=(case.knowledge.wording["gate_unknown"],),
    )


def _under_age(case: Case, years: int) -> bool:
    return bounds_hold(Limit(below=case.knowledge.gate.adults_from), Decimal(years), "a")


def _red_flags(case: Case, rules: Compiled) -> dict[str, RedFlag]:
    return {
        rule.id: RedFlag(
            rule.id, rule.title, rule.urgency, proof, rule.says, rule.references, rule.indicator, rule.also
        )
        for rule, holds, triggers in rules.red_flags
        if not triggers.isdisjoint(case.present) and (proof := holds(case)) is not None
    }


def _silence(
    ranked: Iterable[Contributor],
    flags: Iterable[RedFlag],
    safety: Iterable[SafetyItem],
    advice: Iterable[TestAdvice],
    gaps: Iterable[DataGap],
    *,
    known_mnd: bool,
    doubtful: bool,
) -> SilentReason | None:
    """Known motor neuron disease with nothing critical or abnormal; or all is requested and nothing is to say."""
    if known_mnd:
        notable = any(c.tier in NOTABLE_TIERS for c in ranked) or any(flags) or any(safety) or doubtful
        return None if notable else "known-mnd"
    statuses = {test.status for test in advice}
    nothing = not any(ranked) and not any(flags) and not any(safety) and "suggested" not in statuses
    unread = any(gap.reason != "not-provided" or gap.what in ESSENTIAL for gap in gaps)
    return "nothing-to-add" if nothing and "already-ordered" in statuses and not unread else None


def _perhaps_critical(case: Case) -> bool:
    """The newest result of an analyte that can be critical exists and could not be read: nobody knows that it is not."""
    rules = case.knowledge.analytes
    return any(
        case.unreadable(order.asks_again)
        for order in case.knowledge.orders.values()
        if any(
            band.name == "critical"
            for lab in order.asks_again
            if lab in rules
            for band in (*rules[lab].bands.low, *rules[lab].bands.high)
        )
    )


def _indicator(shown: Iterable[Iterable[Shown]], advice: Iterable[TestAdvice]) -> Indicator:
    """The highest of all that is shown; an urgent test is a warning."""
    found: list[Indicator] = ["info", *(item.indicator for group in shown for item in group)]
    found += ["warning" for test in advice if test.status == "suggested" and test.urgency != "routine"]
    return max(found, key=lambda name: SEVERITY[name])


def _gaps(case: Case, rules: Compiled, advice: Iterable[TestAdvice]) -> tuple[DataGap, ...]:
    """What could not be read, and which result that matters here is too old: once each, in a stable order."""
    known = {
        gap
        for gap in case.facts.gaps
        if not (gap.what == "Encounter" and gap.reason == "not-provided") and gap.what not in (EXAM, MEDICINE)
    }
    known.update(case.unread)
    matters = {lab for order in rules.orders if order.rule.first_line for lab in order.labs}
    matters.update(lab for test in advice for lab in case.knowledge.orders[test.id].answered_by)
    known.update(
        gap for gap in case.readings.gaps if gap.text and (gap.reason != "stale" or gap.what in matters)
    )
    if case.age is None or _under_age(case, case.age[0]):
        known.add(DataGap("Patient", "no-value", case.knowledge.gate.age_unknown, ""))
    return tuple(
        sorted(known, key=lambda gap: (gap.what, gap.reason, gap.resource, gap.text, gap.on or date.max))
    )


def _notes(case: Case, rules: Compiled) -> tuple[str, ...]:
    said = [
        note.says
        for note, holds, triggers in rules.notes
        if not triggers.isdisjoint(case.present) and holds(case) is not None
    ]
    say = case.knowledge.wording
    if not case.ranked and not case.red_flags:
        said.append(say["no_contributor"])
    known_mnd = not case.ranked.keys().isdisjoint(case.knowledge.gate.known_mnd)
    if case.examination is None and not (ABNORMAL_EXAM in case.findings or case.red_flags or known_mnd):
        said.append(say["no_exam"])
    unmapped = sorted(
        {clip(m.text) for m in case.facts.medications if not m.by and m.text and m.status != "draft"}
    )
    if unmapped:
        said.append(say["unmapped_medicines"].format(names=", ".join(unmapped)))
    return tuple(said)


def _unanswered(case: Case) -> tuple[str, ...]:
    answered = {answer.question for answer in case.facts.answers}
    if case.onset:
        answered.add("first-noticed")
    if any(problem.site for problem in case.gate):
        answered.add("locations")
    return tuple(q.text for q in case.knowledge.questions.values() if q.core and q.id not in answered)


def _silent(
    case: Case,
    gate: Gate,
    reason: SilentReason,
    ranked: tuple[Contributor, ...] = (),
    considered: Iterable[Considered] = (),
    advice: tuple[TestAdvice, ...] = (),
    gaps: tuple[DataGap, ...] = (),
) -> Assessment:
    return Assessment(
        assessed_at=case.today,
        knowledge_version=case.knowledge.version,
        gate=gate,
        silent_reason=reason,
        contributors=ranked,
        considered=tuple(considered),
        tests=advice,
        gaps=gaps or case.gaps,
    )
