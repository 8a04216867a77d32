"""What changed from version to version: the change log of this project, which comes with the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[2] / "CHANGELOG.md"


class Changes(NamedTuple):
    """One heading of a version (`Clinical effects`, `Added` …) and its points."""

    heading: str
    points: tuple[str, ...]


class Version(NamedTuple):
    """One version, its headings in the order of the file: the clinical effects first."""

    name: str
    changes: tuple[Changes, ...]


@cache
def versions() -> tuple[Version, ...]:
    """Every version, newest first."""
    found: list[tuple[str, list[tuple[str, list[str]]]]] = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            found.append((line[3:], []))
        elif found and line.startswith("### "):
            found[-1][1].append((line[4:], []))
        elif found and found[-1][1] and line.startswith("- "):
            found[-1][1][-1][1].append(line[2:])
        elif found and found[-1][1] and found[-1][1][-1][1] and line.startswith("  "):
            found[-1][1][-1][1][-1] += f" {line.strip()}"
    return tuple(
        Version(name, tuple(Changes(heading, tuple(points)) for heading, points in parts))
        for name, parts in found
    )
