"""One patient of the export, asked as the live service is asked: the same call, the same reader, the same rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from cds_hooks.calls import Considered, cards_of, consider_request
from cds_hooks.desk import Desk
from cds_hooks.errors import Refused
from cds_hooks.replay.dated import Dated, dated, start_of
from cds_hooks.replay.heads import KINDS, MEDICATION
from cds_hooks.replay.scan import CARE
from cds_hooks.replay.sent import bundle, sent_to
from cds_hooks.replay.sides import Gate, Mode, Side, asked, made
from cds_hooks.request import HookContext, HookRequest
from cds_hooks.site_rules import Finding
from mappings.assessment import Assessment
from mappings.from_fhir.dates import When
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.meaning import recognise_orders
from mappings.from_fhir.problems import UNDER_WAY

Lines = Mapping[bytes, Sequence[tuple[bytes, bytes]]]
"""Kind -> flag and content of each line."""

KEYS: Final = {
    "conditions": b"C",
    "labs": b"O",
    "examination": b"",
    "history": b"",
    "medications": b"R",
    "statements": b"S",
    "orders": b"V",
    "procedures": b"P",
    "answers": b"Q",
}
"""Where the resources of a kind go. All Observations go under one key: the reader sorts them by what they are."""
ASSUMED: Final = Raw(
    b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Condition","clinicalStatus":'
    b'{"coding":[{"code":"active"}]},"code":{"text":"Fasciculation"}}}]}'
)
"""What is being recorded if every patient presented with twitching."""
NOT_HELD: Final = frozenset({"cancelled", "entered-in-error", "planned"})


class Setup(Struct, frozen=True):
    """How the export is replayed, and by which one or two sides."""

    mode: Mode
    day: date
    since: date | None
    gate: Gate
    sides: tuple[Side, ...]
    types: frozenset[str] = frozenset()
    """The resource types that the export holds."""


class Moment(NamedTuple):
    """A day on which the patient's record is looked at, and the encounter that starts."""

    day: date
    exactly: bool
    """A day in the past: what cannot be placed in time does not count."""
    encounter: str = ""
    encounter_content: bytes = b""


KeptBack = tuple[Literal["card", "finding"], str, str, str]
"""A card by its topic or a finding by its id, its indicator, and why the site does not let it through."""


class Outcome(NamedTuple):
    """What the service would have answered. `failed` names an error that it would have answered with."""

    assessment: Assessment | None
    cards: tuple[tuple[str, str], ...] = ()
    """Topic and indicator of each card."""
    failed: str = ""
    kept_back: tuple[KeptBack, ...] = ()


class _Encounter(Struct):
    id: str = ""
    status: str = ""


_encounter: Final = msgspec.json.Decoder(_Encounter)


def replay_patient(
    patient: str, lines: Lines, days: Sequence[date], setup: Setup
) -> Iterator[tuple[Moment, tuple[Outcome, ...]]]:
    """Each moment with one outcome per rule set. `days` are the days to look at, unless each encounter is one."""
    several = setup.mode != "as-of"
    record = {
        kind: [
            dated(kind, content) if flag == CARE or several else Dated(content, ALWAYS)
            for flag, content in group
        ]
        for kind, group in lines.items()
        if kind != MEDICATION
    }
    medications = [content for _, content in lines.get(MEDICATION, ())]
    starts = [start for encounter in record.get(b"E", ()) if (start := start_of(encounter))]
    for moment in _moments(record.get(b"E", ()), days, setup):
        prefetch = _prefetch(record, medications, moment, setup, alive=any(s >= moment.day for s in starts))
        context = HookContext(patient, "", moment.encounter)
        drafts = {"conditions": ASSUMED} if setup.gate == "assume-twitching" else {}
        request = HookRequest("", "replay", context, prefetch, drafts=drafts)
        yield moment, tuple(_ask(request, moment.day, side, setup) for side in setup.sides)


ALWAYS: Final = When(date.min, date.min, "")


def _ask(request: HookRequest, day: date, side: Side, setup: Setup) -> Outcome:
    """What the live service of this side answers to this call."""
    desk, (service, on) = made(side).desk, asked(side, setup.mode, setup.gate)
    request = replace(request, hook=service.hook, prefetch=sent_to(service, request.prefetch))
    recognise_orders(desk.order_codes)
    try:
        found = consider_request(service, request, desk.knowledge, day, site=desk.site, thorough=False)
        assert found is not None  # noqa: S101 - an export does not say what set a hook off
        return _outcome(found, desk, on=on)
    except Refused as refused:
        return Outcome(None, (), f"refused with {refused.status}")
    except Exception as error:  # noqa: BLE001 - one patient must not end the replay; counted and reported
        return Outcome(None, (), type(error).__name__)
    finally:
        recognise_orders({})


def _outcome(found: Considered, desk: Desk, *, on: bool) -> Outcome:
    """What is shown, and what would be if the site kept nothing back."""
    whole = next((item.why for item in found.withheld if item.what == "answer"), "")
    why = "hook-off" if not on else "silent-site" if found.silent else whole
    would = found._replace(shown=replace(found.shown, silent_reason=None)) if whole else found
    cards = tuple((card.source.topic.code, card.indicator) for card in cards_of(would, desk.kit))
    rules: tuple[KeptBack, ...] = tuple(
        ("finding", item.what, item.indicator, item.why) for item in found.withheld if item.what != "answer"
    )
    if not (why and cards):
        return Outcome(found.shown, cards, "", rules)
    shown = would.shown
    findings: tuple[Finding, ...] = (*shown.red_flags, *shown.contributors, *shown.safety, *shown.proposals)
    return Outcome(
        replace(found.assessment, silent_reason="mode-silent"),
        (),
        "",
        (
            *(("card", topic, indicator, why) for topic, indicator in cards),
            *(("finding", item.id, item.indicator, why) for item in findings),
            *rules,
        ),
    )


def _moments(encounters: Iterable[Dated], days: Sequence[date], setup: Setup) -> Iterator[Moment]:
    if setup.mode != "each-encounter":
        yield from (Moment(day, day < setup.day) for day in days)
        return
    versions: dict[str, list[tuple[date, bytes]]] = {}
    for encounter in encounters:
        about, start = _about(encounter.content), start_of(encounter)
        if start is None or start > setup.day or (setup.since and start < setup.since):
            continue
        if about.status.strip().lower() not in NOT_HELD:
            content = (
                encounter.before if encounter.changed and encounter.changed > start else encounter.content
            )
            name = about.id or encounter.content.decode(errors="replace")
            versions.setdefault(name, []).append((start, content))
    for start, content in sorted(max(known) for known in versions.values()):
        yield Moment(start, start < setup.day, _about(content).id or "unnamed", content)


def _about(encounter: bytes) -> _Encounter:
    try:
        return _encounter.decode(encounter)
    except DATA_ERRORS:
        return _Encounter()


def _prefetch(
    record: Mapping[bytes, Sequence[Dated]],
    medications: Sequence[bytes],
    moment: Moment,
    setup: Setup,
    *,
    alive: bool,
) -> dict[str, Raw]:
    """The record as it stood on the day, under the keys of the services. A type that the export lacks has no key."""
    found: dict[str, Raw] = {}
    held_kinds = {KINDS[type_] for type_ in setup.types if type_ in KINDS}
    for key, kind in KEYS.items():
        if (kind or b"O") in held_kinds:
            known = _known(record.get(kind, ()), moment)
            found[key] = bundle([*known, *medications] if kind == b"R" else known)
    if patient := _known(record.get(b"T", ()), moment):
        if alive and moment.exactly:
            patient = [_alive(content) for content in patient]
        found["patient"] = Raw(patient[0]) if len(patient) == 1 else bundle(patient)
    held = [moment.encounter_content] if moment.encounter else list(_under_way(record.get(b"E", ()), moment))
    if held:
        found["encounter"] = Raw(held[0]) if len(held) == 1 else bundle(held)
    return found


def _known(resources: Iterable[Dated], moment: Moment) -> list[bytes]:
    states = (resource.on(moment.day, exactly=moment.exactly) for resource in resources)
    return [content for content in states if content is not None]


def _under_way(encounters: Iterable[Dated], moment: Moment) -> Iterator[bytes]:
    """The encounters of which a chart that is opened on this day may be a part."""
    for content in _known(encounters, moment):
        if _about(content).status.strip().lower() in UNDER_WAY:
            yield content


def _alive(patient: bytes) -> bytes:
    """Somebody who has an encounter later has not died yet, whatever an undated flag says today."""
    if b'"deceasedBoolean"' not in patient:
        return patient
    try:
        resource = json.loads(patient)
    except DATA_ERRORS:
        return patient
    return json.dumps({name: value for name, value in resource.items() if name != "deceasedBoolean"}).encode()
