"""What conditions, findings, procedures and history items mean: by their codes, and by what is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from msgspec import Struct

from terminology.coding import CodingLike
from terminology.context import Reader
from terminology.phrases import Match, PhraseTable, Words, words_of
from terminology.tables import read_table
from terminology.valuesets import CodeTable

Kind = Literal["symptom", "sign", "disturbance", "disease", "procedure", "exposure", "examination", "history"]


class ConceptMatch(NamedTuple):
    """Concept ids of text/concepts.yaml, those of the codes first. `by_text`: no code said any of them."""

    concepts: tuple[str, ...]
    by_text: bool
    suspected: tuple[str, ...] = ()
    """Diseases that the text holds possible ("?ALS"), coded or not."""


class Concept(Struct, forbid_unknown_fields=True, frozen=True):
    """A row of text/concepts.yaml."""

    kind: Kind
    value_sets: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()


class _Concepts(Struct, forbid_unknown_fields=True):
    source: str
    reviewed: str
    review_status: str
    concepts: dict[str, Concept]
    suppresses: dict[str, tuple[str, ...]]
    refined_by: dict[str, tuple[str, ...]]
    ignored: tuple[str, ...]
    not_in_icd_10: tuple[str, ...]


class _Reading(NamedTuple):
    """The concepts a text states, those it takes back, those it doubts, and of these the diseases it holds possible."""

    stated: tuple[str, ...]
    taken_back: frozenset[str]
    doubted: frozenset[str]
    suspected: frozenset[str] = frozenset()


def concepts_of(codings: Sequence[CodingLike], text: str | None) -> ConceptMatch:
    """The concepts that a CodeableConcept means, by its codes and by its text.

    The text adds what the codes leave out: R25.3 with the text "Tongue fasciculation" means both. A text
    that denies, fears or gives to somebody else what the code says takes it back, and one that doubts a
    disease does too. A coded history item (AUDIT-C) is only that item, whatever its title mentions. A concept
    that comes with another ("tongue fasciculation" is a fasciculation) follows it.
    """
    table = _table().concepts
    found = [(coding, _codes().find(coding.system, coding.code)) for coding in codings]
    items = [name for _, names in found for name in names if table[name].kind == "history"]
    if items:
        return ConceptMatch(tuple(dict.fromkeys(items)), by_text=False)
    written = _read(text) if text else _NOTHING
    back = written.taken_back | {name for name in written.doubted if table[name].kind == "disease"}
    by_code = [name for _, names in found for name in names if name not in back]
    by_text = [*written.stated]
    suspected = {*written.suspected}
    for display in dict.fromkeys(coding.display for coding, names in found if not names):
        if display and display != text:
            shown = _read(display)
            suspected |= shown.suspected - written.taken_back - written.doubted
            by_text += (name for name in shown.stated if name not in written.taken_back | written.doubted)
    names = dict.fromkeys(_with_implied((*by_code, *by_text)))
    exact = tuple(name for name in names if names.keys().isdisjoint(_table().refined_by.get(name, ())))
    return ConceptMatch(exact, bool(exact) and not by_code, tuple(sorted(suspected.difference(names))))


def _with_implied(concepts: Iterable[str]) -> Iterable[str]:
    for concept in concepts:
        yield concept
        yield from _table().concepts[concept].implies


def _read(text: str) -> _Reading:
    return _reading(text) if len(text) <= _LONGEST_CACHED else _reading.__wrapped__(text)


@lru_cache(maxsize=8192)
def _reading(text: str) -> _Reading:
    words = words_of(text)
    if words.words in _exact():
        return _Reading((_exact()[words.words],), frozenset(), frozenset())
    reader = Reader(words)
    stated: list[Match] = []
    taken_back: set[str] = set()
    doubted: set[str] = set()
    suspected: set[str] = set()
    for match in _phrases().find(words):
        if match.meaning == _IGNORED:
            continue
        kind, assertion = _table().concepts[match.meaning].kind, reader.assertion(match)
        if assertion == "affirmed" or kind in _STATED_WHEN.get(assertion, ()):
            stated.append(match)
        elif assertion == "uncertain" and kind == "disease":
            doubted.add(match.meaning)
            suspected.add(match.meaning)
            stated += (
                match._replace(meaning=implied) for implied in _table().concepts[match.meaning].implies
            )
        elif assertion in ("uncertain", "worry", "past"):
            doubted.add(match.meaning)
        else:
            taken_back.add(match.meaning)
    kept = tuple(dict.fromkeys(match.meaning for match in stated if not _suppressed(match, stated, words)))
    told = taken_back | {*kept}
    return _Reading(
        kept, frozenset(taken_back - {*kept}), frozenset(doubted - {*kept}), frozenset(suspected - told)
    )


_IGNORED = "(ignored)"
_LONGEST_CACHED = 300
_NOTHING = _Reading((), frozenset(), frozenset())
_LASTING = ("disease", "procedure", "exposure", "examination", "history")
_STATED_WHEN: Mapping[str, tuple[str, ...]] = {
    "past": _LASTING,
    "worry": ("symptom", "sign", "disturbance", "procedure", "exposure", "examination", "history"),
}
_JOINED = frozenset({"and", "or", "plus", "but", "without", "also", "now"})


def _suppressed(match: Match, stated: Sequence[Match], words: Words) -> bool:
    for other in stated:
        if match.meaning in _table().suppresses.get(other.meaning, ()):
            start, end = min(match.start, other.start), max(match.end, other.end)
            between = words.words[min(match.end, other.end) : max(match.start, other.start)]
            if words.same_clause(start, end) and _JOINED.isdisjoint(between):
                return True
    return False


@cache
def _table() -> _Concepts:
    return read_table("text/concepts.yaml", _Concepts)


def concepts() -> Mapping[str, Concept]:
    """All concepts by id."""
    return _table().concepts


@cache
def _codes() -> CodeTable:
    rows = _table().concepts.items()
    return CodeTable({name: row.value_sets for name, row in rows}, _table().not_in_icd_10)


@cache
def _phrases() -> PhraseTable:
    phrases = {name: row.phrases for name, row in _table().concepts.items()}
    return PhraseTable(phrases | {_IGNORED: _table().ignored})


@cache
def _exact() -> Mapping[tuple[str, ...], str]:
    return {words_of(word).words: name for name, row in _table().concepts.items() for word in row.exact}
