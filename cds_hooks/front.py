"""Where calls find the desk of the moment, and how a changed site profile replaces it without a restart."""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from cds_hooks.desk import Desk, standard_desk
from cds_hooks.http import origin
from mappings.from_fhir.meaning import recognise_orders
from mappings.knowledge import Knowledge

if TYPE_CHECKING:
    from cds_hooks.settings import Settings
    from cds_hooks.site_profile.limits import Overlaid

logger = logging.getLogger("twitching_cds")
LOOK_SECONDS = 2.0
"""How often the file is looked at; a look is one system call."""


class Front:
    """The desk that answers, `now`. Raises ProfileError when the profile cannot be used at the start."""

    def __init__(self, settings: Settings, knowledge: Knowledge) -> None:
        self._settings = settings
        self._knowledge = knowledge
        self._laid: Overlaid | None = None
        self._seen = _stamp(settings.site)
        self.current = True
        """Whether the file, as it is now, is what answers."""
        self.now = self._made()
        recognise_orders(self.now.order_codes)

    @property
    def has_profile(self) -> bool:
        """Whether there is a site profile."""
        return self._settings.site is not None

    async def follow(self) -> None:
        """Replace the desk whenever the file has changed; never ends. A file that cannot be used changes nothing."""
        while self._settings.site:
            await asyncio.sleep(LOOK_SECONDS)
            if (stamp := _stamp(self._settings.site)) != self._seen:
                self._seen = stamp
                await asyncio.to_thread(self.reload)

    def reload(self) -> None:
        """Read the profile anew and answer by it from the next call on; a mistake in it is logged."""
        from cds_hooks.site_profile.load import ProfileError  # noqa: PLC0415 - only sites with a profile need it

        try:
            desk = self._made()
        except ProfileError as error:
            self.current = False
            logger.error(  # noqa: TRY400 - the lines say it all
                "the site profile has changed and cannot be used; the one before stays in force: %s",
                "; ".join(error.problems),
            )
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, calls are answered and the next change is looked at
            self.current = False
            kind, where = type(error).__name__, origin(error)
            logger.error("the site profile has changed and failed: %s at %s", kind, where)  # noqa: TRY400 - the text may hold anything
            return
        recognise_orders(desk.order_codes)
        self.now, self.current = desk, True
        logger.warning("the site profile has changed and is in force")

    def _made(self) -> Desk:
        path, base_url = self._settings.site, self._settings.base_url or ""
        form = self._settings.history_form_url or ""
        if path is None:
            return standard_desk(self._knowledge, base_url, form)
        from cds_hooks.site_profile.differences import overdue  # noqa: PLC0415 - only sites with a profile need it
        from cds_hooks.site_profile.load import read_profile  # noqa: PLC0415
        from cds_hooks.site_profile.tailor import tailor  # noqa: PLC0415

        desk, self._laid = tailor(
            read_profile(path),
            self._knowledge,
            base_url,
            self._settings.site_secret,
            before=self._laid,
            history_form_url=form,
        )
        for late in overdue(self._laid, date.today()):  # noqa: DTZ011 - the local date is meant
            logger.warning("the site profile: %s", late)
        return desk


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    """What tells one version of a file from another; None when there is no file."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None
