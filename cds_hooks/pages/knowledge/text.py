"""Lines of the knowledge as HTML: addresses become links, ids of sources lead to their page, all else is escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from itertools import cycle

from markupsafe import Markup, escape

ADDRESS = re.compile(r"https?://[^\s<>\"“”]+[^\s<>\"“”.,;:)\]]")
LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
CITED = re.compile(r"^(?P<id>[A-Z][A-Za-z0-9]*): ")


def rich(text: str) -> Markup:
    """The text with its addresses as links."""
    parts, end = [], 0
    for found in ADDRESS.finditer(text):
        url = escape(found.group())
        parts += [escape(text[end : found.start()]), Markup(f'<a href="{url}" rel="noreferrer">{url}</a>')]  # noqa: S704 - escaped
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def marked(text: str) -> Markup:
    """A point of the change log: its code, and of its links to other files the words."""
    parts = LINK.sub(r"\1", text).split("`")
    shown = [
        Markup("<code>{}</code>").format(part) if odd else rich(part)
        for part, odd in zip(parts, cycle((False, True)), strict=False)
    ]
    return Markup("").join(shown)


def cited(text: str, references: Collection[str], path: Callable[[str], str]) -> Markup:
    """A line `C13: source, https://…` whose id leads to the page of the source, at its `path`."""
    found = CITED.match(text)
    if found is None or found["id"] not in references:
        return rich(text)
    link = Markup('<a href="{}">{}</a> ').format(path(found["id"]), found["id"])
    return link + rich(text[found.end() :])


def sentence(text: str) -> str:
    """The text with a capital at its start, unless its case says something (`eGFR`)."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]
