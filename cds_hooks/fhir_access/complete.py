"""Completes the prefetch of one call from the EHR's FHIR server."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from msgspec import Raw

from cds_hooks.envelope import Member
from cds_hooks.fhir_access.client import Access, Fetched, FhirClient
from cds_hooks.prefetch import Completion, sources
from cds_hooks.request import HookRequest, read_request
from cds_hooks.services import Service
from mappings.facts import DataGap, GapReason
from mappings.from_fhir.bundle_shapes import PlainOutcome
from mappings.from_fhir.chart import Source
from mappings.from_fhir.read import next_links, unresolved_medications

TOKEN: Final = re.compile(r"\{\{context\.(\w+)\}\}")
DAY: Final = re.compile(r"\{\{today\(\)(?: - (\d+) days)?\}\}")
LATEST: Final = timedelta(days=1)
"""Today ends later elsewhere: a period that ends today would hide what a server ahead of us dates tomorrow."""
ERROR: Final = re.compile(rb'\A\s*\{\s*"resourceType"\s*:\s*"OperationOutcome"')
MEDICATION: Final = re.compile(r"Medication/[A-Za-z0-9\-._]{1,64}")
MAX_MEDICATIONS: Final = 50


async def complete(
    client: FhirClient, service: Service, body: bytes, today: date | None = None
) -> Completion:
    """Read what is missing: keys that were not sent, null or an error, and further pages of those that were sent.

    Then the Medications that orders only refer to. `today` is for searches with a period; without it, this machine's.
    Raises Refused (400) like `read_request`.
    """
    request = read_request(body, service)
    if not request.fhir_server:
        return Completion()
    access, sent = Access(request.fhir_server, request.fhir_token), sources(service, request)
    deadline = time.monotonic() + client.budget
    missing, further = missing_queries(service, request, today), further_pages(service, request)
    fetched = await client.fetch(access, missing | further, deadline)
    read = [
        Source(key, page, (service.prefetch[key].resource_type,))
        for key, got in fetched.items()
        for page in got.pages
    ]
    wanted = _medications(request, [*sent, *read], access)
    medications = await client.fetch(access, wanted, deadline) if wanted else {}
    read += [Source(key, page) for key, got in medications.items() for page in got.pages]
    return Completion(
        tuple(read),
        tuple(_gap(service, key, got, begun=key in further) for key, got in fetched.items() if got.failure),
        frozenset(key for key in missing if fetched[key].pages),
        frozenset(
            key for key, got in fetched.items() if not got.failure and (key in further or len(got.pages) > 1)
        ),
    )


def missing_queries(service: Service, request: HookRequest, today: date | None = None) -> dict[str, str]:
    """Key -> query for every template that the prefetch does not answer and whose tokens are known."""
    values = {"patientId": request.context.patient_id, "encounterId": request.context.encounter_id}
    queries = {}
    for key, prefetch in service.prefetch.items():
        if not _is_missing(request.prefetch.get(key)):
            continue
        query = filled_in(_dated(prefetch.query, today) or prefetch.template, values)
        if query:
            queries[key] = query
    return queries


def further_pages(service: Service, request: HookRequest) -> dict[str, str]:
    """Key -> address of the next page, for what was sent as one page of several; unchecked."""
    found = {}
    for key, content in request.prefetch.items():
        if key in service.prefetch:
            links = next_links(content)
            if len(links) == 1:
                found[key] = links[0]
    return found


def _dated(query: str, today: date | None) -> str:
    """The query with its days written out."""
    if "today()" not in query:
        return query
    now = today or date.today()  # noqa: DTZ011 - the local date is meant

    def day(token: re.Match[str]) -> str:
        return (now - timedelta(days=int(token[1])) if token[1] else now + LATEST).isoformat()

    return DAY.sub(day, query)


def filled_in(template: str, values: Mapping[str, str]) -> str:
    """The template with its tokens replaced; empty when one is not known."""
    names = TOKEN.findall(template)
    if not all(values.get(name) for name in names):
        return ""
    return TOKEN.sub(lambda token: values[token[1]], template)


def _is_missing(content: Member) -> bool:
    if isinstance(content, Raw):
        start = bytes(memoryview(content)[:80])
        return start[:4] == b"null" or ERROR.match(start) is not None
    return content is None or isinstance(content, PlainOutcome)


def _medications(request: HookRequest, found_so_far: list[Source], access: Access) -> dict[str, str]:
    """Queries for Medications below this call's own server, by reference."""
    base = f"{access.server.rstrip('/')}/"
    found = {}
    for reference in unresolved_medications(request.context.patient_id, found_so_far):
        relative = reference.removeprefix(base).partition("/_history/")[0]
        if MEDICATION.fullmatch(relative):
            found[reference] = relative
    return dict(list(found.items())[:MAX_MEDICATIONS])


def _gap(service: Service, key: str, got: Fetched, *, begun: bool) -> DataGap:
    """`begun`: a first page had been sent."""
    prefetch = service.prefetch[key]
    reason: GapReason = "incomplete" if got.pages or begun else "not-readable"
    part = "only a part was read, " if reason == "incomplete" else ""
    return DataGap(prefetch.resource_type, reason, f"{prefetch.says}: {part}{got.failure}", key)
