"""The time of a result that states none, from the panel or report that lists it."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.dates import When, end_or_start, first_readable, when
from mappings.from_fhir.shapes import DiagnosticReport, Observation

_has_member: Final = attrgetter("resource.has_member")
_result: Final = attrgetter("resource.result")


def stated_time(resource: Observation | DiagnosticReport) -> When | None:
    """When the result is from: its effective time, else when it was issued."""
    if resource.effective_date_time and (time := when(resource.effective_date_time)):
        return time
    instant = resource.effective_instant if isinstance(resource, Observation) else ""
    period = end_or_start(resource.effective_period) if resource.effective_period else ()
    return first_readable(*period, instant, resource.issued)


def time_of(item: Item, member_times: dict[str, When]) -> When | None:
    """When an Observation is from: as it says itself, else as its panel or report does."""
    observation = item.resource
    assert isinstance(observation, Observation)  # noqa: S101 - read.py sorts by type
    return stated_time(observation) or member_times.get(item.label)


def member_times(panels: Iterable[Item], reports: Iterable[Item], chart: Chart) -> dict[str, When]:
    """Times of panels and reports by the label of the results they list; none where they disagree."""
    times: dict[str, set[When]] = {}
    listings = *filter(_has_member, panels), *filter(_result, reports)
    for item in listings:
        resource = item.resource
        assert isinstance(resource, Observation | DiagnosticReport)  # noqa: S101 - read.py sorts by type
        members = resource.has_member if isinstance(resource, Observation) else resource.result
        if resource.status != "entered-in-error" and (time := stated_time(resource)):
            for member in members:
                if listed := chart.find(member.reference):
                    times.setdefault(listed.label, set()).add(time)
    return {
        label: min(stated) for label, stated in times.items() if len({time.earliest for time in stated}) == 1
    }
