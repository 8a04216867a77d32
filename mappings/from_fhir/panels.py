"""The time of a result that states none, from the panel or report that lists it."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.dates import When, end_or_start, first_readable, when
from mappings.from_fhir.shapes import DiagnosticReport, Observation


def stated_time(resource: Observation | DiagnosticReport) -> When | None:
    """When the result is from: its effective time, else when it was issued."""
    if resource.effective_date_time and (time := when(resource.effective_date_time)):
        return time
    instant = resource.effective_instant if isinstance(resource, Observation) else ""
    period = end_or_start(resource.effective_period) if resource.effective_period else ()
    return first_readable(*period, instant, resource.issued)


def member_times(items: Iterable[Item], chart: Chart) -> dict[str, When]:
    """Times of panels and reports by the label of the results they list; none where they disagree."""
    times: dict[str, set[When]] = {}
    for item in items:
        resource = item.resource
        if isinstance(resource, Observation):
            members = resource.has_member
        elif isinstance(resource, DiagnosticReport):
            members = resource.result
        else:
            continue
        if members and resource.status != "entered-in-error" and (time := stated_time(resource)):
            for member in members:
                if listed := chart.find(member.reference):
                    times.setdefault(listed.label, set()).add(time)
    return {
        label: min(stated) for label, stated in times.items() if len({time.earliest for time in stated}) == 1
    }
