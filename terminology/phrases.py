"""Finding known phrases in what people typed: whole words, either spelling, singular or plural."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, takewhile
from typing import NamedTuple

GAP = ".."
"""In a phrase: up to three words of the same clause may stand here."""
_LONGEST_GAP = 3
_LONGEST_MATCH = 24
LONGEST_TEXT = 2000
"""Characters of a text that are read. Names are shorter; the rest of a longer narrative is not searched."""

_TOKEN = re.compile(
    r"(?P<word>\d+(?:[.,]\d+)+|[^\W_]+)|(?P<doubt>(?:(?<!\S)|(?<=[(,:;/-]))\?(?!\s*$))|(?P<strong>[;!?\n\r|]|\.(?=\s|$))|(?P<weak>[,:()\[\]/&]|\s[-]\s)"
)
_APOSTROPHES = re.compile(r"['`\u00b4\u2018\u2019]")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")


class Words(NamedTuple):
    """A text as words.

    `breaks[i]` is the punctuation before word i; its last entry is that after the last word. `sentences` and
    `clauses` number the words by the marks before them, so that two words compare in one step.
    """

    words: tuple[str, ...]
    breaks: tuple[str, ...]
    sentences: tuple[int, ...]
    clauses: tuple[int, ...]

    def same_sentence(self, start: int, end: int) -> bool:
        """No full stop, semicolon, question or exclamation mark between words `start` and `end` - 1."""
        return self.sentences[start] == self.sentences[end - 1]

    def same_clause(self, start: int, end: int) -> bool:
        """Not even a comma or a colon between them."""
        return self.clauses[start] == self.clauses[end - 1]


DOUBT = "¿"
"""A question mark before a word: "?ALS". One after a word stays as it is."""
STRONG = frozenset(";!?.|\n\r" + DOUBT)
_CLAUSE = STRONG | {",", ":"}


class Match(NamedTuple):
    """A phrase found: words `start` to `end` - 1, of which `literal` are the phrase's own."""

    start: int
    end: int
    literal: frozenset[int]
    meaning: str


def words_of(text: str) -> Words:
    """Split `text`; words are folded so that spelling, case, number and apostrophes do not matter."""
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text[:LONGEST_TEXT]))
    text = _DASHES.sub("-", _APOSTROPHES.sub("", text.casefold()))
    words: list[str] = []
    breaks = [""]
    for token in _TOKEN.finditer(text):
        if word := token["word"]:
            words.append(_fold(word))
            breaks.append("")
        else:
            breaks[-1] += DOUBT if token["doubt"] else token[0].strip(" \t")
    sentences = accumulate(int(not STRONG.isdisjoint(mark)) for mark in breaks)
    clauses = accumulate(int(not _CLAUSE.isdisjoint(mark)) for mark in breaks)
    return Words(tuple(words), tuple(breaks), tuple(sentences), tuple(clauses))


def _fold(word: str) -> str:
    """British and American spellings, singular and plural fall together. Both sides are folded alike."""
    if len(word) < 4 or not word.isalpha():
        return word
    word = word.replace("ae", "e").replace("oe", "e")
    for british, american in (("isation", "ization"), ("ised", "ized"), ("neurone", "neuron"), ("our", "or")):
        word = word.replace(british, american)
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "xes", "sses")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


class PhraseTable:
    """Phrases and what they mean, compiled once."""

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        """`phrases`: meaning -> its phrases. ValueError for a phrase without words or with a gap at an end."""
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for meaning, written in phrases.items():
            for phrase in written:
                words = compile_phrase(phrase)
                self._by_first.setdefault(words[0], []).append((words, meaning))

    def find(self, text: Words) -> list[Match]:
        """All matches in order; one whose words all belong to a longer match is left out."""
        found = list(self._all(text))
        return [
            match
            for i, match in enumerate(found)
            if not any(match.literal < other.literal for other in _near(found, i))
        ]

    def _all(self, text: Words) -> Iterator[Match]:
        for start, word in enumerate(text.words):
            for words, meaning in self._by_first.get(word, ()):
                literal = _literal(words, 0, text, start)
                if literal and text.same_sentence(start, literal[-1] + 1):
                    yield Match(start, literal[-1] + 1, frozenset(literal), meaning)


def _near(found: Sequence[Match], i: int) -> Iterator[Match]:
    """The matches that may share a word with match `i`; so the work grows with the text, not with its square."""
    first, last = found[i].start - _LONGEST_MATCH, found[i].end
    yield from takewhile(lambda match: match.start >= first, reversed(found[max(0, i - 64) : i]))
    yield from takewhile(lambda match: match.start < last, found[i + 1 : i + 64])


def compile_phrase(phrase: str) -> tuple[str, ...]:
    """The folded words of a phrase with its gaps."""
    parts = [words_of(part).words for part in f" {phrase} ".split(f" {GAP} ")]
    if not all(parts):
        raise ValueError(f"phrase {phrase!r} needs words at both ends and between its gaps")
    words = parts[0]
    for part in parts[1:]:
        words = (*words, GAP, *part)
    return words


def _literal(phrase: tuple[str, ...], at: int, text: Words, position: int) -> tuple[int, ...]:
    """The positions of the phrase's words from `at` on, the first of them at `position`; () if they are not there."""
    found: list[int] = []
    while at < len(phrase):
        if phrase[at] == GAP:
            for skip in range(_LONGEST_GAP + 1):
                rest = _literal(phrase, at + 1, text, position + skip)
                if rest and text.same_clause(position - 1, rest[0] + 1):
                    return (*found, *rest)
            return ()
        if position >= len(text.words) or text.words[position] != phrase[at]:
            return ()
        found.append(position)
        position += 1
        at += 1
    return tuple(found)
