"""What a profile changes, in lines for whoever approves it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date

from cds_hooks.card_shape import AS_SPECIFIED, CardShape
from cds_hooks.card_wording import ENGLISH
from cds_hooks.desk import Desk
from cds_hooks.service_request import OrderTemplate
from cds_hooks.services import SERVICES
from cds_hooks.site_profile.limits import REFERENCE, Overlaid, SiteLimit
from cds_hooks.site_profile.model import SiteProfile
from cds_hooks.triggers import epic_triggers
from mappings.knowledge import Knowledge

Sections = Mapping[str, list[str]]


def differences(profile: SiteProfile, desk: Desk, laid: Overlaid, knowledge: Knowledge) -> Sections:
    """Heading -> lines, without those that have none."""
    found = {
        "Limits": [_limit(item) for item in laid.limits],
        "Not shown": list(_silent(profile, knowledge)),
        "Gate": [
            f"{name}: alone brings no card unless something is abnormal"
            for name in profile.gate.only_if_abnormal
        ],
        "Hooks": [f"{hook}: off" for hook, on in profile.hooks.items() if not on],
        "Triggers (Epic)": [
            f"{number} ({epic_triggers().get(number, 'not one we know')}): {'on' if on else 'off, no cards'}"
            for number, on in profile.triggers.items()
        ],
        "Quiet": list(_quiet(profile)),
        "Prefetch keys": [
            f"{key}: also as {', '.join(names)}" for key, names in profile.prefetch_keys.items()
        ],
        "Searches": list(_searches(desk)),
        "Order codes": list(_orders(profile, desk, knowledge)),
        "Cards": list(_cards(profile, desk.kit.shape)),
    }
    return {heading: lines for heading, lines in found.items() if lines}


def overdue(laid: Overlaid, today: date) -> Iterator[str]:
    """Limits that should have been reviewed, or were reviewed in the future."""
    for number, item in enumerate(laid.limits):
        limit = item.limit
        if limit.review_due < today:
            yield (
                f"limits.{number}.review_due: {limit.analyte} {limit.side} {limit.band} was due for review on"
                f" {limit.review_due}; review it and set a new date"
            )
        if limit.reviewed > today:
            yield f"limits.{number}.reviewed: {limit.reviewed} is in the future; correct the date"


def _limit(item: SiteLimit) -> str:
    limit = item.limit
    if item.ours is None:
        change = "the rules have none"
    elif item.ours == limit.value:
        change = "the same as in the rules"
    else:
        more = (limit.value > item.ours) == (limit.side == "low")
        whose = "abnormal where the laboratory states no limit" if limit.band == REFERENCE else limit.band
        change = (
            f"{item.ours.normalize():f} in the rules: {'more' if more else 'FEWER'} results count as {whose}"
        )
    return (
        f"{limit.analyte} {limit.side} {limit.band}: {limit.value} {item.unit} ({change}); {limit.source};"
        f" approved by {limit.approved_by}, reviewed {limit.reviewed}, due {limit.review_due}"
    )


def _silent(profile: SiteProfile, knowledge: Knowledge) -> Iterator[str]:
    if profile.silent.everything:
        yield "EVERYTHING, critical results and red flags included: nobody may rely on this service"
    for name in profile.silent.red_flags:
        critical = knowledge.red_flags[name].indicator == "critical"
        yield f"red flag {name}{': is always critical, so it is shown all the same' if critical else ''}"
    for name in profile.silent.contributors:
        yield f"contributor {name}, unless critical"


def _quiet(profile: SiteProfile) -> Iterator[str]:
    if quiet := profile.quiet:
        whom = "for the user who overrode it" if quiet.scope == "user" else "for everybody at the site"
        yield f"{quiet.days} days {whom}, after: {', '.join(quiet.reasons)}"


def _orders(profile: SiteProfile, desk: Desk, knowledge: Knowledge) -> Iterator[str]:
    orders = profile.orders
    for place, code in orders.codes.items():
        loinc = "LOINC beside it" if orders.keep_loinc else "no LOINC"
        yield f"{place}: {code.code} {code.display} ({code.system}), {loinc}"
    systems = {code.system for code in orders.codes.values()}
    without = [
        test
        for test, rule in knowledge.orders.items()
        if not rule.never_suggested and not _all_coded(desk.kit.orders.get(test, ()), systems)
    ]
    if without and (orders.codes or orders.unmapped == "name"):
        what = "named on the card only" if orders.unmapped == "name" else "suggested with our own code"
        yield f"no code of the site, {what}: {', '.join(without)}"


def _all_coded(templates: Iterable[OrderTemplate], systems: Container[str]) -> bool:
    found = [template.resource["code"].get("coding", ()) for template in templates]
    return bool(found) and all(any(coding["system"] in systems for coding in codings) for codings in found)


def _searches(desk: Desk) -> Iterator[str]:
    """The same for every service, as all of them read the same record."""
    ours, site = SERVICES[0].prefetch, next(iter(desk.services.values())).prefetch
    for key, wanted in ours.items():
        if key not in site:
            yield f"{key}: neither published nor read"
            continue
        if site[key].template != wanted.template:
            yield f"{key}: published as {site[key].template}"
        if site[key].query not in ("", site[key].template):
            yield f"{key}: read as {site[key].query}"


def _cards(profile: SiteProfile, shape: CardShape) -> Iterator[str]:
    cards = profile.cards
    links = f"links below {', '.join(cards.links)} only" if cards.links else "no links"
    changed = {
        f"language: {profile.language}": profile.language != ENGLISH,
        "no selectionBehavior: CDS Hooks 2.0 requires it with suggestions": not shape.selection_behavior,
        "all requests of a test in one suggestion": not shape.one_action,
        f"detail as {shape.detail}": shape.detail != AS_SPECIFIED.detail,
        "Epic's extension for the format of detail": bool(shape.extension),
        "topic codes in letters and digits only": shape.plain_topics,
        f"detail of at most {shape.max_detail} characters": shape.max_detail is not None,
        links: cards.links is not None,
        f"source: {cards.source_label}": cards.source_label is not None,
        f"icon: {cards.source_icon}": cards.source_icon is not None,
        "no override reasons": not cards.override_reasons,
    }
    yield from (line for line, is_so in changed.items() if is_so)
    for ours, code in cards.override_codes.items():
        yield f"override reason {ours}: {code.code} {code.display} ({code.system})"
