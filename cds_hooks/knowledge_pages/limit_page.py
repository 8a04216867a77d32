"""The limits of an analyte in words: intervals and severity bands, in every unit they are stated in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from cds_hooks.knowledge_pages.page import Page, page, reviewed, sources
from cds_hooks.knowledge_pages.wording import bounds, per_unit, quantity, words
from mappings.knowledge import Knowledge
from mappings.knowledge_check.rules import cited
from mappings.limit_rules import AnalyteRule, Band, Interval
from mappings.rule_language import Limit


def analyte_page(rule: AnalyteRule, knowledge: Knowledge) -> Page:
    """All limits of one analyte."""
    return page(
        rule.id,
        rule.title,
        [
            ("whose", [words().precedence[rule.precedence]]),
            ("reference", [interval(rule.reference)]),
            ("pregnancy", [interval(rule.pregnancy)]),
            ("low", [band(item) for item in rule.bands.low]),
            ("high", [band(item) for item in rule.bands.high]),
            ("usable", [words().say["days"].format(days=rule.usable_days)]),
            ("misuse", [rule.misuse]),
            ("sources", sources(cited(rule), knowledge)),
            ("review", [reviewed(rule.review)]),
        ],
    )


def calcium_page(knowledge: Knowledge) -> Page:
    """How ionised, adjusted and total calcium are put together."""
    rule = knowledge.calcium
    return page(
        rule.id,
        rule.title,
        [
            ("calcium", [calcium_in_words(knowledge)]),
            ("misuse", [rule.misuse]),
            ("sources", sources(rule.references, knowledge)),
            ("review", [reviewed(rule.review)]),
        ],
    )


def calcium_in_words(knowledge: Knowledge) -> str:
    """Decision by ionised, adjusted or total calcium, with the numbers of the rule."""
    rule = knowledge.calcium
    return (
        words()
        .say["calcium_note"]
        .format(
            low=per_unit(rule.trusted_albumin.low),
            high=per_unit(rule.trusted_albumin.high),
            factor=per_unit(rule.factor),
            reference=per_unit(
                {rule.albumin_unit[unit]: value for unit, value in rule.albumin_reference.items()}
            ),
            floor=per_unit(rule.adjustable_albumin_at_least),
        )
    )


def limits_in_words(asked: Iterable[tuple[str, str]], knowledge: Knowledge) -> Iterator[str]:
    """One line per analyte a rule is about, with the sides it asks for (`any`: both).

    Derived calcium stands for what it is derived from.
    """
    calcium = knowledge.calcium
    measured = (calcium.ionised, calcium.adjusted, calcium.total)
    sides: dict[str, set[str]] = {}
    for lab, direction in asked:
        for name in measured if lab == calcium.id else (lab,):
            sides.setdefault(name, set()).update(SIDES.get(direction, ("low", "high")))
    for name, found in sides.items():
        rule = knowledge.analytes[name]
        yield f"{rule.title}: {'; '.join(_stated(rule, found))}"


SIDES = {"low": ("low",), "high": ("high",)}


def _stated(rule: AnalyteRule, sides: Collection[str]) -> Iterator[str]:
    say = words().say
    if text := interval(rule.reference):
        yield f"{say['reference'].lower()} {text}"
    if text := interval(rule.pregnancy):
        yield f"{say['pregnancy'].lower()} {text}"
    for side in sorted(sides, reverse=True):
        if found := ", ".join(band(item) for item in getattr(rule.bands, side)):
            yield f"{say[side].lower()}: {found}"
    yield words().precedence[rule.precedence]


def band(item: Band) -> str:
    """`critical at most 2.5 mmol/L`; without a bound of its own: `mild (outside the interval)`, or why else it holds."""
    limit = Limit(below=item.below, at_most=item.at_most, above=item.above, at_least=item.at_least)
    if stated := bounds(limit):
        return f"{item.name} {stated}"
    return f"{item.name} ({words().say['flagged' if item.flagged else 'outside']})"


def interval(item: Interval | None) -> str:
    """`3.5 to 5.4 mmol/L` in every stated unit; one-sided ones by their bound."""
    if item is None:
        return ""
    said = []
    for unit in dict.fromkeys((*item.low, *item.high)):
        low, high = item.low.get(unit), item.high.get(unit)
        if low is not None and high is not None:
            said.append(f"{low:f} to {quantity(high, unit)}")
        elif low is not None:
            said.append(words().bounds["at_least"].format(value=quantity(low, unit)))
        elif high is not None:
            said.append(words().bounds["at_most"].format(value=quantity(high, unit)))
    return ", ".join(said)
