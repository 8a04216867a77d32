"""One patient of the export, asked as the live service is asked: the same call, the same reader, the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from msgspec import Raw
from msgspec.structs import replace

from cds_hooks.calls import Considered, cards_of, consider_request
from cds_hooks.desk import Desk
from cds_hooks.envelope import Member
from cds_hooks.errors import Refused
from cds_hooks.replay.dated import Dated, start_of
from cds_hooks.replay.record import Moment, Record, Setup, about_encounter
from cds_hooks.replay.sent import answered_with, sent_to
from cds_hooks.replay.sides import Side, asked, made
from cds_hooks.request import HookContext, HookRequest
from cds_hooks.site_rules import Finding
from mappings.assessment import Assessment
from mappings.from_fhir.meaning import recognise_orders

ASSUMED: Final = Raw(
    b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Condition","clinicalStatus":'
    b'{"coding":[{"code":"active"}]},"code":{"text":"Fasciculation"}}}]}'
)
"""What is being recorded if every patient presented with twitching."""
NOT_HELD: Final = frozenset({"cancelled", "entered-in-error", "planned"})


KeptBack = tuple[Literal["card", "finding"], str, str, str]
"""A card by its topic or a finding by its id, its indicator, and why the site does not let it through."""


class Outcome(NamedTuple):
    """What the service would have answered. `failed` names an error that it would have answered with."""

    assessment: Assessment | None
    cards: tuple[tuple[str, str], ...] = ()
    """Topic and indicator of each card."""
    failed: str = ""
    kept_back: tuple[KeptBack, ...] = ()


Silent = dict[tuple[Side, Moment], Outcome]
"""What is answered at a moment about a patient whose record `says_nothing`: the same about all of them."""


def replay_patient(
    patient: str, record: Record, days: Sequence[date], setup: Setup, silent: Silent
) -> Iterator[tuple[Moment, tuple[Outcome, ...]]]:
    """Each moment with one outcome per rule set. `days` are the days to look at, unless each encounter is one.

    `silent` is filled and used again for other patients of this set-up.
    """
    for moment in _moments(record.history(b"E"), days, setup):
        drafts = {"conditions": ASSUMED} if setup.gate == "assume-twitching" else {}
        request = HookRequest("", "replay", HookContext(patient, "", moment.encounter), {}, drafts=drafts)
        yield moment, tuple(_answer(request, record, moment, side, setup, silent) for side in setup.sides)


def _answer(
    request: HookRequest, record: Record, moment: Moment, side: Side, setup: Setup, silent: Silent
) -> Outcome:
    """What the live service of this side answers.

    Unless twitching is documented it reads no results, medicines or orders, so the record is sent without them first; and
    where that leaves nothing to speak of, one patient is asked about for all.
    """
    says_nothing = record.says_nothing(side)
    if says_nothing and (side, moment) in silent:
        return silent[side, moment]
    apart = record.may_wait(side)
    found = _ask(request, record.prefetch(moment, apart), moment.day, side, setup)
    settled = found.assessment is not None and not found.assessment.gate.open
    if apart and not settled:
        return _ask(request, record.prefetch(moment), moment.day, side, setup)
    if says_nothing and settled:
        silent[side, moment] = found
    return found


def _ask(request: HookRequest, record: Mapping[str, Member], day: date, side: Side, setup: Setup) -> Outcome:
    """What the live service of this side answers to this call.

    Its order codes stay recognised: to change them is to forget all that was read. Whoever asks puts them back at the end.
    """
    desk, (service, on) = made(side).desk, asked(side, setup.mode, setup.gate)
    sent = sent_to(service, record)
    request = replace(request, hook=service.hook, prefetch=sent)
    recognise_orders(desk.order_codes)
    try:
        found = consider_request(
            service, request, desk.knowledge, day, answered_with(sent), desk.site, thorough=False
        )
        assert found is not None  # noqa: S101 - an export does not say what set a hook off
        return _outcome(found, desk, on=on)
    except Refused as refused:
        return Outcome(None, (), f"refused with {refused.status}")
    except Exception as error:  # noqa: BLE001 - one patient must not end the replay; counted and reported
        return Outcome(None, (), type(error).__name__)


def _outcome(found: Considered, desk: Desk, *, on: bool) -> Outcome:
    """What is shown, and what would be if the site kept nothing back."""
    if found.shown.silent_reason is not None and not found.withheld:
        return Outcome(found.shown)
    whole = next((item.why for item in found.withheld if item.what == "answer"), "")
    why = "hook-off" if not on else "silent-site" if found.silent else whole
    would = found._replace(shown=replace(found.shown, silent_reason=None)) if whole else found
    cards = tuple((card.source.topic.code, card.indicator) for card in cards_of(would, desk.kit))
    rules: tuple[KeptBack, ...] = tuple(
        ("finding", item.what, item.indicator, item.why) for item in found.withheld if item.what != "answer"
    )
    rules += tuple(_explanations(found, desk))
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


def _explanations(found: Considered, desk: Desk) -> Iterator[KeptBack]:
    """What is kept back with a finding that it explains: a medicine that acts through a result has no line of its own."""
    shown = {cause.id for cause in found.shown.contributors}
    kept_back = {item.what: item for item in found.withheld}
    for cause in found.assessment.contributors:
        if cause.id in shown or cause.id not in kept_back:
            continue
        for name in cause.explained_by:
            drug = f"drug:{name}"
            what = drug if drug in desk.knowledge.contributors else name
            if what not in shown:
                yield "finding", what, kept_back[cause.id].indicator, f"explains-{cause.id}"


def _moments(encounters: Iterable[Dated], days: Sequence[date], setup: Setup) -> Iterator[Moment]:
    if setup.mode != "each-encounter":
        yield from (Moment(day, day < setup.day) for day in days)
        return
    versions: dict[str, list[tuple[date, bytes]]] = {}
    for encounter in encounters:
        about, start = about_encounter(encounter.content), start_of(encounter)
        if start is None or start > setup.day or (setup.since and start < setup.since):
            continue
        if about.status.strip().lower() not in NOT_HELD:
            content = (
                encounter.before if encounter.changed and encounter.changed > start else encounter.content
            )
            name = about.id or encounter.content.decode(errors="replace")
            versions.setdefault(name, []).append((start, content))
    for start, content in sorted(max(known) for known in versions.values()):
        yield Moment(start, start < setup.day, about_encounter(content).id or "unnamed", content)
