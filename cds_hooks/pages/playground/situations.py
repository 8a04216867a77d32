"""The patients of the playground: the examples of the repository and whole charts, dated as of today."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from cds_hooks.pages.playground.charts import Chart, bundle

PACKAGED = Path(__file__).with_name("examples")
"""Where the wheel carries the examples (see pyproject.toml)."""
EXAMPLES = PACKAGED if PACKAGED.is_dir() else Path(__file__).parents[3] / "examples"
DATE = re.compile(rb"\b(\d{4})-(\d\d)-(\d\d)(?=\"|T|\b)")


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """One folder of `examples/`."""

    id: str
    title: str
    says: str


class Situations(Struct, frozen=True, forbid_unknown_fields=True):
    """`situations.yaml`."""

    as_of: date
    """The day the examples are dated for."""
    examples: tuple[Example, ...]
    charts: tuple[Chart, ...]


@cache
def situations() -> Situations:
    """The catalogue. Raises msgspec.ValidationError when the file does not fit."""
    path = Path(__file__).with_name("situations.yaml")
    return msgspec.convert(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader), Situations)


def choices() -> Iterator[Mapping[str, str]]:
    """What can be chosen, in the order of the catalogue."""
    for kind, group in (("example", situations().examples), ("chart", situations().charts)):
        for item in group:
            yield {"id": item.id, "title": item.title, "says": item.says, "kind": kind}


def situation(identifier: str, today: date) -> bytes | None:
    """A hook request (an example) or a Bundle (a chart) as JSON, every date moved so that it is of today."""
    for chart in situations().charts:
        if chart.id == identifier:
            return msgspec.json.encode(bundle(chart, today))
    if all(example.id != identifier for example in situations().examples):
        return None
    content = (EXAMPLES / identifier / "request.json").read_bytes()
    return moved(content, today - situations().as_of)


def moved(content: bytes, by: timedelta) -> bytes:
    """Every date in the text moved; the birth date too, so that the age stays."""

    def move(found: re.Match[bytes]) -> bytes:
        year, month, day = map(int, found.groups())
        return (date(year, month, day) + by).isoformat().encode()

    return DATE.sub(move, content)
