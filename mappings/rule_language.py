"""The words a condition (`when`) in a rule file may use.

They are data: what they mean is in `mappings.assess`. Unknown words are refused, so a typing error
cannot become a rule that never fires.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import fields

from mappings.assessment import Tier

Direction = Literal["low", "normal", "high", "unknown", "abnormal", "known"]
PerUnit = dict[str, Decimal]
"""A limit in each unit a laboratory may report it in, by UCUM code; the first is the canonical one."""


class Rule(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of all shapes here: unknown fields are errors."""


class Review(Rule, kw_only=True, frozen=True):
    """Who looked at a file last, and how far to trust it."""

    version: int
    date: dt.date
    status: str
    due: dt.date


class Limit(Rule, kw_only=True, frozen=True):
    """The bounds of a condition on a number; each bound is stated per unit."""

    below: PerUnit = {}
    at_most: PerUnit = {}
    above: PerUnit = {}
    at_least: PerUnit = {}


class When(Rule, kw_only=True, frozen=True, rename={"is_": "is"}):
    """A condition. Exactly one of the leading words, with the qualifiers that belong to it."""

    all: tuple[When, ...] | UnsetType = UNSET
    any: tuple[When, ...] | UnsetType = UNSET
    none: tuple[When, ...] | UnsetType = UNSET
    """True when no part is true. Evidence-free; never use it to read a missing result as normal."""

    lab: str | UnsetType = UNSET
    """An analyte id or a derived one (`calcium`); qualifiers `is`, `band`, `within_days`, `older_than_days`."""
    exposure: tuple[str, ...] | UnsetType = UNSET
    """Drug class ids; qualifiers `agents`, `routes`, `min_days`, `before_onset`, `dose_mg`."""
    problem: tuple[str, ...] | UnsetType = UNSET
    """Concept ids of active problems; qualifiers `within_days`, `past` (also inactive ones), `suspected` (only what is suspected)."""
    finding: tuple[str, ...] | UnsetType = UNSET
    """Concept ids of objective findings; qualifiers `within_days`, `since_onset` (not from before the twitching began)
    and `reported` (patient-reported ones count too)."""
    measure: str | UnsetType = UNSET
    """A history item; qualifiers `limit` or `text`."""
    answer: str | UnsetType = UNSET
    """A history question id; qualifier `values`."""
    site: tuple[str, ...] | UnsetType = UNSET
    """Words of the place of the twitching (or of the findings, with `of_findings`)."""
    onset_days: Limit | UnsetType = UNSET
    """Days since the twitching was first noticed, unit `d`. Unknown onset is never true."""
    age: Limit | UnsetType = UNSET
    """Age in years, unit `a`. Unknown age is never true."""
    pregnant: bool | UnsetType = UNSET
    ranked: tuple[str, ...] | UnsetType = UNSET
    """Contributor ids that are ranked; qualifier `tiers`."""
    ranked_in: tuple[Tier, ...] | UnsetType = UNSET
    """Any contributor ranked in one of these tiers."""
    red_flag: tuple[str, ...] | UnsetType = UNSET
    """Red-flag ids, or `any`."""
    first_line: Literal["normal", "unknown"] | UnsetType = UNSET
    """`normal`: all first-line results are current and normal. `unknown`: at least one is not known."""
    unsupported: str | UnsetType = UNSET
    """An electrolyte-mediated contributor of which a mediator is not known (see `Through`)."""
    unread: tuple[str, ...] | UnsetType = UNSET
    """FHIR resource types and concept ids: one such resource, finding or answer is on record and could not be read."""

    is_: Direction | UnsetType = UNSET
    band: tuple[str, ...] = ()
    within_days: int | None = None
    older_than_days: int | None = None
    agents: int = 1
    routes: tuple[str, ...] = ()
    min_days: int = 0
    before_onset: bool = False
    dose_mg: Decimal | None = None
    past: bool = False
    suspected: bool = False
    reported: bool = False
    since_onset: bool = False
    of_findings: bool = False
    limit: Limit | None = None
    text: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()

    def word(self) -> str:
        """The leading word; ValueError when there is none or more than one."""
        present = [name for name in LEADING_WORDS if getattr(self, name) is not UNSET]
        if len(present) != 1:
            found = ", ".join(present) or "none of them"
            raise ValueError(f"a condition needs exactly one of {', '.join(LEADING_WORDS)}; found {found}")
        return present[0]

    def check(self) -> None:
        """ValueError for what means nothing: no single leading word, a qualifier of another word, a word without its own."""
        word = self.word()
        for name, belongs in QUALIFIERS.items():
            if word not in belongs and getattr(self, name) != DEFAULTS[name]:
                shown = name.rstrip("_")
                raise ValueError(f"`{shown}` does not go with `{word}`; it goes with {', '.join(belongs)}")
        if word == "lab" and self.is_ is UNSET:
            raise ValueError("`lab` needs `is`: low, normal, high, unknown, abnormal or known")
        if word == "measure" and self.limit is None and not self.text:
            raise ValueError("`measure` needs `limit` or `text`")


LEADING_WORDS = (
    "all",
    "any",
    "none",
    "lab",
    "exposure",
    "problem",
    "finding",
    "measure",
    "answer",
    "site",
    "onset_days",
    "age",
    "pregnant",
    "ranked",
    "ranked_in",
    "red_flag",
    "first_line",
    "unsupported",
    "unread",
)

QUALIFIERS: dict[str, tuple[str, ...]] = {
    "is_": ("lab",),
    "band": ("lab",),
    "within_days": ("lab", "problem", "finding"),
    "older_than_days": ("lab",),
    "agents": ("exposure",),
    "routes": ("exposure",),
    "min_days": ("exposure",),
    "before_onset": ("exposure",),
    "dose_mg": ("exposure",),
    "past": ("problem",),
    "suspected": ("problem",),
    "reported": ("finding",),
    "since_onset": ("finding",),
    "of_findings": ("site",),
    "limit": ("measure",),
    "text": ("measure",),
    "values": ("answer",),
    "tiers": ("ranked",),
}
"""The leading words each qualifier belongs to; with another it would be ignored in silence."""
DEFAULTS = {field.name: field.default for field in fields(When)}
