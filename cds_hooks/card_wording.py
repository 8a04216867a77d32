"""The reviewed sentences of the cards and the reasons for dismissing one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import msgspec
import yaml
from msgspec import Struct

from cds_hooks.response import Coding
from mappings.facts import GapReason
from mappings.rule_language import Review

CardKind = Literal["red_flags", "contributors", "orders", "tests", "scope"]
FOLDER = Path(__file__).parent
ENGLISH = "en"
T = TypeVar("T")


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """The kind of advice a card gives, for suppression and feedback."""

    code: str
    display: str


class CardWording(Struct, frozen=True, forbid_unknown_fields=True):
    """`card_wording.<language>.yaml`."""

    review: Review
    source: str
    source_label: str
    topic_system: str
    topics: dict[CardKind, Topic]
    say: dict[str, str]
    gap_reasons: dict[GapReason, str]
    units: dict[str, str]


class OverrideReason(Struct, frozen=True, forbid_unknown_fields=True):
    """One reason, and the cards that offer it."""

    system: Literal["hl7", "own"]
    code: str
    display: str
    cards: tuple[CardKind, ...]


class OverrideReasons(Struct, frozen=True, forbid_unknown_fields=True):
    """`override_reasons.<language>.yaml`."""

    review: Review
    source: str
    systems: dict[Literal["hl7", "own"], str]
    reasons: tuple[OverrideReason, ...]


def languages() -> tuple[str, ...]:
    """The languages that have both files, by the code in their names: `card_wording.en.yaml`."""
    found = (path.name.split(".")[1] for path in FOLDER.glob("card_wording.*.yaml"))
    return tuple(sorted(name for name in found if (FOLDER / f"override_reasons.{name}.yaml").is_file()))


@cache
def card_wording(language: str = ENGLISH) -> CardWording:
    """The sentences. Raises msgspec.ValidationError when the file does not fit, OSError when there is none."""
    return _load(f"card_wording.{language}.yaml", CardWording)


@cache
def override_reasons(language: str = ENGLISH) -> dict[CardKind, tuple[Coding, ...]]:
    """The reasons that each card offers; a card without reasons has an empty tuple."""
    known = _load(f"override_reasons.{language}.yaml", OverrideReasons)
    return {
        kind: tuple(
            Coding(reason.code, known.systems[reason.system], reason.display)
            for reason in known.reasons
            if kind in reason.cards
        )
        for kind in get_args(CardKind)
    }


def _load(name: str, shape: type[T]) -> T:
    raw: Any = yaml.load((FOLDER / name).read_text(encoding="utf-8"), yaml.CSafeLoader)
    return msgspec.convert(raw, shape)
