"""From a profile to the desk that answers calls as this site wants them answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

from pydantic import SecretStr

from cds_hooks.card_kit import CardKit, card_kit
from cds_hooks.card_shape import CardShape
from cds_hooks.card_wording import CardKind, card_wording, languages, override_reasons
from cds_hooks.desk import Desk
from cds_hooks.discovery import discovery
from cds_hooks.quiet.keys import Keys
from cds_hooks.quiet.rules import QuietRules
from cds_hooks.response import Coding, Source
from cds_hooks.services import SERVICES
from cds_hooks.site_profile.limits import Marks, Overlaid, overlay
from cds_hooks.site_profile.load import ProfileError, ReadProfile
from cds_hooks.site_profile.model import CardDialect, SiteProfile
from cds_hooks.site_profile.orders import problems_of_orders, tests_by_code, with_site_codes
from cds_hooks.site_profile.services import problems_of_services, tailor_services
from cds_hooks.site_rules import SiteRules
from cds_hooks.wrong_value import meant
from mappings.knowledge import Knowledge

SECRET = "TWITCHING_CDS_SITE_SECRET"  # noqa: S105 - its name


ALWAYS_OPENS = ("fasciculation", "fasciculation_tongue")
"""Documentation that no site may set aside: nothing measured would then look like nothing wrong."""


def tailor(
    read: ReadProfile,
    knowledge: Knowledge,
    base_url: str = "",
    secret: SecretStr | None = None,
    *,
    before: Overlaid | None = None,
    history_form_url: str = "",
) -> tuple[Desk, Overlaid]:
    """The desk of a site, and the rules with its limits. Raises ProfileError with every problem.

    `before` is what an earlier profile made of the same rules: unchanged limits need no compiling again.
    """
    profile = read.profile
    laid = overlay(knowledge, profile.limits, _wording(profile))
    same = before and tuple(item.limit for item in before.limits) == profile.limits
    if before and same and before.wording == laid.wording and not laid.problems:
        laid = before
    problems = [*laid.problems, *problems_of(profile, knowledge), *_secret_missing(profile, secret)]
    if problems:
        raise ProfileError(problems)
    services = tailor_services(SERVICES, profile)
    desk = Desk(
        services={service.id: service for service in services},
        discovery=discovery(services),
        knowledge=laid.knowledge,
        kit=_kit(laid.knowledge, base_url, history_form_url, profile),
        site=_rules(profile, laid),
        quiet=_quiet(profile, secret),
        reasons=dict(_our_reasons(profile)),
        order_codes=tests_by_code(profile.orders),
    )
    return desk, laid


def problems_of(profile: SiteProfile, knowledge: Knowledge) -> Iterator[str]:
    """What is wrong with a well-formed profile, its limits aside."""
    if profile.language not in languages():
        yield f"language: there are no sentences in `{profile.language}`; there are: {', '.join(languages())}"
        return
    yield from problems_of_services(SERVICES, profile)
    yield from problems_of_orders(knowledge.orders, profile.orders)
    codes = {reason.code for reasons in override_reasons(profile.language).values() for reason in reasons}
    yield from _unknown("cards.override_codes", profile.cards.override_codes, codes)
    taken: dict[tuple[str, str], str] = {}
    for ours, site in profile.cards.override_codes.items():
        if (first := taken.setdefault((site.system, site.code), ours)) != ours:
            yield f"cards.override_codes.{ours}: `{site.code}` stands for `{first}` already; feedback could not tell them"
    yield from _unknown("silent.contributors", profile.silent.contributors, knowledge.contributors)
    yield from _unknown("silent.red_flags", profile.silent.red_flags, knowledge.red_flags)
    kinds = [kind for kind in knowledge.gate.opens if kind not in ALWAYS_OPENS]
    yield from _unknown("gate.only_if_abnormal", profile.gate.only_if_abnormal, kinds)
    if profile.quiet:
        yield from _unknown("quiet.reasons", profile.quiet.reasons, codes)
        if not profile.cards.override_reasons:
            yield "quiet: needs `cards.override_reasons`; without reasons nobody can say that advice does not apply"


def _wording(profile: SiteProfile) -> dict[str, str]:
    """A search that leaves older results out cannot tell that there are none."""
    days = profile.fhir.look_back_days
    if days is None or profile.language not in languages():
        return {}
    return {"test_missing": card_wording(profile.language).say["test_missing_since"].format(days=days)}


def _unknown(field: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    there = [*known]
    for name in names:
        if name not in there:
            yield f"{field}: no `{name}`; {meant(name, there)}"


def _secret_missing(profile: SiteProfile, secret: SecretStr | None) -> Iterator[str]:
    if profile.quiet and secret is None:
        yield f"quiet: needs the environment variable {SECRET}, 32 characters or more, the same for all workers"


def _kit(knowledge: Knowledge, base_url: str, history_form_url: str, profile: SiteProfile) -> CardKit:
    cards = profile.cards
    form = history_form_url if _may_link(history_form_url, cards) else ""
    kit = card_kit(knowledge, base_url, form, profile.language)
    read_in_full = cards.detail == "markdown" and cards.max_detail is None
    titles = knowledge.contributors | knowledge.red_flags  # type: ignore[operator]  # both are dicts
    return dataclasses.replace(
        kit,
        sources={kind: _source(source, cards) for kind, source in kit.sources.items()},
        override_reasons={kind: _reasons(found, cards) for kind, found in kit.override_reasons.items()},
        pages={name: page for name, page in kit.pages.items() if read_in_full and _may_link(page, cards)},
        orders=with_site_codes(kit.orders, knowledge.orders, profile.orders),
        shape=CardShape(
            selection_behavior=cards.selection_behavior,
            one_action=cards.actions == "one",
            detail=cards.detail,
            content_type=cards.content_type_extension,
            plain_topics=cards.plain_topic_codes,
            max_detail=cards.max_detail,
        ),
        silent_rules=()
        if profile.silent.everything
        else tuple(
            titles[name].title
            for name in dict.fromkeys((*profile.silent.red_flags, *profile.silent.contributors))
        ),
    )


def _may_link(url: str, cards: CardDialect) -> bool:
    return cards.links is None or any(f"{url}/".startswith(f"{link}/") for link in cards.links)


def _source(source: Source, cards: CardDialect) -> Source:
    return Source(
        cards.source_label or source.label,
        source.topic,
        source.url if _may_link(source.url, cards) else "",
        cards.source_icon or "",
    )


def _reasons(ours: tuple[Coding, ...], cards: CardDialect) -> tuple[Coding, ...]:
    if not cards.override_reasons:
        return ()
    site = cards.override_codes
    return tuple(
        Coding(site[reason.code].code, site[reason.code].system, site[reason.code].display)
        if reason.code in site
        else reason
        for reason in ours
    )


def _our_reasons(profile: SiteProfile) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    ours: Mapping[CardKind, tuple[Coding, ...]] = override_reasons(profile.language)
    by_code = {reason.code: reason for reasons in ours.values() for reason in reasons}
    for code, site in profile.cards.override_codes.items():
        for system in (site.system, ""):
            yield (system, site.code), (by_code[code].system, code)


def _rules(profile: SiteProfile, laid: Overlaid) -> SiteRules | None:
    silent = frozenset((*profile.silent.contributors, *profile.silent.red_flags))
    wording = card_wording(profile.language).say["whose_site"]
    rules = SiteRules(
        mark=Marks(laid.knowledge, laid.limits, wording).say if laid.limits else None,
        everything_silent=profile.silent.everything,
        silent=silent,
        triggers_off=frozenset(number for number, on in profile.triggers.items() if not on),
        only_if_abnormal=frozenset(profile.gate.only_if_abnormal),
    )
    return None if rules == SiteRules() else rules


def _quiet(profile: SiteProfile, secret: SecretStr | None) -> QuietRules | None:
    if profile.quiet is None or secret is None:
        return None
    quiet = profile.quiet
    return QuietRules(Keys(secret.get_secret_value()), quiet.days, quiet.scope, frozenset(quiet.reasons))
