"""Tests as pages: when they are suggested, when not, and what they are ordered as."""

from __future__ import annotations

from collections.abc import Iterator

from cds_hooks.knowledge_pages.conditions import in_words
from cds_hooks.knowledge_pages.page import Line, Page, page, reviewed, sources
from cds_hooks.knowledge_pages.wording import words
from mappings.knowledge import Knowledge
from mappings.rules import OrderRule


def order_page(rule: OrderRule, knowledge: Knowledge) -> Page:
    """One test."""
    say = words().say
    return page(
        rule.id,
        rule.title,
        [
            ("first_line", [say["first_line_yes"]] if rule.first_line else ()),
            (
                "asked_when",
                [*_reasons(rule, knowledge), say["never_suggested"] if rule.never_suggested else ""],
            ),
            ("not_when", [Line(in_words(item.when, knowledge), item.says) for item in rule.not_when]),
            ("do_not_order", [rule.do_not_order]),
            ("codes", _codes(rule)),
            ("valid", [say["days"].format(days=rule.valid_days)]),
            ("sources", sources(rule.references, knowledge)),
            ("review", [reviewed(rule.review)]),
        ],
    )


def _reasons(rule: OrderRule, knowledge: Knowledge) -> Iterator[str]:
    for reason in rule.suggest:
        urgency = "" if reason.urgency == "routine" else words().order_urgencies[reason.urgency]
        yield Line(in_words(reason.when, knowledge), reason.reason, after=urgency)


def _codes(rule: OrderRule) -> Iterator[str]:
    for request in rule.requests:
        code = f"{request.code} ({request.system})" if request.code else words().say["no_code"]
        yield f"{request.text}: {code}"
