"""Which laboratory results need to be read at all: of each analyte the newest that can be used, and what is newer.

A chart holds years of results and the rules ask for the latest valid one. Reading stops at the first day that
gave a result; what is newer and could not be read has left its gap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Any

from mappings.facts import LabResult
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.dates import When
from mappings.from_fhir.meaning import meaning_of
from mappings.from_fhir.panels import stated_time
from mappings.from_fhir.shapes import Observation

Read = Callable[[Item], Iterable[Any]]


def read_newest(
    items: Iterable[Item], member_times: dict[str, When], read: Read, until: date
) -> Iterator[Any]:
    """The facts of all Observations but the superseded results; one dated after `until` supersedes nothing."""
    dated: defaultdict[str, list[tuple[date, Item]]] = defaultdict(list)
    for item in items:
        observation = item.resource
        assert isinstance(observation, Observation)  # noqa: S101 - the caller has seen to it
        analyte = (
            ""
            if observation.component or observation.code is None
            else meaning_of(observation.code).lab.analyte
        )
        when = (stated_time(observation) or member_times.get(item.label)) if analyte else None
        if when is None:
            yield from read(item)
        else:
            dated[analyte].append((when.earliest, item))
    for results in dated.values():
        results.sort(key=_day, reverse=True)
        for day, same_day in groupby(results, key=_day):
            facts = [fact for _, item in same_day for fact in read(item)]
            yield from facts
            if day <= until and any(isinstance(fact, LabResult) for fact in facts):
                break


def _day(dated: tuple[date, Item]) -> date:
    return dated[0]
