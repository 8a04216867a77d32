"""Contributors, red flags and specimens that are not believed, as pages."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from cds_hooks.knowledge_pages.conditions import in_words
from cds_hooks.knowledge_pages.limit_page import limits_in_words
from cds_hooks.knowledge_pages.page import Line, Page, page, reviewed, sources
from cds_hooks.knowledge_pages.wording import bounds, listing, title_of, words
from mappings.knowledge import Knowledge, conditions
from mappings.rules import ContributorRule, Mediator, RedFlagRule, SpuriousResult, SpuriousRule, Through


def contributor_page(rule: ContributorRule, knowledge: Knowledge) -> Page:
    """Everything a clinician needs to judge one contributor."""
    labs = [
        (str(when.lab), str(when.is_))
        for tier in rule.tiers
        for _, when in conditions(tier)
        if when.lab is not UNSET
    ] + [(mediator.lab, mediator.goes) for mediator in (rule.through.mediators if rule.through else ())]
    return page(
        rule.id,
        rule.title,
        [
            ("strength", [words().strengths[rule.strength]]),
            ("mechanism", [rule.mechanism]),
            ("listed", [*_tiers(rule, knowledge), words().say["never_listed"] if rule.never_ranked else ""]),
            ("acts_through", _through(rule.through, knowledge) if rule.through else ()),
            ("adds", [Line(in_words(item.when, knowledge), item.says) for item in rule.adds]),
            ("considered", [Line(in_words(item.when, knowledge), item.says) for item in rule.considered]),
            ("suppresses", [listing(title_of(name, knowledge) for name in rule.suppresses)]),
            ("limits", limits_in_words(labs, knowledge)),
            ("misuse", [rule.misuse]),
            ("belief", [rule.belief]),
            ("sources", sources(rule.references, knowledge)),
            ("review", [reviewed(rule.review)]),
        ],
    )


def _tiers(rule: ContributorRule, knowledge: Knowledge) -> Iterator[str]:
    for tier in rule.tiers:
        marks: list[str] = [tier.tier]
        if tier.strength:
            marks.append(words().strengths[tier.strength])
        if tier.indicator:
            marks.append(words().indicators[tier.indicator])
        yield Line(in_words(tier.when, knowledge), tier.says, marks)


def _through(through: Through, knowledge: Knowledge) -> Iterator[str]:
    say = words().say
    unknown = say["acts_unknown"].format(tier=through.tier) if through.tier else say["acts_only_explains"]
    yield say["acts_note"].format(condition=in_words(through.when, knowledge), unknown=unknown)
    yield "; ".join(_mediator(mediator, knowledge) for mediator in through.mediators)
    yield through.says


def _mediator(mediator: Mediator, knowledge: Knowledge) -> str:
    rule = knowledge.analytes.get(mediator.lab)
    text = f"{words().moves[mediator.goes]} {rule.title if rule else knowledge.calcium.title}"
    return f"{text} ({words().say['explains_only']})" if mediator.explains_only else text


def red_flag_page(rule: RedFlagRule, knowledge: Knowledge) -> Page:
    """A finding that changes the pathway."""
    urgency = f"{words().urgencies[rule.urgency]} ({words().indicators[rule.indicator]})"
    return page(
        rule.id,
        rule.title,
        [
            ("urgency", [urgency]),
            ("when", [Line(in_words(rule.when, knowledge), " ".join(filter(None, (rule.says, rule.also))))]),
            ("misuse", [rule.misuse]),
            ("sources", sources(rule.references, knowledge)),
            ("review", [reviewed(rule.review)]),
        ],
    )


def spurious_page(rule: SpuriousRule, knowledge: Knowledge) -> Page:
    """A pattern that makes results untrustworthy."""
    return page(
        rule.id,
        rule.title,
        [
            ("when", [Line("; ".join(_pattern(rule, knowledge)), rule.says)]),
            ("not_asserted", [listing(knowledge.analytes[name].title for name in rule.invalidates)]),
            ("repeat", [listing(title_of(name, knowledge) for name in rule.repeat)]),
            ("sources", sources(rule.references, knowledge)),
            ("review", [reviewed(rule.review)]),
        ],
    )


def _pattern(rule: SpuriousRule, knowledge: Knowledge) -> Iterator[str]:
    say = words().say
    yield from (_result(result, knowledge) for result in rule.results)
    if rule.any_of:
        yield say["spurious_any"].format(parts=", ".join(_result(r, knowledge) for r in rule.any_of))
    if rule.exposure:
        yield in_words(rule.exposure, knowledge)
    if rule.same_specimen:
        yield say["same_specimen"]
    if rule.haemolysed:
        yield say["haemolysed"]


def _result(result: SpuriousResult, knowledge: Knowledge) -> str:
    analytes = listing(knowledge.analytes[name].title for name in result.labs)
    limit = f" ({bounds(result.limit)})" if result.limit else ""
    return f"{analytes} {words().directions[result.is_]}{limit}"
