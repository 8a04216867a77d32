"""Which tests to order now, which are already requested, which are answered."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from mappings.assess import evidence
from mappings.assess.case import Case
from mappings.assess.compiled import Compiled, CompiledOrder
from mappings.assess.readings import age_text
from mappings.assessment import Evidence, TestAdvice
from mappings.facts import Order
from mappings.rules import OrderRule, SpuriousRule

Urgency = Literal["routine", "urgent", "immediate"]
URGENCY: dict[Urgency, int] = {"routine": 0, "urgent": 1, "immediate": 2}


class Reason(Struct, frozen=True):
    """Why a test is wanted now."""

    text: str
    urgency: Urgency = "routine"
    repeat: bool = False
    proof: tuple[Evidence, ...] = ()


def advise(
    case: Case, rules: Compiled, repeats: dict[str, SpuriousRule], *, first_line: bool
) -> tuple[TestAdvice, ...]:
    """Advice per test, most urgent first. `repeats`: test id -> why its result is not believed."""
    pending, present = _pending(case), case.present
    unsettled = {lab for labs in case.unsupported.values() for lab in labs}
    unsettled.update(gap.what for gap in case.facts.gaps)
    unsettled.update(case.proposed)
    found = [
        advice
        for order in rules.orders
        if (
            order.rule.first_line
            or order.rule.id in repeats
            or not order.triggers.isdisjoint(present)
            or not unsettled.isdisjoint(order.labs)
        )
        and (advice := _advice(case, order, pending, repeats, unsettled, first_line=first_line))
    ]
    status = {"suggested": 0, "already-ordered": 1, "up-to-date": 2}
    return tuple(
        sorted(
            found,
            key=lambda advice: (status[advice.status], -URGENCY[advice.urgency], not _first(rules, advice)),
        )
    )


def _first(rules: Compiled, advice: TestAdvice) -> bool:
    return rules.knowledge.orders[advice.id].first_line


def _advice(
    case: Case,
    order: CompiledOrder,
    pending: dict[str, Order],
    repeats: dict[str, SpuriousRule],
    unsettled: set[str],
    *,
    first_line: bool,
) -> TestAdvice | None:
    rule = order.rule
    settled = unsettled.isdisjoint(order.labs)
    answer = _answer(case, rule)
    reasons = [] if settled and rule.id not in repeats else _doubts(case, rule, repeats)
    if not any(aside.holds(case) is not None for aside in order.not_when):
        reasons += _suggested(case, order)
        reasons += [] if settled else [*_unsupported(case, rule), *before_start(case, rule)]
        if first_line and rule.first_line and answer is None and not any(r.repeat for r in reasons):
            reasons.append(Reason(_why_unknown(case, rule)))
    wanted = [reason for reason in reasons if reason.repeat or answer is None]
    if not wanted:
        if answer is not None and (reasons or rule.first_line):
            return TestAdvice(rule.id, rule.title, "up-to-date", answer)
        return None
    text = "; ".join(dict.fromkeys(reason.text for reason in wanted))
    urgency = max((reason.urgency for reason in wanted), key=lambda name: URGENCY[name])
    proof = tuple(dict.fromkeys(item for reason in wanted for item in reason.proof))
    covering = _covering(rule, pending)
    if covering:
        requested = case.knowledge.wording["requested_on" if covering.date else "ordered"]
        text = requested.format(date=covering.date.isoformat() if covering.date else "")
        return TestAdvice(rule.id, rule.title, "already-ordered", text, urgency, proof)
    parts = tuple(r.covers for r in rule.requests if r.covers and r.covers not in pending)
    return TestAdvice(rule.id, rule.title, "suggested", text, urgency, proof, parts)


def _doubts(case: Case, rule: OrderRule, repeats: dict[str, SpuriousRule]) -> list[Reason]:
    """A result that exists and cannot be believed or read must be repeated, whatever speaks against the test."""
    reasons = []
    if doubt := repeats.get(rule.id):
        title = doubt.title[:1].lower() + doubt.title[1:]
        reasons.append(Reason(title, "routine" if doubt.indicator == "info" else "urgent", repeat=True))
    if why := case.unreadable(rule.asks_again):
        reasons.append(Reason(why, repeat=True))
    return reasons


def _suggested(case: Case, order: CompiledOrder) -> list[Reason]:
    return [
        Reason(suggest.rule.reason, suggest.rule.urgency, suggest.rule.repeat, proof)
        for suggest in order.suggest
        if not suggest.triggers.isdisjoint(case.present) and (proof := suggest.holds(case)) is not None
    ]


def _unsupported(case: Case, rule: OrderRule) -> list[Reason]:
    """Drugs and conditions whose effect on this result is not known since they began."""
    reasons = []
    for name, labs in case.unsupported.items():
        contributor = case.ranked.get(name)
        for lab in labs if contributor else ():
            if lab not in rule.answered_by or contributor is None:
                continue
            reading, cause = case.readings[lab], contributor.evidence[0] if contributor.evidence else None
            label = cause.label if cause else contributor.title
            kind = "drug" if name.startswith("drug:") else "condition"
            named = {kind: label}
            if reading.answered and reading.result and cause and cause.date:
                text = case.knowledge.wording[f"test_before_{kind}"].format(
                    date=reading.result.date.isoformat(), start=cause.date.isoformat(), **named
                )
            else:
                text = case.knowledge.wording[f"test_with_{kind}"].format(**named)
            reasons.append(Reason(text, repeat=True, proof=contributor.evidence[:1]))
    return reasons


def before_start(case: Case, rule: OrderRule) -> list[Reason]:
    """Results to know before a drafted medicine is started."""
    drugs = dict.fromkeys(case.proposed[lab] for lab in rule.answered_by if lab in case.proposed)
    return [Reason(case.knowledge.wording["test_before_start"].format(drug=drug)) for drug in drugs]


_NOT_OBTAINED = frozenset({"not-provided", "not-readable", "incomplete"})


def _why_unknown(case: Case, rule: OrderRule) -> str:
    say = case.knowledge.wording
    for name in rule.answered_by:
        reading = case.readings[name]
        if reading.gap is not None and reading.gap.reason == "stale" and reading.result:
            return say["test_stale"].format(
                age=age_text(reading.age_days), date=reading.result.date.isoformat()
            )
        if reading.gap is not None and reading.gap.text:
            return say["test_unknown"].format(why=reading.gap.text)
        if reading.answered:
            return say["test_no_limit"].format(result=evidence.of_reading(reading, case.knowledge).text)
    unread = any(gap.what == "Observation" and gap.reason in _NOT_OBTAINED for gap in case.facts.gaps)
    return say["test_not_obtained" if unread or "Observation" not in case.facts.read else "test_missing"]


def _answer(case: Case, rule: OrderRule) -> str | None:
    """Why nothing needs to be ordered: a current result, or the examination was done within its validity."""
    say = case.knowledge.wording
    for name in rule.answered_by:
        reading = case.readings[name]
        known = reading.direction != "unknown" if rule.first_line else reading.answered
        if known and reading.result and reading.age_days <= rule.valid_days:
            return say["up_to_date"].format(date=reading.result.date.isoformat())
    if rule.answered_by:
        return None
    done = [o.date for o in case.facts.orders if o.status == "done" and rule.id in o.tests and o.date]
    valid = [on for on in done if 0 <= (case.today - on).days <= rule.valid_days]
    return say["done"].format(date=max(valid).isoformat()) if valid else None


def _pending(case: Case) -> dict[str, Order]:
    """Test or part id -> the newest request that covers it, panels opened; those older than their validity left out."""
    found: dict[str, Order] = {}
    for order in sorted(case.facts.orders, key=lambda o: (o.date or date.min, o.resource), reverse=True):
        if order.status == "done":
            continue
        names = {member for test in order.tests for member in (test, *case.knowledge.panels.get(test, ()))}
        for name in names:
            if _still_counts(case, name, order.date):
                found.setdefault(name, order)
    return found


def _still_counts(case: Case, name: str, on: date | None) -> bool:
    if on is None:
        return True
    rules = case.knowledge.orders
    rule = rules.get(name) or next(
        (r for r in rules.values() if any(q.covers == name for q in r.requests)), None
    )
    return rule is None or (case.today - on).days <= rule.valid_days


def _covering(rule: OrderRule, pending: dict[str, Order]) -> Order | None:
    for group in ((rule.id,), *rule.covered_by):
        if all(name in pending for name in group):
            return pending[group[0]]
    return None
