"""From the assessment to at most three cards: red flags, contributors, tests. Knows no web framework."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from msgspec.structs import replace

from cds_hooks import card_detail as detail
from cds_hooks.advice_id import TEST, TOPIC
from cds_hooks.card_kit import CardKit, mid_sentence
from cds_hooks.card_wording import CardKind
from cds_hooks.markdown import escape, plain, shorten
from cds_hooks.request import HookContext
from cds_hooks.response import Action, Card, CardIndicator, Suggestion
from cds_hooks.service_request import fill_in
from mappings.assessment import SEVERITY, Assessment, Contributor, Indicator, SafetyItem, TestAdvice

LONGEST_SUMMARY = 139
"""CDS Hooks 2.0, Card Attributes: fewer than 140 characters."""


def build_cards(
    assessment: Assessment, context: HookContext, kit: CardKit, quiet: Container[CardKind] = ()
) -> tuple[Card, ...]:
    """The cards of one assessment; none exactly when it has a reason to be silent, or all its kinds are `quiet`."""
    if assessment.silent_reason is not None:
        return ()
    if assessment.out_of_scope:
        return (_scope_card(assessment, kit),)
    advised = [test for test in assessment.tests if test.status == "suggested"]
    shared = detail.context_paragraphs(assessment, kit)
    cards = []
    if assessment.proposals:
        if "orders" not in quiet:
            cards.append(_order_card(assessment, kit, shared))
            shared = []
    elif "contributors" not in quiet and (
        assessment.contributors or assessment.safety or not (advised or assessment.red_flags)
    ):
        cards.append(_contributor_card(assessment, kit, shared))
        shared = []
    if advised and "tests" not in quiet:
        cards.append(_test_card(assessment, advised, context, kit, shared))
        shared = []
    if assessment.red_flags:
        cards.insert(0, _red_flag_card(assessment, kit, shared))
    if kit.history_form and assessment.unanswered:
        footer = detail.footer(assessment, kit)
        cards = [
            replace(card, links=(kit.history_form,)) if card.detail.endswith(footer) else card
            for card in cards
        ]
    return tuple(cards)


def _scope_card(assessment: Assessment, kit: CardKit) -> Card:
    """The rules do not apply: said once, never by silence."""
    sentence = escape(assessment.out_of_scope, detail.SENTENCE)
    return _card("scope", assessment.out_of_scope, "info", [sentence, detail.footer(assessment, kit)], kit)


def _red_flag_card(assessment: Assessment, kit: CardKit, shared: Sequence[str]) -> Card:
    """Findings that change the pathway, above everything else."""
    flags = assessment.red_flags
    most = min(flags, key=lambda flag: ("immediate", "urgent", "soon", "routine").index(flag.urgency)).urgency
    summary = _fitting([mid_sentence(flag.title) for flag in flags], kit, f"red_flags_{most}", "titles")
    lines = detail.red_flag_lines(flags, kit)
    return _card(
        "red_flags", summary, _highest(flag.indicator for flag in flags), ["\n".join(lines), *shared], kit
    )


def _contributor_card(assessment: Assessment, kit: CardKit, shared: Sequence[str]) -> Card:
    """The ranked contributors and the safety items; without any of them, what could not be known."""
    ranked, safety = assessment.contributors, assessment.safety
    causes, dangers = _highest(item.indicator for item in ranked), _highest(item.indicator for item in safety)
    parts = ["\n".join(detail.contributor_lines(ranked, kit)), "\n".join(detail.safety_lines(safety, kit))]
    if safety and (not ranked or SEVERITY[dangers] > SEVERITY[causes]):
        parts = [parts[1], f"**{kit.say('contributors')}**" if ranked else "", parts[0]]
        more = kit.say("also_contributors", count=len(ranked)) if ranked else ""
        summary = kit.say("summary_safety", lead=mid_sentence(_lead(safety[0], kit)), more=more)
    else:
        summary = _contributor_summary(assessment, kit)
    indicator = _highest((causes, dangers))
    return _card("contributors", summary, indicator, [*parts, *shared], kit)


def _order_card(assessment: Assessment, kit: CardKit, shared: Sequence[str]) -> Card:
    """What the medicines being ordered would change; the contributors follow on the same card."""
    lead = assessment.proposals[0]
    worse = next((effect for effect in lead.effects if effect.worsens), None)
    if worse is not None:
        (now,) = worse.evidence
        unit = kit.wording.units.get(now.unit, now.unit)
        value = kit.say("already", effect=worse.label, value=f"{now.value} {unit}", date=now.date)
        summary = kit.say("summary_worsens", drug=lead.drug, effect=value)
    else:
        known = "_known" if all(effect.known for effect in lead.effects) else ""
        summary = kit.say(
            f"summary_proposal{known}" if lead.effects else "summary_proposal_direct", drug=lead.drug
        )
    ranked, safety = assessment.contributors, assessment.safety
    parts = [
        "\n".join(detail.proposal_lines(assessment.proposals, kit)),
        "\n".join(detail.safety_lines(safety, kit)),
        f"**{kit.say('contributors')}**" if ranked else "",
        "\n".join(detail.contributor_lines(ranked, kit)),
    ]
    indicator = _highest(item.indicator for group in (assessment.proposals, ranked, safety) for item in group)
    return _card("orders", summary, indicator, [*parts, *shared], kit)


def _contributor_summary(assessment: Assessment, kit: CardKit) -> str:
    """What alarms most with its value, and how many more; without a contributor, whether all could be read."""
    if not assessment.contributors:
        unusable = any(gap.reason != "not-provided" for gap in assessment.gaps)
        complete = "summary_nothing_shown" if kit.silent_rules else "summary_nothing"
        nothing = "summary_incomplete" if unusable else complete
        return kit.say(nothing if assessment.gate.open else "summary_gate_unknown")
    ranked = assessment.contributors
    lead = max(ranked, key=lambda item: SEVERITY[item.indicator])  # of equals the one ranked first
    if lead.tier == "H":
        return kit.say("summary_by_exclusion", lead=lead.title)
    sentence = "summary_contributor"
    if lead.indicator == "critical":
        sentence = "summary_critical" if lead.tier == "A" else "summary_emergency"
    more = kit.say("more", count=len(ranked) - 1) if ranked[1:] else ""
    return kit.say(sentence, lead=mid_sentence(_lead(lead, kit)), more=more)


def _lead(item: Contributor | SafetyItem, kit: CardKit) -> str:
    """The title with the first result behind it; the result is named unless the title already does."""
    for evidence in item.evidence:
        if evidence.value and evidence.unit and evidence.date:
            value = f"{evidence.value} {kit.wording.units.get(evidence.unit, evidence.unit)}"
            if evidence.label.lower() not in item.title.lower():
                value = f"{evidence.label} {value}"
            return kit.say("lead_value", title=item.title, value=value, date=evidence.date)
    return item.title


def _test_card(
    assessment: Assessment,
    advised: Sequence[TestAdvice],
    context: HookContext,
    kit: CardKit,
    shared: Sequence[str],
) -> Card:
    """The tests to order, each request a suggestion of its own."""
    pressing = any(test.urgency != "routine" for test in advised)
    indicator: CardIndicator = (
        "warning" if pressing and SEVERITY[assessment.indicator] >= SEVERITY["warning"] else "info"
    )
    return _card(
        "tests",
        _fitting(
            [mid_sentence(test.title) for test in advised],
            kit,
            "summary_tests" if assessment.gate.open else "summary_tests_before",
            "tests",
        ),
        indicator,
        ["\n".join(detail.test_lines(advised, kit)), *shared],
        kit,
        tuple(_suggestions(assessment, advised, context, kit)),
    )


def _fitting(titles: Sequence[str], kit: CardKit, sentence: str, field: str) -> str:
    """The sentence with as many titles as fit, and the number of the others."""
    summary = kit.say(sentence, **{field: ", ".join(titles)})
    shown = len(titles)
    while len(summary) > LONGEST_SUMMARY and shown > 1:
        shown -= 1
        some = kit.say("and_more", titles=", ".join(titles[:shown]), count=len(titles) - shown)
        summary = kit.say(sentence, **{field: some})
    return summary


def _suggestions(
    assessment: Assessment, advised: Sequence[TestAdvice], context: HookContext, kit: CardKit
) -> Iterable[Suggestion]:
    """One suggestion with one action per request, or per test; a test without an order rule has none."""
    for advice in advised:
        labels, actions, reason = [], [], plain(kit.printed(advice.reason))
        for template in kit.orders.get(advice.id, ()):
            if template.covers and template.covers not in advice.parts:
                continue
            label = plain(kit.say("order", title=mid_sentence(template.title)))
            resource = fill_in(template, advice, assessment, context, reason)
            labels.append(label)
            actions.append(Action("create", f"{label}: {reason}", resource))
        subject = f"{TEST}{advice.id}"
        if kit.shape.one_action or len(actions) == 1:
            for label, action in zip(labels, actions, strict=True):
                yield Suggestion(label, kit.new_id(subject), (action,))
        elif actions:
            label = plain(kit.say("order", title=mid_sentence(advice.title)))
            yield Suggestion(label, kit.new_id(subject), tuple(actions))


def _card(
    kind: CardKind,
    summary: str,
    indicator: CardIndicator,
    parts: Iterable[str],
    kit: CardKit,
    suggestions: tuple[Suggestion, ...] = (),
) -> Card:
    return Card(
        uuid=kit.new_id(f"{TOPIC}{kit.sources[kind].topic.code}"),
        summary=shorten(plain(summary), LONGEST_SUMMARY),
        indicator=indicator,
        source=kit.sources[kind],
        detail=kit.shape.write([part for part in parts if part], kit.say),
        suggestions=suggestions,
        selection_behavior="any" if suggestions and kit.shape.selection_behavior else "",
        override_reasons=kit.override_reasons[kind],
        extension=kit.shape.extension,
    )


def _highest(indicators: Iterable[Indicator]) -> CardIndicator:
    """The most severe; a card has at least `info`."""
    found = set(indicators)
    return "critical" if "critical" in found else "warning" if "warning" in found else "info"
