"""Requests for tests, and tests that a report says were carried out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from mappings.facts import DataGap, Finding, Order
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.datatypes import CodeableConcept
from mappings.from_fhir.dates import first_readable
from mappings.from_fhir.electromyography import read_emg
from mappings.from_fhir.meaning import procedures_of, spoken, text_of
from mappings.from_fhir.panels import stated_time
from mappings.from_fhir.shapes import DiagnosticReport, ServiceRequest
from terminology.orders import tests_of

STATUS: Final[dict[str, Literal["pending", "draft", "done"]]] = {
    "active": "pending",
    "draft": "draft",
    "completed": "done",
}
"""Every other status asks for nothing now: on-hold, revoked, entered-in-error, unknown."""
NOT_ORDERED: Final = frozenset({"proposal", "option"})
REPORTED: Final = frozenset({"final", "amended", "corrected", "appended"})


def read_request(item: Item, _chart: Chart) -> Iterator[Order]:
    """A ServiceRequest for tests we know. A draft in the hook's context counts whatever its intent."""
    request = item.resource
    assert isinstance(request, ServiceRequest)  # noqa: S101 - read.py dispatches by type
    status = STATUS.get(request.status.strip().lower() or ("draft" if item.draft else ""))
    if item.draft and status == "pending":
        status = "draft"
    unasked = request.intent.strip().lower() in NOT_ORDERED and not item.draft
    if status is None or unasked or request.do_not_perform or request.code is None:
        return
    code = request.code.concept or CodeableConcept(request.code.coding, request.code.text)
    day = first_readable(request.authored_on, request.occurrence_date_time)
    if tests := tests_of(code.coding, code.text or None):
        yield Order(tests, status, text_of(code) or spoken(tests), day.earliest if day else None, item.label)


def read_report(item: Item, _chart: Chart) -> Iterator[Order | Finding | DataGap]:
    """A final report of a test other than a laboratory test; laboratory results speak for themselves."""
    report = item.resource
    assert isinstance(report, DiagnosticReport)  # noqa: S101 - read.py dispatches by type
    if report.code is None or report.status.strip().lower() not in REPORTED:
        return
    if tests := procedures_of(report.code):
        time = stated_time(report)
        day = time.earliest if time else None
        yield Order(tests, "done", text_of(report.code) or spoken(tests), day, item.label)
        yield from read_emg(tests, report.conclusion, day, item.label)
