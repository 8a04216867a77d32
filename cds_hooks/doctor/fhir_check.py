"""Whether the FHIR servers answer, speak FHIR R4, and know the searches that this service makes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from cds_hooks.addresses import parse
from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, failed, ok, shown, warning
from cds_hooks.doctor.visits import Trouble, Visit
from cds_hooks.services import SERVICES, Prefetch

R4 = re.compile(r"4\.[0-3](\.|$)")
"""R4 and R4B, which differ in nothing that is read here."""


async def fhir_check(case: Case) -> list[Finding]:
    """The CapabilityStatement of every server that may be read."""
    servers = case.settings.fhir.servers
    found = await asyncio.gather(*(_server(case, server) for server in servers))
    return [finding for findings in found for finding in findings] or [
        warning(
            "nothing to check: `fhir.servers` is empty",
            "Name the EHR's FHIR server, unless the EHR prefetches everything.",
        )
    ]


async def _server(case: Case, server: str) -> list[Finding]:
    name, private = shown(server), case.settings.fhir.allow_private_addresses
    if parse(server).scheme != "https" and not private:
        return [
            failed(
                f"{name} is an http URL, which is never read",
                "Write https://, or in a closed network set `fhir.allow_private_addresses: true`.",
            )
        ]
    visit = await case.visits.get(f"{server}/metadata", private=private)
    if isinstance(visit, Trouble):
        return [failed(f"{name} {visit.problem}", visit.fix)]
    if visit.status in (401, 403):
        return [
            warning(
                f"{name} answers, but does not tell what it can do without a token (status {visit.status})",
                "Nothing to fix here; whether its data arrive shows in the gaps on the cards.",
            )
        ]
    statement = _statement(visit)
    if statement is None:
        return [
            failed(
                f"{name}/metadata gives no CapabilityStatement (status {visit.status})",
                "Write the base URL of the FHIR server, below which /metadata and /Patient are.",
            )
        ]
    return list(_judged(name, statement, visit.seconds))


def _statement(visit: Visit) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(visit.body) if visit.status == 200 else None
    except (ValueError, RecursionError):
        return None
    is_one = isinstance(found, dict) and found.get("resourceType") == "CapabilityStatement"
    return found if is_one else None


def _judged(name: str, statement: dict[str, Any], seconds: float) -> Iterator[Finding]:
    version = str(statement.get("fhirVersion", ""))
    if not R4.match(version):
        yield failed(
            f"{name} speaks FHIR {shown(version) or 'of no version that it names'}, not R4",
            "Name the R4 base URL of this server; many have several, by version.",
        )
        return
    yield ok(f"{name} speaks FHIR {shown(version)} and answered within {seconds * 1000:.0f} ms")
    lacking = list(_lacking(_resources(statement)))
    for says, problem in lacking:
        yield warning(
            f"{name} does not claim {problem}: {says} may be missing",
            "Have it prefetched instead, or have this made available; until then it is a gap on the cards.",
        )
    if not lacking:
        yield ok(f"{name} claims every search that is made there")


def _resources(statement: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Type -> what the server says about it."""
    rest = statement.get("rest")
    listed = [
        resource
        for mode in (rest if isinstance(rest, list) else [])
        if isinstance(mode, dict) and mode.get("mode") == "server"
        for resource in (mode.get("resource") or [])
        if isinstance(resource, dict)
    ]
    return {str(resource.get("type")): resource for resource in listed}


def _lacking(resources: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """What is missing on the cards, and what the server does not claim to do."""
    queries: dict[str, Prefetch] = {}
    for service in SERVICES:
        queries |= service.prefetch
    for prefetch in queries.values():
        kind, _, query = prefetch.template.partition("?")
        kind = kind.partition("/")[0]
        resource = resources.get(kind)
        if resource is None:
            yield prefetch.says, f"to have any {kind}"
            continue
        wanted = "search-type" if query else "read"
        if wanted not in _values(resource, "interaction", "code"):
            yield prefetch.says, f"to answer {wanted} of {kind}"
            continue
        known = _values(resource, "searchParam", "name")
        names = [name for name, _ in parse_qsl(query) if name not in known]
        if names:
            yield prefetch.says, f"to search {kind} by {' and '.join(names)}"


def _values(resource: dict[str, Any], member: str, name: str) -> set[str]:
    listed = resource.get(member)
    items = listed if isinstance(listed, list) else []
    return {str(item.get(name)) for item in items if isinstance(item, dict)}
