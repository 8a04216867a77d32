"""Pieces of GitHub Markdown for the knowledge document. The text is our own, so only what breaks a table is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cds_hooks.knowledge_pages.page import Page
from cds_hooks.knowledge_pages.wording import words


def heading(level: int, text: str) -> str:
    """A heading of this level."""
    return f"{'#' * level} {text}"


def bullets(items: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {_angle(item)}" for item in items)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; every row as long as the headings."""
    lines = [_row(headings), _row(["---"] * len(headings))]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_angle(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def page_text(page: Page, level: int) -> str:
    """A heading and one list entry per section; several lines of a section become a list inside it."""
    lines = [heading(level, f"{page.title} (`{page.id}`)"), ""]
    for section in page.sections:
        if len(section.lines) == 1 or section.heading == words().say["sources"]:
            lines.append(f"- **{section.heading}:** {_angle('; '.join(section.lines))}")
        else:
            lines.append(f"- **{section.heading}:**")
            lines.extend(f"  - {_angle(line)}" for line in section.lines)
    return "\n".join(lines)


def _angle(text: str) -> str:
    return text.replace("<", "&lt;")
