"""Text from a record, made safe for GitHub Flavored Markdown, for plain text and for clients that render HTML.

No name, display or note of a record may become a link, an image, a heading or an element
(Argonaut CDS Hooks Security Risk Assessment R1).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

JOINER = "\N{WORD JOINER}"
"""Invisible; between the parts of an address it keeps every renderer from making it a link."""
LONGEST = 300

_ADDRESS = re.compile(r"(?i)(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=@)(?=\w)|(?<=\bmailto:)|(?<=\bxmpp:)")
_ELEMENT = re.compile(r"<(?=[A-Za-z/!?])")
_MARK = re.compile(r"([\\`*_\[\]~]|&(?=#?\w+;)|^[-+>#=])")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


@lru_cache(maxsize=4096)
def plain(text: str, longest: int = LONGEST) -> str:
    """One line without control, format and direction characters, at most `longest` characters, no address, no element."""
    if not text.isascii() or not text.isprintable():
        text = "".join(_visible(character) for character in text)
    text = shorten(" ".join(text.split()), longest)
    return _ELEMENT.sub("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", _ADDRESS.sub(JOINER, text))


@lru_cache(maxsize=4096)
def escape(text: str, longest: int = LONGEST) -> str:
    """`plain` with everything escaped that Markdown would take for mark-up, also at the start of a line."""
    return _NUMBERED.sub(r"\1\\\2", _MARK.sub(r"\\\1", plain(text, longest)))


def shorten(text: str, longest: int) -> str:
    """Cut at a word, with an ellipsis; the result has at most `longest` characters."""
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    word = head.rfind(" ")
    return (head[:word] if word > longest // 2 else head).rstrip(" ,;:(") + "…"


def _visible(character: str) -> str:
    """The character, a blank instead of a control or separator, nothing instead of an invisible one."""
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "" if category in ("Cf", "Co", "Cs", "Cn") else character
