"""Which analyte a result is of: by its code, else by its text, and whether the two agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from msgspec import Struct

from terminology.coding import LOINC, CodingLike, canonical_system, loinc_check_digit_ok
from terminology.phrases import PhraseTable, words_of
from terminology.quantity import analytes
from terminology.tables import read_table
from terminology.valuesets import CodeTable

UNKNOWN_LOINC = "unknown-loinc"


class LabMatch(NamedTuple):
    """What a result is of.

    `analyte` is an id of `analytes.yaml`, "" when it is no analyte we know. `contradicted_by` is set when
    the value must not be read: the analyte or the words (`urine`) that the text or a second code names
    instead, or `unknown-loinc` when only the text names the analyte and the code may be of another specimen.
    `not_loinc`: under LOINC's URI stands something that is no LOINC code, and the text had to decide.
    """

    analyte: str
    by: Literal["code", "text", ""]
    contradicted_by: str
    not_loinc: bool


class Named(NamedTuple):
    """The analytes a text names, what in it forbids to read it, and whether it says serum, plasma or blood."""

    analytes: tuple[str, ...]
    refused: str
    specimen: bool


class _Names(Struct, forbid_unknown_fields=True):
    names: tuple[str, ...]
    exact: tuple[str, ...] = ()
    needs_specimen: bool = False


class _Text(Struct, forbid_unknown_fields=True):
    source: str
    reviewed: str
    review_status: str
    analytes: dict[str, _Names]
    dominates: dict[str, tuple[str, ...]]
    compatible: dict[str, tuple[str, ...]]
    specimen: tuple[str, ...]
    ignored: tuple[str, ...]
    refused_at_an_end: tuple[str, ...]
    refused: tuple[str, ...]


def identify(codings: Sequence[CodingLike], text: str | None) -> LabMatch:
    """The analyte of a result from its CodeableConcept.

    A code we know decides, wherever it stands among the codings. Without one the text and the displays
    decide, unless any of them names another specimen or quantity.
    """
    named = [found for found in map(named_in, _texts(codings, text)) if found != _NOTHING]
    by_code, unknown_loinc, not_loinc = _by_code(codings)
    if by_code:
        contradicted = next((other for other in by_code[1:] if other != by_code[0]), "")
        return LabMatch(
            by_code[0], "code", contradicted or _contradiction(by_code[0], named), not_loinc=False
        )
    if any(found.refused for found in named):
        return LabMatch("", "", "", not_loinc)
    names = list(dict.fromkeys(found.analytes[0] for found in named if len(found.analytes) == 1))
    if not names:
        return LabMatch("", "", "", not_loinc)
    contradicted = next(iter(names[1:]), "")
    if (
        unknown_loinc
        and _text().analytes[names[0]].needs_specimen
        and not any(found.specimen for found in named)
    ):
        contradicted = contradicted or UNKNOWN_LOINC
    return LabMatch(names[0], "text", contradicted, not_loinc)


def named_analytes(codings: Sequence[CodingLike], text: str | None) -> tuple[str, ...]:
    """All analytes that the texts of an order name: three in "Na, K, Mg"."""
    named = [named_in(written) for written in _texts(codings, text)]
    if any(found.refused for found in named):
        return ()
    specimen = any(found.specimen for found in named) or not _by_code(codings)[1]
    names = dict.fromkeys(name for found in named for name in found.analytes)
    return tuple(name for name in names if specimen or not _text().analytes[name].needs_specimen)


def _texts(codings: Sequence[CodingLike], text: str | None) -> list[str]:
    return list(
        dict.fromkeys(written for written in (text, *(coding.display for coding in codings)) if written)
    )


def _by_code(codings: Sequence[CodingLike]) -> tuple[list[str], bool, bool]:
    """The analytes of the codes, whether a LOINC code is none of ours, and whether something is no LOINC code."""
    analytes_found: list[str] = []
    unknown_loinc = not_loinc = False
    for coding in codings:
        if found := _codes().find(coding.system, coding.code):
            analytes_found += found
        elif coding.code and canonical_system(coding.system) == LOINC:
            well_formed = loinc_check_digit_ok(coding.code.strip())
            unknown_loinc, not_loinc = unknown_loinc or well_formed, not_loinc or not well_formed
    return analytes_found, unknown_loinc, not_loinc


def _contradiction(analyte: str, named: Sequence[Named]) -> str:
    """What a text names instead of the analyte of the code; "" when every text agrees or says nothing."""
    fits = {analyte, *_text().compatible.get(analyte, ())}
    for found in named:
        if found.refused:
            return found.refused
        if found.analytes and fits.isdisjoint(found.analytes):
            return found.analytes[0]
    return ""


def named_in(text: str) -> Named:
    """The analytes that a text names; none of them when it names another specimen or quantity."""
    return _named(text) if len(text) <= _LONGEST_CACHED else _named.__wrapped__(text)


@lru_cache(maxsize=8192)
def _named(text: str) -> Named:
    words = words_of(text)
    matches = _phrases().find(words)
    specimen = any(match.meaning == _SPECIMEN for match in matches)
    refused = next((match for match in matches if match.meaning == _REFUSED), None)
    if refused:
        return Named((), " ".join(words.words[refused.start : refused.end]), specimen)
    if words.words and not {words.words[0], words.words[-1]}.isdisjoint(_text().refused_at_an_end):
        return Named((), "u", specimen)
    found = [match.meaning for match in matches if match.meaning not in (_SPECIMEN, _IGNORED)]
    if not found:
        covered = {place for match in matches for place in match.literal}
        rest = [word for place, word in enumerate(words.words) if place not in covered]
        found = [_exact()[word] for word in rest] if _exact().keys() >= {*rest} else []
    dominated = {below for above in found for below in _text().dominates.get(above, ())}
    return Named(tuple(dict.fromkeys(name for name in found if name not in dominated)), "", specimen)


_NOTHING = Named((), "", specimen=False)
_LONGEST_CACHED = 300
_SPECIMEN, _IGNORED, _REFUSED = "(specimen)", "(ignored)", "(refused)"


@cache
def _text() -> _Text:
    return read_table("text/analytes.yaml", _Text)


@cache
def _codes() -> CodeTable:
    return CodeTable({name: analyte.value_sets for name, analyte in analytes().items()})


@cache
def _phrases() -> PhraseTable:
    text = _text()
    names: dict[str, tuple[str, ...]] = {name: row.names for name, row in text.analytes.items()}
    return PhraseTable(names | {_SPECIMEN: text.specimen, _IGNORED: text.ignored, _REFUSED: text.refused})


@cache
def _exact() -> Mapping[str, str]:
    return {words_of(word).words[0]: name for name, row in _text().analytes.items() for word in row.exact}
