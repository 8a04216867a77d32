"""One rule as a page: titled sections of plain lines, which the terminal and the document both print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

from cds_hooks.knowledge_pages.wording import words
from mappings.knowledge import Knowledge
from mappings.rule_language import Review
from mappings.rules import Reference


class Line(str):
    """A line of text that knows its parts, for pages that set them apart."""

    __slots__ = ("after", "marks", "says", "text")

    marks: tuple[str, ...]
    """Tier, strength, urgency: what comes first."""
    text: str
    """The condition."""
    says: str
    """What a card then says."""
    after: str
    """What stands behind it."""

    def __new__(cls, text: str, says: str = "", marks: Iterable[str] = (), after: str = "") -> Self:
        """`A, critical: condition. “What it says” (after)`."""
        shown = tuple(filter(None, marks))
        first = f"{', '.join(shown)}: {text}" if shown else text
        whole = f"{first}. “{says}”" if says else first
        line = super().__new__(cls, f"{whole} ({after})" if after else whole)
        line.marks, line.text, line.says, line.after = shown, text, says, after
        return line


class Section(NamedTuple):
    """A heading and its lines; a section without lines is left out."""

    heading: str
    lines: tuple[str, ...]


class Page(NamedTuple):
    """What there is to know about one id."""

    id: str
    title: str
    sections: tuple[Section, ...]


def page(identifier: str, title: str, sections: Iterable[tuple[str, Iterable[str]]]) -> Page:
    """A page of the sections that have something to say; `heading` is the name of a word in `words.yaml`."""
    say = words().say
    kept = ((say[name], tuple(line for line in lines if line)) for name, lines in sections)
    return Page(identifier, title, tuple(Section(name, lines) for name, lines in kept if lines))


def sources(ids: Iterable[str], knowledge: Knowledge) -> Iterator[str]:
    """Each source with its year and address."""
    for name in dict.fromkeys(ids):
        reference = knowledge.references.get(name)
        yield f"{name}: {source(reference)}" if reference else name


def source(reference: Reference) -> str:
    """`NICE NG127 (2019), https://…`."""
    year = f" ({reference.year})" if reference.year and str(reference.year) not in reference.short else ""
    return f"{reference.short}{year}" + (f", {reference.url}" if reference.url else "")


def reviewed(review: Review) -> str:
    """Version, day, status and the next review."""
    return (
        words()
        .say["review_line"]
        .format(version=review.version, date=review.date, status=review.status, due=review.due)
    )
