"""Which pages there are, and what they are made from. Imports nothing heavy: the application imports it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from cds_hooks.card_kit import CardKit
from cds_hooks.front import Front
from cds_hooks.monitoring.daily_counts import DailyCounts, Keeper
from cds_hooks.settings import Settings
from cds_hooks.storage.database import Database
from cds_hooks.trust.operators import Operators
from mappings.knowledge import Knowledge


class View(NamedTuple):
    """One address. `target` is `module:function`, imported when the address is first asked for.

    The function takes the Request and the Pages and gives a Response. One that is not async runs in a thread, so that
    the calls of clients do not wait for a page.
    """

    path: str
    target: str
    methods: tuple[str, ...] = ("GET",)


class Area(NamedTuple):
    """One entry of the navigation, and the addresses behind it. `name` is the setting that serves it or not.

    With `trust: required`, one that is not `public` is for operators who are signed in, and for clients with a token.
    """

    name: str
    title: str
    path: str
    views: tuple[View, ...]
    public: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """What pages are made from."""

    settings: Settings
    front: Front
    database: Database
    today: Callable[[], date]
    counts: DailyCounts
    keeper: Keeper
    operators: Operators
    areas: tuple[Area, ...] = ()
    """Those that are served, in the order of the navigation."""

    @property
    def knowledge(self) -> Knowledge:
        """The rules that answer now, with the limits of the site."""
        return self.front.now.knowledge

    @property
    def kit(self) -> CardKit:
        """What cards are built with now."""
        return self.front.now.kit


PLAYGROUND = "cds_hooks.pages.playground.views"
AREAS = (
    Area(
        "playground",
        "Playground",
        "/",
        (
            View("/", f"{PLAYGROUND}:index"),
            View("/playground/options", f"{PLAYGROUND}:offered"),
            View("/playground/patients/{situation}", f"{PLAYGROUND}:patient"),
            View("/playground/facts/{service}", f"{PLAYGROUND}:facts", ("POST",)),
        ),
    ),
    Area(
        "history_form",
        "History form",
        "/history-form",
        (View("/history-form", "cds_hooks.pages.history_form.views:index"),),
        public=True,
    ),
    Area(
        "dashboard",
        "Dashboard",
        "/dashboard",
        (
            View("/dashboard", "cds_hooks.pages.dashboard.views:dashboard"),
            View("/dashboard/counts.csv", "cds_hooks.pages.dashboard.views:counts_csv"),
        ),
    ),
    Area(
        "knowledge",
        "Knowledge",
        "/knowledge",
        (
            View("/knowledge", "cds_hooks.pages.knowledge.views:index"),
            View("/knowledge/changes", "cds_hooks.pages.knowledge.views:changes"),
            View("/knowledge/artifacts", "cds_hooks.pages.knowledge.views:artifact_list"),
            View("/knowledge/artifacts/all.zip", "cds_hooks.pages.knowledge.views:artifact_archive"),
            View("/knowledge/artifacts/{name}", "cds_hooks.pages.knowledge.views:artifact"),
            View("/knowledge/{id}", "cds_hooks.pages.knowledge.views:rule"),
        ),
        public=True,
    ),
)
SIGN_IN = (
    View("/sign-in", "cds_hooks.pages.sign_in:sign_in", ("GET", "POST")),
    View("/sign-out", "cds_hooks.pages.sign_in:sign_out", ("POST",)),
)


def served(settings: Settings) -> tuple[Area, ...]:
    """The areas that these settings serve."""
    wanted = settings.pages.filled(trusted=settings.trust.mode == "required")
    return tuple(area for area in AREAS if wanted.served(area.name))
