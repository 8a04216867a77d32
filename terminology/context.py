"""Whether a finding in a text is the patient's and present, or denied, doubted, feared, past or somebody else's.

A small reading of clinical language in the manner of NegEx and ConText: words before or after the finding,
within its clause. Its words are in text/context.yaml.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import cache
from typing import Literal

from msgspec import Struct

from terminology.phrases import DOUBT, Match, PhraseTable, Words, words_of
from terminology.tables import read_table

Assertion = Literal["affirmed", "negated", "uncertain", "hypothetical", "worry", "past", "other_person"]
_LONGEST_LIST_ITEM = 3
_REACH = {"words": 12, "through_lists": 40}
"""Words that may lie between a cue and the finding it speaks of."""


class _Cues(Struct, forbid_unknown_fields=True):
    words: tuple[str, ...]
    through_lists: tuple[str, ...]


class _Context(Struct, forbid_unknown_fields=True):
    source: str
    reviewed: str
    review_status: str
    before: dict[Assertion, _Cues]
    after: dict[str, tuple[str, ...]]
    between: tuple[str, ...]
    ends: tuple[str, ...]
    ends_other_person: tuple[str, ...]
    neutral: tuple[str, ...]
    present_history: tuple[str, ...]
    asks: tuple[str, ...]


class Reader:
    """One text, its cues found once, asked about each finding in it."""

    def __init__(self, text: Words) -> None:
        self._text = text
        cues = (cue for cue in _before().find(text) if cue.meaning != "neutral")
        self._before = sorted(cues, key=lambda cue: cue.end)
        self._ends = [cue.end for cue in self._before]
        self._list_ends: dict[Match, int] = {}
        self._after: dict[int, list[Match]] = defaultdict(list)
        for cue in _after().find(text):
            self._after[cue.start].append(cue)

    def assertion(self, finding: Match) -> Assertion:
        """What the text says of the finding; a denial outranks doubt, doubt outranks the rest."""
        said = {self._question(finding), *self._said_before(finding), *self._said_after(finding)}
        return next((kind for kind in _STRONGEST_FIRST if kind in said), "affirmed")

    def _said_before(self, finding: Match) -> list[Assertion]:
        said: list[Assertion] = []
        for i in range(bisect_right(self._ends, finding.start) - 1, -1, -1):
            cue = self._before[i]
            kind, reach = _kind(cue.meaning)
            distance = finding.start - cue.end
            if distance > _REACH["through_lists"]:
                break
            if (
                distance <= _REACH[reach]
                and self._text.same_sentence(cue.start, finding.end)
                and not self._ended(cue, finding, kind)
                and (reach == "through_lists" or self._reaches(cue, finding))
                and not (kind == "past" and self._is_present_history(cue))
            ):
                said.append(kind)
        return said

    def _ended(self, cue: Match, finding: Match, kind: Assertion) -> bool:
        ends = _folded("ends_other_person" if kind == "other_person" else "ends")
        return not ends.isdisjoint(self._text.words[cue.end : finding.start])

    def _reaches(self, cue: Match, finding: Match) -> bool:
        if cue not in self._list_ends:
            self._list_ends[cue] = self._list_end(cue)
        return finding.start < self._list_ends[cue]

    def _list_end(self, cue: Match) -> int:
        """The comma that ends what a cue speaks of: the first, or that of a list: "no cramps, twitching or wasting"."""
        item, commas = cue.end, 0
        for place in range(cue.end, min(len(self._text.words), cue.end + _REACH["through_lists"])):
            comma = self._comma(place)
            commas += comma
            word = self._text.words[place]
            if place - item > _LONGEST_LIST_ITEM or not self._text.same_sentence(cue.start, place + 1):
                break
            if word in ("or", "nor") or (word == "and" and comma and commas > 1):
                return self._next_comma(place + 1)
            item = place if comma else item
        return self._next_comma(cue.end)

    def _next_comma(self, place: int) -> int:
        return next(
            (at for at in range(place, len(self._text.words)) if self._comma(at)), len(self._text.words)
        )

    def _comma(self, place: int) -> bool:
        return not self._text.same_clause(place - 1, place + 1)

    def _is_present_history(self, cue: Match) -> bool:
        return cue.start > 0 and self._text.words[cue.start - 1] in _folded("present_history")

    def _said_after(self, finding: Match) -> list[Assertion]:
        return [
            _kind(cue.meaning)[0]
            for place in {finding.end, self._skip(finding.end)}
            for cue in self._after.get(place, ())
            if self._text.same_sentence(finding.end - 1, cue.end)
            and (
                self._closes(cue)
                or not (cue.meaning.endswith("at_the_end") or self._comma_between(finding, cue))
            )
        ]

    def _skip(self, place: int) -> int:
        while place < len(self._text.words) and self._text.words[place] in _folded("between"):
            place += 1
        return place

    def _closes(self, cue: Match) -> bool:
        """Nothing follows in the clause: "absent" is said of the finding, not of what comes next."""
        end = self._skip(cue.end)
        return end == len(self._text.words) or any(self._text.breaks[cue.end : end + 1])

    def _comma_between(self, finding: Match, cue: Match) -> bool:
        return any("," in between for between in self._text.breaks[finding.end : cue.start + 1])

    def _question(self, finding: Match) -> Assertion:
        """Doubt in "?ALS" and "ALS?"; "Any twitching?" asks, and a yes or no may answer."""
        words, breaks = self._text.words, self._text.breaks
        if "?" in breaks[finding.end]:
            answer = words[finding.end] if finding.end < len(words) else ""
            if answer in ("yes", "no"):
                return "affirmed" if answer == "yes" else "negated"
            return "affirmed" if self._asks(finding) else "uncertain"
        return "uncertain" if DOUBT in breaks[finding.start] else "affirmed"

    def _asks(self, finding: Match) -> bool:
        start = finding.start
        while start > 0 and self._text.same_sentence(start - 1, start + 1):
            start -= 1
        return self._text.words[start] in _folded("asks")


_STRONGEST_FIRST: tuple[Assertion, ...] = (
    "negated",
    "other_person",
    "hypothetical",
    "uncertain",
    "worry",
    "past",
)


def _kind(meaning: str) -> tuple[Assertion, str]:
    kind, _, reach = meaning.partition("/")
    return kind, reach  # type: ignore[return-value]


@cache
def _table() -> _Context:
    return read_table("text/context.yaml", _Context)


@cache
def _folded(name: str) -> frozenset[str]:
    return frozenset(word for written in getattr(_table(), name) for word in words_of(written).words)


@cache
def _before() -> PhraseTable:
    cues = {
        f"{kind}/{reach}": getattr(table, reach)
        for kind, table in _table().before.items()
        for reach in ("words", "through_lists")
    }
    return PhraseTable(cues | {"neutral": _table().neutral})


@cache
def _after() -> PhraseTable:
    cues: dict[str, tuple[str, ...]] = {}
    for name, written in _table().after.items():
        kind, end = ("negated", "/at_the_end") if name == "negated_at_the_end" else (name, "")
        cues[kind + end] = written
    return PhraseTable(cues)
