"""What the validator reports: one finding per violation, with its place, its cure and its requirement."""

from __future__ import annotations

import json
import re
from typing import Literal

from msgspec import Struct

Severity = Literal["error", "warning", "information"]
"""SHALL or MUST; SHOULD; advice and what is known to trouble a client."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "information")

Path = tuple[str | int, ...]
"""The way from the root of a document to a value: member names and array positions."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Finding(Struct, frozen=True):
    """One violation. `path` is a JSONPath; `requirements` are ids of `requirements.csv`, the closest first."""

    severity: Severity
    path: str
    problem: str
    fix: str
    requirements: tuple[str, ...]


def json_path(path: Path) -> str:
    """`("cards", 0, "summary")` as `$.cards[0].summary`; other names are quoted, with escapes for what is not ASCII."""
    return "$" + "".join(
        f"[{step}]"
        if isinstance(step, int)
        else f".{step}"
        if _NAME.fullmatch(step)
        else f"[{json.dumps(step)}]"
        for step in path
    )


def named(step: str | int) -> str:
    """A member's name for a message: in backticks, or quoted with escapes if it is unusual."""
    return f"`{step}`" if isinstance(step, int) or _NAME.fullmatch(step) else quoted(step)


def quoted(value: object, longest: int = 60) -> str:
    """A value of the document for a message: on one line, ASCII, cut to `longest` characters."""
    try:
        text = json.dumps(value)
    except (RecursionError, ValueError):  # nested deeper, or a number longer, than can be written
        return "This value"
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def listed(words: tuple[str, ...]) -> str:
    """`a, b or c`"""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
