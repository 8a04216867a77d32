"""What panels and reports say of the results they list: the time of one that states none, and those they contain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Final

from msgspec.structs import replace

from mappings.facts import DataGap
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart, local_key
from mappings.from_fhir.datatypes import Reference
from mappings.from_fhir.dates import When, end_or_start, first_readable, when
from mappings.from_fhir.shapes import DiagnosticReport, Observation

_has_member: Final = attrgetter("resource.has_member")
_result: Final = attrgetter("resource.result")
_contained: Final = attrgetter("resource.contained")


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


def listing(observations: Iterable[Item], reports: Iterable[Item]) -> list[Item]:
    """The panels and reports that list results."""
    return [*filter(_has_member, observations), *filter(_result, reports)]


def contained_results(listings: Iterable[Item], chart: Chart) -> Iterator[Item | DataGap]:
    """The results that exist only inside the panel or report that lists them; its time is theirs if they have none."""
    for item in filter(_contained, listings):
        resource, members = _members(item)
        if resource.status == "entered-in-error":
            continue
        wanted = [member.reference for member in members if member.reference.startswith("#")]
        for reference in wanted:
            result = chart.resolve(reference, resource.contained, Observation)
            if result is None:
                yield DataGap("Observation", "not-readable", "one Observation could not be read", item.label)
            elif (
                result.subject
                and resource.subject
                and local_key(result.subject.reference) != local_key(resource.subject.reference)
            ):
                yield DataGap(
                    "Observation",
                    "wrong-patient",
                    "1 Observation not about this patient, not used",
                    item.label,
                )
            else:
                inner = (member.reference for member in result.has_member)
                wanted += (name for name in inner if name.startswith("#") and name not in wanted)
                result = replace(result, id="")
                if stated_time(result) is None:
                    result.effective_date_time, result.issued = resource.effective_date_time, resource.issued
                    result.effective_period = resource.effective_period
                yield Item("Observation", result, item.label, item.key)


def _members(item: Item) -> tuple[Observation | DiagnosticReport, tuple[Reference, ...]]:
    resource = item.resource
    assert isinstance(resource, Observation | DiagnosticReport)  # noqa: S101 - read.py sorts by type
    return resource, resource.has_member if isinstance(resource, Observation) else resource.result


def member_times(listings: Iterable[Item], chart: Chart) -> dict[str, When]:
    """Times of panels and reports by the label of the results they list; none where they disagree."""
    times: dict[str, set[When]] = {}
    for item in listings:
        resource, members = _members(item)
        if resource.status != "entered-in-error" and (time := stated_time(resource)):
            for member in members:
                if listed := chart.find(member.reference):
                    times.setdefault(listed.label, set()).add(time)
    return {
        label: min(stated) for label, stated in times.items() if len({time.earliest for time in stated}) == 1
    }
