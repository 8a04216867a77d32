"""Rules about a request: server, token, prefetched data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cds_hooks.validation.findings import Path, Severity, quoted
from cds_hooks.validation.rule import Rule, Violation, resources, text
from cds_hooks.validation.walk import Node

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_GUESSABLE = re.compile(r"(.)\1*(?:-\1+)*")
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_PATIENT_SCOPE = re.compile(r"(?:^|\s)patient/")


def _server_is_https(node: Node) -> Iterator[Violation]:
    server = text(node.value, "fhirServer")
    if server.lower().startswith("http://") and _host(server) not in _LOOPBACK:
        problem = "`fhirServer` is http; with real patients it must be https."
        yield Violation(("fhirServer",), problem, "Send the https address.")


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _instance_is_random(node: Node) -> Iterator[Violation]:
    instance = text(node.value, "hookInstance")
    if len(instance) > 1 and _GUESSABLE.fullmatch(instance):
        problem = f"`hookInstance` {quoted(instance)} is easily guessed."
        yield Violation(("hookInstance",), problem, "Make a random UUID (version 4) for every call.")


def _patient_scope_names_the_patient(node: Node) -> Iterator[Violation]:
    authorization = node.value.get("fhirAuthorization")
    if not isinstance(authorization, dict):
        return
    at: Path = ("fhirAuthorization", "patient")
    in_context = _context_patient(node)
    if "patient" in authorization:
        given = text(authorization, "patient")
        if given and in_context and given != in_context:
            problem = f"The token is for the patient {quoted(given)}, the context for {quoted(in_context)}."
            yield Violation(at, problem, "Send a token for the patient in context.")
    elif _PATIENT_SCOPE.search(text(authorization, "scope")):
        problem = "The token has `patient/` scopes, but `patient` is missing."
        yield Violation(at, problem, "Send the FHIR id of the patient the token is for.")


def _prefetch_is_of_this_patient(node: Node) -> Iterator[Violation]:
    in_context = _context_patient(node)
    for name, value in _prefetched(node):
        found = text(value, "id") if value.get("resourceType") == "Patient" else ""
        if found and in_context and found != in_context:
            problem = f"This is the patient {quoted(found)}, but the context is about {quoted(in_context)}."
            yield Violation(("prefetch", name, "id"), problem, "Send the data of the patient in context.")


def _prefetch_has_no_errors(node: Node) -> Iterator[Violation]:
    fix = "A service must not read this as `no data`."
    for name, value in _prefetched(node):
        if value.get("resourceType") == "OperationOutcome":
            yield Violation(("prefetch", name), f"{quoted(name)} is an OperationOutcome, not data.", fix)
        for position, resource in resources(value):
            if resource.get("resourceType") == "OperationOutcome":
                problem = f"An entry of {quoted(name)} is an OperationOutcome."
                at = ("prefetch", name, "entry", position, "resource")
                yield Violation(at, problem, fix, _gravity(resource))


def _gravity(outcome: dict[str, Any]) -> Severity:
    """Clients say `no results` as an entry; only an error means that data are missing."""
    issues = outcome.get("issue")
    grave = any(
        isinstance(issue, dict) and issue.get("severity") in ("error", "fatal")
        for issue in (issues if isinstance(issues, list) else ())
    )
    return "warning" if grave else "information"


def _ids_are_fhir_ids(node: Node) -> Iterator[Violation]:
    for name in ("patientId", "encounterId", "userId"):
        found = text(node.value, name).rpartition("/")[2]
        if found and not _FHIR_ID.fullmatch(found):
            problem = f"{quoted(found)} is not a FHIR id: 1 to 64 letters, digits, hyphens and full stops."
            yield Violation((name,), problem, "Send the id that the FHIR server uses.")


def _prefetched(node: Node) -> Iterator[tuple[str, dict[str, Any]]]:
    prefetch = node.value.get("prefetch")
    for name, value in prefetch.items() if isinstance(prefetch, dict) else ():
        if isinstance(value, dict):
            yield name, value


def _context_patient(node: Node) -> str:
    context = node.value.get("context")
    return text(context, "patientId").removeprefix("Patient/") if isinstance(context, dict) else ""


RULES = (
    Rule("request", "warning", ("cds-hooks_2.0@20",), _server_is_https),
    Rule("request", "warning", ("cds-hooks_2.0@26",), _instance_is_random),
    Rule("request", "warning", ("cds-hooks_2.0@71", "cds-r-2"), _patient_scope_names_the_patient),
    Rule("request", "warning", ("cds-hooks_2.0@45",), _prefetch_is_of_this_patient),
    Rule("request", "warning", ("cds-hooks_2.0@52", "cds-hooks_2.0@50"), _prefetch_has_no_errors),
    Rule("context:", "warning", ("fhir_r4#id",), _ids_are_fhir_ids),
)
