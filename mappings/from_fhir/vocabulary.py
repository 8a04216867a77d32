"""The words of `vocabulary.yaml`, compiled once."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

import yaml

Interpretation = Literal["", "LL", "L", "N", "H", "HH"]

_WORDS: Final[dict[str, Any]] = yaml.load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
)


def plain(text: str) -> str:
    """Lower case, single blanks, no punctuation around it: how phrases are compared."""
    return " ".join(text.lower().split()).strip(" .,;:!()[]")


def _by_phrase(table: dict[str, list[str]]) -> dict[str, Any]:
    return {phrase: meaning for meaning, phrases in table.items() for phrase in phrases}


def _phrases(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _whole(words: list[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_phrases(words)})\b", re.IGNORECASE)


INTERPRETATION_CODES: Final[dict[str, Interpretation]] = {
    code: code for code in _WORDS["interpretation"]["texts"]
}
INTERPRETATION_SYSTEM: Final = re.compile(_phrases(_WORDS["interpretation"]["systems"]), re.IGNORECASE)
INTERPRETATION_TEXTS: Final[dict[str, Interpretation]] = _by_phrase(_WORDS["interpretation"]["texts"])

HAEMOLYSIS_CODE: Final[str] = _WORDS["haemolysis"]["code"]
_HAEMOLYSIS: Final[dict[str, list[str]]] = _WORDS["haemolysis"]
_HAEMOLYSED: Final = _whole(_HAEMOLYSIS["words"])
_DENIED_BEFORE: Final = re.compile(
    rf"""
    \b (?:{_phrases(_HAEMOLYSIS["negated_by"])}) \b [\s'-]+
    (?: (?! (?:{_phrases(_HAEMOLYSIS["doubted_by"])}) \b ) \w+ [\s'-]+ ){{0,3}} $
    """,
    re.IGNORECASE | re.VERBOSE,
)
_DENIED_AFTER: Final = re.compile(
    rf"""
    (?: [\s:=(),/-]+ \b (?:{_phrases(_HAEMOLYSIS["connected_by"])}) \b )*
    [\s:=()/-]+ (?:{"|".join(_HAEMOLYSIS["denied_by"])}) \b
  | (?: [\s:=()/-]+ \b (?:{_phrases(_HAEMOLYSIS["index"])}) \b )+
    [\s:=()/<>-]+ \d+ (?:[.,]\d+)? (?![\d+])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NEAR: Final = 80
"""Characters before and after a word in which its denial is looked for."""
_MENTIONS: Final = 50
"""That are looked at: what a stranger sends must not take long."""
_SHORTEST: Final = min(map(len, _WORDS["haemolysis"]["words"]))

PRESENT: Final = frozenset(_WORDS["answers"]["present"])
ABSENT: Final = frozenset(_WORDS["answers"]["absent"])
DENYING: Final = _whole([*_WORDS["answers"]["denying"], *_WORDS["answers"]["absent"]])

NEURO_EXAM: Final[str] = _WORDS["neurological_examination"]["concept"]
NEURO_EXAM_NORMAL: Final = re.compile(
    rf"(?:{_phrases(_WORDS['neurological_examination']['normal'])})\b", re.IGNORECASE
)
NEURO_EXAM_NOT_DONE: Final = re.compile(
    rf"(?:{_phrases(_WORDS['neurological_examination']['not_done'])})\b", re.IGNORECASE
)
NEURO_EXAM_ABNORMAL: Final = frozenset(_WORDS["neurological_examination"]["abnormal"])
NEURO_EXAM_UNLESS: Final = re.compile(
    rf"\d|\b(?:{_phrases(_WORDS['neurological_examination']['unless'])})\b", re.IGNORECASE
)

CERTAINTY: Final[str] = _WORDS["certainty"]["extension"]
CERTAINTIES: Final[dict[str, str]] = _WORDS["certainty"]["statuses"]

TWITCHING: Final[str] = _WORDS["twitching"]
MEASURES: Final[dict[str, str]] = _by_phrase(_WORDS["measures"])
SOMEBODY_ELSE: Final = _whole(_WORDS["somebody_else"])
PROCEDURES: Final = frozenset(_WORDS["procedures"])

PREGNANCY_STATUS: Final[str] = _WORDS["pregnancy"]["concept"]
PREGNANCY_UNCERTAIN: Final = _whole(_WORDS["pregnancy"]["uncertain"])
NOT_PREGNANT: Final = _whole(_WORDS["pregnancy"]["not_pregnant"])

RANGE_TYPES: Final = frozenset(_WORDS["reference_range"]["types"])
POPULATIONS: Final = _by_phrase(_WORDS["reference_range"]["populations"])


def says_haemolysed(text: str) -> bool:
    """Whether a note says that the specimen was haemolysed, not that it was not."""
    return len(text) >= _SHORTEST and any(
        not _DENIED_BEFORE.search(text[max(0, found.start() - _NEAR) : found.start()])
        and not _DENIED_AFTER.match(text[found.end() : found.end() + _NEAR])
        for found in islice(_HAEMOLYSED.finditer(text), _MENTIONS)
    )
