"""The page of any id of the rule set."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from cds_hooks.knowledge_pages.conditions import in_words
from cds_hooks.knowledge_pages.contributor_page import contributor_page, red_flag_page, spurious_page
from cds_hooks.knowledge_pages.limit_page import analyte_page, calcium_page
from cds_hooks.knowledge_pages.order_page import order_page
from cds_hooks.knowledge_pages.page import Line, Page, page, reviewed, sources
from cds_hooks.knowledge_pages.wording import called, words
from mappings.knowledge import Knowledge
from mappings.knowledge_check.rules import cited, rules
from mappings.rules import Note, Reference

SOURCE_ATTRIBUTES = "source-attributes"


class UnknownIdError(LookupError):
    """Nothing is called so; the message names what comes close."""


def pages_of(identifier: str, knowledge: Knowledge) -> list[Page]:
    """Every page of this id: `potassium` is both an analyte and a test. Raises `UnknownIdError`."""
    found = list(_pages(identifier, knowledge))
    if not found:
        close = get_close_matches(identifier, known_ids(knowledge), n=3)
        names = words().say["close"].format(names=", ".join(close)) if close else ""
        raise UnknownIdError(words().say["unknown_id"].format(id=identifier, close=names))
    return found


def known_ids(knowledge: Knowledge) -> list[str]:
    """Every id that has a page, each once."""
    groups = (
        knowledge.contributors,
        knowledge.red_flags,
        knowledge.orders,
        knowledge.analytes,
        knowledge.spurious,
        knowledge.notes,
        knowledge.references,
    )
    return list(
        dict.fromkeys(
            [*(name for group in groups for name in group), knowledge.calcium.id, SOURCE_ATTRIBUTES]
        )
    )


def _pages(identifier: str, knowledge: Knowledge) -> Iterator[Page]:
    if rule := knowledge.contributors.get(identifier):
        yield contributor_page(rule, knowledge)
    if flag := knowledge.red_flags.get(identifier):
        yield red_flag_page(flag, knowledge)
    if order := knowledge.orders.get(identifier):
        yield order_page(order, knowledge)
    if analyte := knowledge.analytes.get(identifier):
        yield analyte_page(analyte, knowledge)
    if pattern := knowledge.spurious.get(identifier):
        yield spurious_page(pattern, knowledge)
    if note := knowledge.notes.get(identifier):
        yield note_page(note, knowledge)
    if reference := knowledge.references.get(identifier):
        yield reference_page(reference, knowledge)
    if identifier == knowledge.calcium.id:
        yield calcium_page(knowledge)
    if identifier == SOURCE_ATTRIBUTES:
        yield publication_page(knowledge)


def note_page(note: Note, knowledge: Knowledge) -> Page:
    """A remark without a rank, called by how its sentence begins."""
    return page(
        note.id,
        called(note),
        [
            ("when", [Line(in_words(note.when, knowledge), note.says)]),
            ("sources", sources(note.references, knowledge)),
            ("review", [reviewed(note.review)]),
        ],
    )


def reference_page(reference: Reference, knowledge: Knowledge) -> Page:
    """A source, how far it was read, and who cites it."""
    citing = (called(rule) for _, rule in rules(knowledge) if reference.id in cited(rule))
    cite = f"{reference.cite} {reference.url}".strip()
    return page(
        reference.id,
        reference.short,
        [
            ("sources", [cite, words().say["read"].format(read=reference.read)]),
            ("cited_by", ["; ".join(dict.fromkeys(citing))]),
        ],
    )


def publication_page(knowledge: Knowledge) -> Page:
    """Intended use and the 13 source attributes."""
    told = knowledge.publication
    return page(
        SOURCE_ATTRIBUTES,
        words().say["attributes"],
        [
            ("use", [told.use]),
            ("users", [told.users]),
            ("population", [told.population]),
            ("not_for", [told.not_for]),
            ("tested", [told.tested]),
            ("attributes", [f"{item.number}. {item.name}: {item.value}" for item in told.attributes]),
            ("review", [reviewed(told.review)]),
        ],
    )
