"""Everything that answering a call needs, made at once and replaced as a whole when a site changes its profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cds_hooks.card_kit import CardKit, card_kit
from cds_hooks.discovery import discovery
from cds_hooks.services import SERVICE_BY_ID, SERVICES, Service
from cds_hooks.site_rules import SiteRules
from mappings.knowledge import Knowledge

if TYPE_CHECKING:
    from cds_hooks.quiet.rules import QuietRules


@dataclass(frozen=True, slots=True)
class Desk:
    """What a call is answered with."""

    services: Mapping[str, Service]
    """Those that are on, by id."""
    discovery: bytes
    knowledge: Knowledge
    kit: CardKit
    site: SiteRules | None = None
    """None: the site keeps nothing back and has no limits of its own."""
    quiet: QuietRules | None = None
    reasons: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """The site's override reasons, `(system, code)`, -> ours."""
    order_codes: Mapping[tuple[str | None, str | None], tuple[str, ...]] = field(default_factory=dict)
    """The site's order codes, `(system, code)`, -> our tests."""


def standard_desk(knowledge: Knowledge, base_url: str = "", history_form_url: str = "") -> Desk:
    """The desk of a site that changes nothing. Raises OrderError."""
    return Desk(
        SERVICE_BY_ID, discovery(SERVICES), knowledge, card_kit(knowledge, base_url, history_form_url)
    )
