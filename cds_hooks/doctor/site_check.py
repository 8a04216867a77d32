"""Whether the site profile can be used, and what of it wants a second look."""

from __future__ import annotations

import asyncio
from datetime import date

from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, counted, failed, ok, shown, warning
from cds_hooks.settings import Settings
from mappings.knowledge import load_knowledge

SEE = "`twitching-cds config check FILE` prints all that the profile changes; docs/site-profile.md lists every field."


async def site_check(case: Case) -> list[Finding]:
    """The file that `site` names."""
    return await asyncio.to_thread(_profile, case.settings, case.now.date())


def _profile(settings: Settings, today: date) -> list[Finding]:
    if settings.site is None:
        return [ok("there is no site profile, so nothing differs from the defaults")]
    from cds_hooks.site_profile.differences import overdue  # noqa: PLC0415 - only sites with a profile need it
    from cds_hooks.site_profile.load import ProfileError, read_profile  # noqa: PLC0415
    from cds_hooks.site_profile.tailor import tailor  # noqa: PLC0415

    try:
        read = read_profile(settings.site)
        _, laid = tailor(read, load_knowledge(), settings.base_url or "", settings.site_secret)
    except ProfileError as error:
        return [failed(shown(problem), SEE) for problem in error.problems]
    found = [
        ok(f"the profile `{shown(read.profile.name)}` can be used ({counted(len(laid.limits), 'limit')})")
    ]
    if read.profile.silent.everything:
        found.append(
            warning(
                "the whole site is silent: no card is shown, critical results included",
                "Take `silent.everything` out before anybody relies on the cards.",
            )
        )
    return found + [
        warning(shown(late), "Review the limit and set a new date.") for late in overdue(laid, today)
    ]
