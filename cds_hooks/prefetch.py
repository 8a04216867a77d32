"""What the client sent of the record, what it did not send, and whether that is enough to answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from cds_hooks.errors import Refused, issue
from cds_hooks.request import HookRequest
from cds_hooks.selections import without_unchosen
from cds_hooks.services import Service
from mappings.assessment import Assessment
from mappings.facts import DataGap, PatientFacts
from mappings.from_fhir.bundle import unwrap
from mappings.from_fhir.chart import FORMER_NAMES, Source

LABS = "labs"
"""One of several keys that ask for Observations."""
CONTEXT = "context."
"""Before the name of a context field, where its resources stand beside those of the prefetch."""


class Completion(NamedTuple):
    """What was read from the FHIR server besides the prefetch, and what could not be."""

    sources: tuple[Source, ...] = ()
    gaps: tuple[DataGap, ...] = ()
    obtained: frozenset[str] = frozenset()
    """Keys that the prefetch left open and that are answered now."""
    whole: frozenset[str] = frozenset()
    """Keys whose further pages were all read, so that a link to the next page no longer means a gap."""


NOTHING_MORE = Completion()


def sources(service: Service, request: HookRequest, more: Completion = NOTHING_MORE) -> list[Source]:
    """Everything under `prefetch`, our keys with the type they ask for, what was read besides, and drafts."""
    expects, obtained = service.expects, more.obtained
    sent = [
        Source(key, content, expects.get(key, ()))
        for key, content in request.prefetch.items()
        if key not in obtained
    ]
    drafted = [Source(f"{CONTEXT}{name}", content, draft=True) for name, content in request.drafts.items()]
    return [*sent, *more.sources, *drafted]


def selected(request: HookRequest, facts: PatientFacts) -> PatientFacts:
    """Without the drafted medicines that were not just chosen."""
    if not request.selections:
        return facts
    return replace(facts, medications=without_unchosen(facts.medications, request.selections))


def name_gaps(
    service: Service, request: HookRequest, facts: PatientFacts, more: Completion = NOTHING_MORE
) -> PatientFacts:
    """The facts with a gap for each key that was not sent, and gaps about a whole key in a clinician's words.

    A site may have sent the same data under a key of its own.
    """
    failed = {gap.resource for gap in more.gaps}
    sent, obtained = request.prefetch, more.obtained
    unsent = [
        key for key in service.prefetch if key not in sent and key not in obtained and key not in failed
    ]
    if not (unsent or facts.gaps or failed):
        return facts
    unasked = sent.keys() - service.prefetch.keys()
    elsewhere = _elsewhere(request, unasked) if unsent and unasked else frozenset()
    missing = [service.unsent[key] for key in unsent if not _is_there(service.unsent[key], elsewhere, facts)]
    named = [
        _named(gap, service)
        for gap in facts.gaps
        if gap.resource not in failed
        and not (gap.reason == "incomplete" and gap.resource in more.whole)
        and not (gap.reason == "not-provided" and gap.resource in unasked)
    ]
    return replace(facts, gaps=(*named, *missing, *more.gaps))


def _elsewhere(request: HookRequest, unasked: Iterable[str]) -> frozenset[str]:
    """The types of what was sent under other keys than ours."""
    found: set[str] = set()
    for name in unasked:
        sent = unwrap(request.prefetch[name])
        found.update((item.type for item in sent.items), (type_ for type_, _ in sent.unreadable))
    return frozenset(FORMER_NAMES.get(type_, type_) for type_ in found)


def _is_there(unsent: DataGap, elsewhere: frozenset[str], facts: PatientFacts) -> bool:
    """Whether what a key asks for came under another: other Observations are no laboratory results."""
    if unsent.what == "Patient" and facts.patient.birth_date:
        return True
    return unsent.what in elsewhere and (unsent.resource != LABS or bool(facts.labs))


def _named(gap: DataGap, service: Service) -> DataGap:
    """The reader knows only the type `Observation`; the key says whether these are results or examination findings."""
    drafted = service.resources.get(gap.resource.removeprefix(CONTEXT))
    if drafted and gap.resource.startswith(CONTEXT):
        return replace(gap, text=gap.text.replace(gap.what, drafted))
    if gap.resource not in service.prefetch:
        return gap
    says = service.prefetch[gap.resource].says
    return replace(gap, text=says if gap.reason == "not-provided" else f"{says}: {gap.text}")


def require(service: Service, facts: PatientFacts, assessment: Assessment) -> None:
    """Refuse with 412 when required data could not be obtained and the answer depends on it.

    CDS Hooks 2.0, Prefetch Template: a call whose required data can neither be read from `prefetch` nor fetched. An
    empty list instead would look like an all-clear.
    """
    if assessment.gate.open or assessment.proposals or facts.patient.deceased:
        return
    missing = [(key, asked) for key, asked in service.required if asked.resource_type not in facts.read]
    if not missing:
        return
    happened = {gap.resource: f" ({gap.text}.)" for gap in facts.gaps if gap.reason == "not-readable"}
    raise Refused(
        412,
        *(
            issue(
                "required",
                f"The prefetch key `{key}` ({asked.says}: {asked.template}) is missing, null or an error, so it is not"
                " known whether twitching is documented. Send the key; a patient without entries is an empty Bundle."
                + happened.get(key, ""),
                f"prefetch.{key}",
            )
            for key, asked in missing
        ),
    )
