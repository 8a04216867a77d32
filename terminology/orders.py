"""Which tests an order, report or procedure names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from msgspec import Struct

from terminology.coding import CodingLike
from terminology.laboratory import named_analytes
from terminology.phrases import PhraseTable, words_of
from terminology.quantity import analytes
from terminology.tables import read_table
from terminology.valuesets import CodeTable


class Orderable(Struct, forbid_unknown_fields=True, frozen=True):
    """A row of text/tests.yaml."""

    value_sets: tuple[str, ...] = ()
    analytes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()


class _Group(Struct, forbid_unknown_fields=True, frozen=True):
    tests: tuple[str, ...]
    phrases: tuple[str, ...]


class _Tests(Struct, forbid_unknown_fields=True):
    source: str
    reviewed: str
    review_status: str
    tests: dict[str, Orderable]
    groups: tuple[_Group, ...]
    ignored: tuple[str, ...]


def tests_of(codings: Sequence[CodingLike], text: str | None) -> tuple[str, ...]:
    """The tests that a CodeableConcept names: by its codes if one is known, else by text and displays.

    Panels carry their own id (`cmp_panel`); total calcium and albumin are named apart (`calcium_total`,
    `albumin`), as they make up `calcium_albumin` together. EMG names `emg_ncs`; nerve conduction alone `ncs`.
    """
    found = [test for coding in codings for test in _codes().find(coding.system, coding.code)]
    if _of_site:
        found += [test for coding in codings for test in _of_site.get((coding.system, coding.code), ())]
    if not found:
        for written in dict.fromkeys((text, *(coding.display for coding in codings))):
            if written:
                found += _named(written) if len(written) <= _LONGEST_CACHED else _named.__wrapped__(written)
        found += (
            test for analyte in named_analytes(codings, text) for test in _of_analyte().get(analyte, ())
        )
    if "emg_ncs" in found:
        found = [test for test in found if test != "ncs"]
    return tuple(dict.fromkeys(found))


def recognise(codes: Mapping[tuple[str | None, str | None], tuple[str, ...]]) -> bool:
    """From now on in this process, codes of a site's own systems, `(system, code)`, name these tests; `{}` ends it.

    Whether that changed anything, so that what was remembered must be looked up anew.
    """
    if codes == _of_site:
        return False
    _of_site.update(codes)
    for code in _of_site.keys() - codes.keys():
        del _of_site[code]
    return True


_of_site: dict[tuple[str | None, str | None], tuple[str, ...]] = {}


@lru_cache(maxsize=4096)
def _named(text: str) -> tuple[str, ...]:
    words = words_of(text)
    if words.words in _exact():
        return (_exact()[words.words],)
    return tuple(test for match in _phrases().find(words) for test in match.meaning.split())


_LONGEST_CACHED = 300


@cache
def _table() -> _Tests:
    return read_table("text/tests.yaml", _Tests)


def tests() -> Mapping[str, Orderable]:
    """All tests by id."""
    return _table().tests


@cache
def _of_analyte() -> Mapping[str, tuple[str, ...]]:
    return {
        analyte: tuple(name for name, row in _table().tests.items() if analyte in row.analytes)
        for analyte in analytes()
    }


@cache
def _codes() -> CodeTable:
    return CodeTable(
        {
            name: (
                *row.value_sets,
                *(name for analyte in row.analytes for name in analytes()[analyte].value_sets),
            )
            for name, row in _table().tests.items()
        }
    )


@cache
def _phrases() -> PhraseTable:
    phrases = {name: row.phrases for name, row in _table().tests.items()}
    groups = {" ".join(group.tests): group.phrases for group in _table().groups}
    return PhraseTable(phrases | groups | {"": _table().ignored})


@cache
def _exact() -> Mapping[tuple[str, ...], str]:
    return {words_of(word).words: name for name, row in _table().tests.items() for word in row.exact}
