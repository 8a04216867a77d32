"""Whether this machine's clock agrees with those of the servers it works with."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from cds_hooks.addresses import parse
from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, failed, ok, warning
from cds_hooks.doctor.visits import Visit
from cds_hooks.trust.clients import SKEW_SECONDS

NOTICED_SECONDS = 5
"""A `Date` header tells whole seconds, and an answer may be under way for a while."""


async def clock_check(case: Case) -> list[Finding]:
    """The `Date` header of every key and FHIR server, held against this machine's clock."""
    settings = case.settings
    asked = [(c.jku, settings.trust.allow_private_addresses) for c in settings.trust.clients if c.jku]
    asked += [
        (f"{server}/metadata", settings.fhir.allow_private_addresses) for server in settings.fhir.servers
    ]
    ahead: dict[str, float] = {}
    for url, private in asked:
        visit = await case.visits.get(url, private=private)
        if isinstance(visit, Visit) and (seconds := _ahead(visit)) is not None:
            ahead[parse(url).host] = seconds
    if not ahead:
        return [
            warning(
                "not checked: no key or FHIR server has told its time",
                "See that this machine's clock is kept by NTP (`timedatectl` shows it).",
            )
        ]
    return [_judged(host, seconds) for host, seconds in ahead.items()]


def _ahead(visit: Visit) -> float | None:
    """How many seconds this machine's clock is ahead of the server's; None if it did not say."""
    try:
        told = parsedate_to_datetime(visit.date).timestamp() + 0.5  # it was cut to a whole second
    except (ValueError, OverflowError):
        return None
    return visit.at - told


def _judged(host: str, seconds: float) -> Finding:
    off = abs(seconds)
    if off <= NOTICED_SECONDS:
        return ok(f"this machine's clock and that of {host} agree within {NOTICED_SECONDS} seconds")
    direction = "ahead of" if seconds > 0 else "behind"
    found = f"this machine's clock is {off:.0f} seconds {direction} that of {host}"
    fix = "Have the clock of this machine, or theirs, kept by NTP (`timedatectl` shows it)."
    if off > SKEW_SECONDS:
        return failed(f"{found}: tokens are refused as expired or not yet valid", fix)
    return warning(f"{found}; up to {SKEW_SECONDS} are tolerated", fix)
