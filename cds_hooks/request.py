"""One checked CDS Hooks call: strict about what is wrong, lenient about what real clients do.

Accepted although the specification says otherwise: `Patient/` before the patient id, a missing `userId` or one
without a type, `null` for an optional field, a `hookInstance` that is no UUID, unknown fields. Refused with 400:
missing or empty `hook`, `hookInstance`, `context` or `patientId`, wrong types, another service's hook, repeated
fields, and text that is no JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Raw, Struct

from cds_hooks.envelope import Member, read_envelope, text_of
from cds_hooks.errors import Issue, Refused, issue
from cds_hooks.services import SERVICE_BY_HOOK, Service

FHIR_ID = re.compile(r"[A-Za-z0-9\-._:~]{1,128}")
"""FHIR ids as servers really make them: also with underscores, as `urn:uuid:…` and longer than 64 characters."""
USER = re.compile(r"(?:Practitioner|PractitionerRole|Patient|RelatedPerson)/" + FHIR_ID.pattern)
TRIGGER_ACTION = "com.epic.cdshooks.request.bpa-trigger-action"
"""Epic's CDS Hooks tutorial, Extensions: one hook stands for several moments of the workflow."""
TRIGGER = re.compile(r"\d{1,4}", re.ASCII)


class HookContext(Struct, frozen=True):
    """The context that every hook here has. Ids are bare, `user_id` is `Type/id`; empty when not given."""

    patient_id: str
    user_id: str = ""
    encounter_id: str = ""


class HookRequest(Struct, frozen=True):
    """One checked call."""

    hook: str
    hook_instance: str
    context: HookContext
    prefetch: Mapping[str, Member]
    fhir_server: str = ""
    drafts: Mapping[str, Member] = {}
    """The resources of the context, by its field: what is being recorded or ordered now."""
    selections: tuple[str, ...] = ()
    """`Type/id` of the drafts that were just chosen; empty when the hook has no such field or none was named."""
    fhir_token: str = ""
    """For requests to `fhir_server` during this call only: never kept, logged or sent anywhere else."""
    trigger: str = ""
    """Epic's number of what set the hook off; empty when the client does not say."""


def read_request(body: bytes, service: Service) -> HookRequest:
    """Decode and check a call of `service`. Raises Refused (400) naming every field at fault."""
    envelope = read_envelope(body)
    problems: list[Issue] = []
    if envelope.hook != service.hook:
        problems.append(issue("value", f"`hook` must be `{service.hook}`, the hook of this service.", "hook"))
    if not envelope.hook_instance:
        problems.append(
            issue("value", "`hookInstance` is empty; it must be a UUID, new for every call.", "hookInstance")
        )
    context = _read_context(envelope.context, problems)
    drafts = _drafts(service, envelope.context, problems)
    selections = _selections(envelope.context, problems)
    token = _text(envelope.fhir_authorization, "access_token", problems, "fhirAuthorization")
    if problems:
        raise Refused(400, *problems)
    return HookRequest(
        service.hook,
        envelope.hook_instance,
        context,
        _our_keys(envelope.prefetch, service.aliases) if service.aliases else envelope.prefetch,
        envelope.fhir_server,
        drafts,
        selections,
        token or "",
        _trigger(envelope.extension) if envelope.extension else "",
    )


def _our_keys(prefetch: Mapping[str, Member], aliases: Mapping[str, str]) -> dict[str, Member]:
    """The members by our keys; a second one of the same key keeps its own name and is read all the same."""
    found: dict[str, Member] = {}
    for name, content in prefetch.items():
        key = aliases.get(name, name)
        found[name if key in found or (key != name and key in prefetch) else key] = content
    return found


def _trigger(extension: Mapping[str, Member]) -> str:
    """The number, sent as a string or as a number; anything else is no trigger."""
    sent = text_of(extension.get(TRIGGER_ACTION))
    return str(sent) if isinstance(sent, str | int) and TRIGGER.fullmatch(str(sent)) else ""


def service_of(body: bytes) -> Service:
    """The service that answers a call of this hook. Raises Refused (400)."""
    service = SERVICE_BY_HOOK.get(read_envelope(body).hook)
    if service is None:
        raise Refused(400, issue("value", f"`hook` must be one of: {', '.join(SERVICE_BY_HOOK)}.", "hook"))
    return service


def _read_context(members: Mapping[str, Member], problems: list[Issue]) -> HookContext:
    """The typed context; what is wrong with it is added to `problems`."""
    fields = {name: _text(members, name, problems) for name in ("patientId", "userId", "encounterId")}
    patient, user, encounter = fields["patientId"], fields["userId"], fields["encounterId"]
    if patient is not None:
        patient = patient.removeprefix("Patient/")
        if not patient:
            problems.append(
                issue(
                    "required",
                    "`context.patientId` is missing; it must be the id of the patient.",
                    "context.patientId",
                )
            )
        elif not FHIR_ID.fullmatch(patient):
            problems.append(issue("value", "`context.patientId` is not a FHIR id.", "context.patientId"))
    if encounter:
        encounter = encounter.removeprefix("Encounter/")
        if not FHIR_ID.fullmatch(encounter):
            problems.append(issue("value", "`context.encounterId` is not a FHIR id.", "context.encounterId"))
    return HookContext(patient or "", user if user and USER.fullmatch(user) else "", encounter or "")


def _drafts(service: Service, members: Mapping[str, Member], problems: list[Issue]) -> dict[str, Member]:
    """The resources that the hook carries in its context; each field must hold an object, a Bundle."""
    found: dict[str, Member] = {}
    for name in service.resources:
        sent = text_of(members.get(name))
        if isinstance(sent, Struct) or (isinstance(sent, Raw) and bytes(memoryview(sent)[:1]) == b"{"):
            found[name] = sent
        else:
            text = f"`context.{name}` must be a Bundle with the drafted resources."
            problems.append(issue("value" if name in members else "required", text, f"context.{name}"))
    return found


def _selections(members: Mapping[str, Member], problems: list[Issue]) -> tuple[str, ...]:
    sent = text_of(members.get("selections"))
    if sent is None:
        return ()
    if not isinstance(sent, list):
        text = "`context.selections` must be a list of `Type/id` strings."
        problems.append(issue("value", text, "context.selections"))
        return ()
    return tuple(sent)


def _text(
    members: Mapping[str, Member], name: str, problems: list[Issue], parent: str = "context"
) -> str | None:
    """A string of the context (or of another object), empty when absent or `null`; None (and a problem) when it is something else."""
    sent = text_of(members.get(name))
    if sent is None:
        return ""
    if not isinstance(sent, str):
        problems.append(issue("value", f"`{parent}.{name}` must be a string.", f"{parent}.{name}"))
        return None
    return sent
