"""What a service answers, with HL7's names; optional attributes without a value are left out (CDS Hooks 2.0, Use of JSON)."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec
from msgspec import Struct

TOPIC_CODE = re.compile(rb'(?<="topic":\{"code":")[^"]*')
"""Where it stands in an answer; inside a text the quotation marks would be escaped."""
CardIndicator = Literal["info", "warning", "critical"]


class Coding(Struct, frozen=True, omit_defaults=True):
    """A code of a system; `display` is required in override reasons."""

    code: str
    system: str
    display: str = ""


class Source(Struct, frozen=True, omit_defaults=True):
    """Who speaks. `url` is absolute; `topic` is the same for every card of one kind of advice."""

    label: str
    topic: Coding
    url: str = ""
    icon: str = ""


class Action(Struct, frozen=True, omit_defaults=True):
    """One change the user may accept; `description` stands alone, some clients show nothing else."""

    type: Literal["create"]
    description: str
    resource: dict[str, Any]


class Suggestion(Struct, frozen=True, omit_defaults=True):
    """One choice; exactly one action (what Epic accepts) unless a site profile says otherwise."""

    label: str
    uuid: str
    actions: tuple[Action, ...]


class Link(Struct, frozen=True):
    """Something to open from a card; a client adds the launch parameters to a `smart` one."""

    label: str
    url: str
    type: Literal["absolute", "smart"]


class Card(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One piece of advice. `summary` has at most 139 characters, `detail` is GitHub Flavored Markdown without HTML."""

    uuid: str
    summary: str
    indicator: CardIndicator
    source: Source
    detail: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: Literal["", "any"] = ""
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()
    extension: dict[str, str] = {}


class Response(Struct, frozen=True):
    """The body of a successful call; no cards means nothing to say, never a failure."""

    cards: tuple[Card, ...]


_ENCODER = msgspec.json.Encoder()


def encode(cards: tuple[Card, ...]) -> bytes:
    """A successful answer as JSON."""
    return _ENCODER.encode(Response(cards))


def with_plain_topics(answer: bytes) -> bytes:
    """The answer with topic codes of letters and digits only; inside the service they keep their names."""
    return TOPIC_CODE.sub(lambda code: bytes(letter for letter in code[0] if chr(letter).isalnum()), answer)
