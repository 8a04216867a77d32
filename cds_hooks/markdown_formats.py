"""The Markdown of the cards for clients that show none: as HTML or as plain text. Texts of the record stay text."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

MARKS = ["backticks", "link", "image", "autolink", "html_inline", "entity"]
BLOCKS = ["html_block", "fence", "code", "heading", "lheading", "blockquote", "reference", "hr"]
"""What our Markdown never has: whatever looks like it is text of the record."""


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable([*MARKS, *BLOCKS])


def as_html(text: str) -> str:
    """Paragraphs, lists, bold and italic as HTML elements without attributes; everything else escaped."""
    html: str = _markdown().render(text)
    return html.strip()


def as_plain(text: str) -> str:
    """The same lines without marks."""
    lines: list[str] = []
    number: list[int] = []
    prefix = ""
    for token in _markdown().parse(text):
        if token.type == "ordered_list_open":
            number.append(int(token.attrs.get("start", 1)))
        elif token.type == "bullet_list_open":
            number.append(0)
        elif token.type == "list_item_open":
            prefix = f"{number[-1]}. " if number[-1] else "- "
            number[-1] += bool(number[-1])
        elif token.type == "inline":
            lines.append(prefix + _words(token))
            prefix = ""
        elif token.type.endswith("_list_close"):
            number.pop()
        if token.type in ("paragraph_close", "ordered_list_close", "bullet_list_close") and not number:
            lines.append("")
    return "\n".join(lines).strip()


def _words(token: Token) -> str:
    return "".join("\n" if part.type.endswith("break") else part.content for part in token.children or ())
