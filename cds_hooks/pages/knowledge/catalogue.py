"""All rules as entries of one list, in groups, and the search in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cds_hooks.knowledge_pages.page import Page
from cds_hooks.knowledge_pages.pages import SOURCE_ATTRIBUTES, known_ids, pages_of
from cds_hooks.knowledge_pages.wording import called, words
from cds_hooks.pages.knowledge.overview import overview_pages
from mappings.knowledge import Knowledge
from mappings.knowledge_check.rules import rules


class Entry(NamedTuple):
    """One rule in a list. `mark` is a word that ranks it, `tone` the colour of the mark."""

    id: str
    title: str
    mark: str = ""
    tone: str = ""


class Group(NamedTuple):
    """A heading and its entries; `id` is where an address can point to."""

    id: str
    title: str
    note: str
    entries: tuple[Entry, ...]


TONES = {"established": "good", "plausible": "info", "weak": "", "immediate": "critical", "urgent": "warning"}


@lru_cache(maxsize=2)
def catalogue(knowledge: Knowledge) -> tuple[Group, ...]:
    """Every rule, in the order in which a reviewer reads them."""
    say = words().say
    tests = sorted(knowledge.orders.values(), key=lambda rule: (not rule.first_line, rule.title.lower()))
    groups = [
        Group(
            "red-flags",
            say["red_flags"],
            say["red_flags_note"],
            tuple(
                Entry(rule.id, rule.title, words().urgencies[rule.urgency], TONES.get(rule.urgency, "info"))
                for rule in knowledge.red_flags.values()
            ),
        ),
        *_contributors(knowledge),
        Group(
            "tests",
            say["tests"],
            say["tests_note"],
            tuple(Entry(r.id, r.title, say["first_line"].lower() if r.first_line else "") for r in tests),
        ),
        Group("limits", say["analytes"], "", _sorted(knowledge.analytes.values())),
        Group("spurious", say["spurious"], "", _sorted(knowledge.spurious.values())),
        Group(
            "remarks",
            say["notes"],
            "",
            tuple(Entry(note.id, called(note)) for note in knowledge.notes.values()),
        ),
        Group(
            "references",
            say["references"],
            "",
            tuple(Entry(item.id, item.short, item.id) for item in knowledge.references.values()),
        ),
    ]
    return tuple(groups)


def _contributors(knowledge: Knowledge) -> Iterator[Group]:
    """The contributors by the beginning of their id, as in `words.yaml`."""
    prefixes = words().groups
    members: dict[str, list[Entry]] = {prefix: [] for prefix in prefixes}
    for rule in knowledge.contributors.values():
        prefix = rule.id.partition(":")[0] if ":" in rule.id else ""
        members[prefix if prefix in members else ""].append(
            Entry(rule.id, rule.title, rule.strength, TONES.get(rule.strength, ""))
        )
    for prefix, title in prefixes.items():
        plain = prefix in ("mimic", "safety")  # not ranked, so a strength would mislead
        entries = sorted(members[prefix], key=lambda entry: entry.title.lower())
        yield Group(
            prefix or "contributors",
            title,
            "",
            tuple(entry._replace(mark="", tone="") if plain else entry for entry in entries),
        )


def _sorted(rules: Iterable[object]) -> tuple[Entry, ...]:
    entries = [Entry(rule.id, rule.title) for rule in rules]  # type: ignore[attr-defined]  # every rule has both
    return tuple(sorted(entries, key=lambda entry: entry.title.lower()))


@lru_cache(maxsize=2)
def all_pages(knowledge: Knowledge) -> Mapping[str, Sequence[Page]]:
    """The pages of every address below `/knowledge`."""
    found: dict[str, Sequence[Page]] = {name: pages_of(name, knowledge) for name in known_ids(knowledge)}
    return found | {page.id: [page] for page in overview_pages(knowledge)}


@lru_cache(maxsize=2)
def _texts(knowledge: Knowledge) -> Mapping[str, str]:
    """Everything that is said on the pages of an id, for the search."""
    return {
        name: " ".join(
            (
                name,
                *(
                    f"{page.title} {' '.join(line for s in page.sections for line in s.lines)}"
                    for page in found
                ),
            )
        ).casefold()
        for name, found in all_pages(knowledge).items()
    }


def search(query: str, knowledge: Knowledge) -> tuple[Group, ...]:
    """The groups with the entries on whose page every word of the query stands; all of them for no words.

    Entries with a word in their title come first.
    """
    wanted = query.casefold().split()
    if not wanted:
        return catalogue(knowledge)
    texts = _texts(knowledge)
    found = []
    for group in catalogue(knowledge):
        hits = [entry for entry in group.entries if all(word in texts[entry.id] for word in wanted)]
        hits.sort(key=lambda entry: not any(word in entry.title.casefold() for word in wanted))
        if hits:
            found.append(group._replace(entries=tuple(hits)))
    return tuple(found)


class Kind(NamedTuple):
    """What sort of rule an id is, and the words that rank it, each with its colour."""

    title: str
    marks: tuple[tuple[str, str], ...]


def kind_of(identifier: str, knowledge: Knowledge) -> Kind | None:
    """The group an id is listed in, its mark, and how far it is reviewed; None for a page about the whole."""
    for group in catalogue(knowledge):
        for entry in group.entries:
            if entry.id == identifier:
                review = _review(identifier, knowledge)
                return Kind(group.title, ((entry.mark, entry.tone), (review, "warning")))
    return None


def _review(identifier: str, knowledge: Knowledge) -> str:
    return next((rule.review.status for _, rule in rules(knowledge) if rule.id == identifier), "")


def overview(knowledge: Knowledge) -> tuple[Entry, ...]:
    """The pages about the rule set as a whole."""
    pages = [*pages_of(SOURCE_ATTRIBUTES, knowledge), *overview_pages(knowledge)]
    return tuple(Entry(page.id, page.title) for page in pages)
