"""Which laboratory results need to be read at all: of each analyte the newest that can be used, and what is newer.

A chart holds years of results and the rules ask for the latest valid one. Reading stops at the first day that
gave a result; what is newer and could not be read has left its gap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import compress, groupby
from operator import attrgetter, not_
from typing import Any, Final, NamedTuple

from mappings.facts import LabResult
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.dates import When, when
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.meaning import meaning_of_code
from mappings.from_fhir.panels import time_of

Read = Callable[[Item], Sequence[Any]]
_code: Final = attrgetter("resource.code_json")
_effective: Final = attrgetter("resource.effective_date_time")
_components: Final = attrgetter("resource.component")


class Sorted(NamedTuple):
    """The Observations of one patient, each with the analyte of a laboratory result or with nothing."""

    items: Sequence[Item]
    analytes: Sequence[str]

    @property
    def others(self) -> list[Item]:
        """Findings, panels, history and what cannot be read."""
        return list(compress(self.items, map(not_, self.analytes)))

    def results(self) -> dict[str, list[Item]]:
        """The laboratory results by analyte."""
        found: defaultdict[str, list[Item]] = defaultdict(list)
        for item, analyte in zip(self.items, self.analytes, strict=True):
            if analyte:
                found[analyte].append(item)
        return found


def sort_observations(items: Sequence[Item]) -> Sorted:
    """Tell results from findings, panels, history and what cannot be read."""
    codes = list(map(bytes, map(_code, items)))
    analyte_of = {code: _analyte(code) for code in set(codes)}
    analytes = list(map(analyte_of.__getitem__, codes))
    if any(map(_components, items)):
        parts = map(_components, items)
        analytes = ["" if found else analyte for analyte, found in zip(analytes, parts, strict=True)]
    return Sorted(items, analytes)


def _analyte(code: bytes) -> str:
    try:
        meaning = meaning_of_code(code)
    except DATA_ERRORS:
        return ""
    return meaning.result if meaning else ""


def read_newest(
    results: dict[str, list[Item]], read: Read, member_times: dict[str, When], until: date | None
) -> Iterator[Any]:
    """The facts of all but the superseded results; one dated after `until` supersedes nothing. None: of all.

    What states no time supersedes nothing and is always read.
    """
    for items in results.values():
        dated: list[tuple[date, Item]] = []
        for item, text in zip(items, map(_effective, items), strict=True):
            time = when(text) if text else None
            if time or (time := time_of(item, member_times)):
                dated.append((time.earliest, item))
            else:
                yield from read(item)
        dated.sort(key=_day, reverse=True)
        for day, same_day in groupby(dated, key=_day):
            facts = [fact for _, item in same_day for fact in read(item)]
            yield from facts
            if until and day <= until and any(isinstance(fact, LabResult) for fact in facts):
                break


def _day(dated: tuple[date, Item]) -> date:
    return dated[0]
