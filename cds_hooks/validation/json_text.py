"""JSON as RFC 8259 has it: what Python's reader lets pass is found here, with its place in the document."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from cds_hooks.validation.findings import Finding, Path, json_path, named

JSON = "cds-hooks_2.0@1"
CITED = (JSON, "rfc8259#unique-names", "rfc8259#numbers", "rfc8259#unicode", "rfc8259#utf-8")
LONGEST_NUMBER = 4000
"""Python refuses to read longer whole numbers; as measured values they are absurd anyway."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_AFTER_COMMA = re.compile(r",\s*\Z")


class NotANumber(str):
    """NaN, Infinity or -Infinity, standing where a number should be."""

    __slots__ = ()


class Members(dict[str, Any]):
    """An object with the names that stood in it more than once; the last value counts."""

    repeated: tuple[str, ...] = ()


def read_json(content: bytes) -> tuple[Any, list[Finding]]:
    """The document and what is wrong with its JSON. Never raises: unreadable text gives None and an error."""
    findings = []
    if content.startswith(codecs.BOM_UTF8):
        content = content.removeprefix(codecs.BOM_UTF8)
        findings.append(
            _fault("The document begins with a byte order mark.", "Save it without.", "rfc8259#utf-8")
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"The document is not UTF-8 (byte {error.start + 1})."
        return None, [*findings, _fault(problem, "Save it as UTF-8.", "rfc8259#utf-8")]
    try:
        document = json.loads(
            text, object_pairs_hook=_members, parse_constant=NotANumber, parse_int=_whole_number
        )
    except RecursionError:
        return None, [*findings, _fault("The document is nested too deeply to be read.", "Flatten it.")]
    except json.JSONDecodeError as error:
        problem = f"The document is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        return None, [*findings, _fault(problem, _cure(text, error.pos))]
    return document, [*findings, *_faults(document)]


def _members(pairs: list[tuple[str, Any]]) -> Members:
    members = Members(pairs)
    if len(members) < len(pairs):
        count = Counter(name for name, _ in pairs)
        members.repeated = tuple(name for name in members if count[name] > 1)
    return members


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else float(digits)


def _faults(document: Any) -> Iterator[Finding]:
    """Repeated names, NaN and unpaired surrogates, wherever they are."""
    waiting: list[tuple[Any, Path]] = [(document, ())]
    while waiting:
        value, at = waiting.pop()
        if isinstance(value, NotANumber):
            yield _fault(f"{value} is not JSON.", "Send a number, or leave it out.", "rfc8259#numbers", at)
        elif isinstance(value, str):
            yield from _surrogates(value, at)
        elif isinstance(value, Members):
            for name in value.repeated:
                problem = f"{named(name)} stands in this object more than once; readers disagree on which one counts."
                yield _fault(problem, "Send it once.", "rfc8259#unique-names", (*at, name))
            for name in value:
                yield from _surrogates(name, at)
            waiting += [(member, (*at, name)) for name, member in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(value[i], (*at, i)) for i in reversed(range(len(value)))]


def _surrogates(text: str, at: Path) -> Iterator[Finding]:
    if _SURROGATE.search(text):
        yield _fault(
            "The text holds half of a surrogate pair.", "Send whole characters.", "rfc8259#unicode", at
        )


def _fault(problem: str, fix: str, requirement: str = "", at: Path = ()) -> Finding:
    return Finding("error", json_path(at), problem, fix, tuple(filter(None, (requirement, JSON))))


def _cure(text: str, position: int) -> str:
    """What to do about a syntax error, as far as the place tells."""
    here = text[position : position + 2]
    if not text.strip():
        return "The file is empty: is it the right one?"
    if here in ("//", "/*"):
        return "JSON has no comments: remove it."
    if here[:1] in ("}", "]") and _AFTER_COMMA.search(text[:position]):
        return "Remove the comma before the closing bracket."
    if here[:1] == "'":
        return "Use double quotation marks."
    return "Check the text at this place."
