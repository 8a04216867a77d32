"""What an examination finds. Nothing secret and nothing about a patient goes into it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from msgspec import Struct

Status = Literal["ok", "warning", "failed"]
"""In order; `warning` also stands for what could not be checked, because unknown is not well."""
ORDER: tuple[Status, ...] = ("ok", "warning", "failed")
LONGEST = 200


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing looked at: what was found and, unless all is well, what to do."""

    status: Status
    found: str
    fix: str = ""


class Examined(NamedTuple):
    """All findings of one check."""

    check: str
    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        return worst(finding.status for finding in self.findings)


def ok(found: str) -> Finding:
    """All is well."""
    return Finding("ok", found)


def warning(found: str, fix: str) -> Finding:
    """It works, or it is not known whether it does."""
    return Finding("warning", found, fix)


def failed(found: str, fix: str) -> Finding:
    """It does not work."""
    return Finding("failed", found, fix)


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of several; `ok` of none."""
    found = set(statuses)
    return next((status for status in reversed(ORDER) if status in found), "ok")


def shown(text: object, longest: int = LONGEST) -> str:
    """What another party sent, fit to be printed: on one line, without control characters, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def counted(number: int, noun: str) -> str:
    """`1 key`, `2 keys`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
