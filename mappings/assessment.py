"""The one answer every view is derived from: cards, explanation, playground, replay and terminal."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

from msgspec import Struct

from mappings.facts import DataGap

Tier = Literal["A", "B", "C1", "D1", "C2", "D2", "E", "F", "G", "H"]
Indicator = Literal["none", "info", "warning", "critical"]
SEVERITY: Final[dict[Indicator, int]] = {"none": 0, "info": 1, "warning": 2, "critical": 3}
Strength = Literal["established", "plausible", "weak"]
SilentReason = Literal[
    "twitching-not-documented", "deceased", "nothing-to-add", "mimic-only", "known-mnd", "mode-silent"
]


class Evidence(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One fact behind a statement: what, how much, when, against which limit and whose."""

    label: str
    text: str
    """The whole of it in one line a clinician can read."""
    resource: str = ""
    value: str = ""
    """As reported, with its comparator: `2.8`, `<0.01`."""
    unit: str = ""
    date: date | None = None
    limit: str = ""
    limit_source: Literal["", "lab", "guideline", "default", "site"] = ""


class Contributor(Struct, frozen=True, rename="camel"):
    """A likely contributor to the twitching, ranked by tier and never by a probability."""

    id: str
    title: str
    tier: Tier
    strength: Strength
    evidence: tuple[Evidence, ...]
    explained_by: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    says: str = ""
    """The rule's own sentence for this tier."""
    indicator: Indicator = "info"


class RedFlag(Struct, frozen=True, rename="camel"):
    """A finding that changes the pathway, whatever the laboratory says."""

    id: str
    title: str
    urgency: Literal["immediate", "urgent", "soon", "routine"]
    evidence: tuple[Evidence, ...]
    says: str = ""
    references: tuple[str, ...] = ()
    indicator: Indicator = "warning"
    also: str = ""


class Considered(Struct, frozen=True, rename="camel"):
    """Looked at and not ranked, with the reason."""

    id: str
    why: str


class SafetyItem(Struct, frozen=True, rename="camel"):
    """A result that matters for safety and is not worded as a cause of twitching."""

    id: str
    title: str
    evidence: tuple[Evidence, ...]
    says: str = ""
    tier: Tier = "A"
    indicator: Indicator = "warning"
    references: tuple[str, ...] = ()


class Effect(Struct, frozen=True, rename="camel"):
    """What a medicine does to one result, and how that result stands now."""

    lab: str
    goes: Literal["low", "high"]
    label: str
    """`may lower potassium`"""
    text: str
    """With the result as it stands now."""
    worsens: bool = False
    """The result is abnormal in this direction already."""
    known: bool = True
    evidence: tuple[Evidence, ...] = ()


class Proposal(Struct, frozen=True, rename="camel"):
    """A medicine that is being ordered now, and what it would do; `drug` names the order."""

    id: str
    title: str
    drug: str
    resource: str
    effects: tuple[Effect, ...] = ()
    says: str = ""
    indicator: Indicator = "info"
    references: tuple[str, ...] = ()


class TestAdvice(Struct, frozen=True, rename="camel"):
    """A test, whether to order it now, and why."""

    id: str
    title: str
    status: Literal["suggested", "already-ordered", "up-to-date"]
    reason: str
    urgency: Literal["routine", "urgent", "immediate"] = "routine"
    evidence: tuple[Evidence, ...] = ()
    parts: tuple[str, ...] = ()
    """The parts still to request (`albumin` of `calcium_albumin`), for tests that have parts."""


class Gate(Struct, frozen=True, rename="camel"):
    """Whether twitching is documented as active, and by what."""

    open: bool
    because: tuple[Evidence, ...] = ()


class Assessment(Struct, frozen=True, rename="camel"):
    """The answer of `assess`. `silent_reason` is empty exactly when there is something to show."""

    assessed_at: date
    knowledge_version: str
    gate: Gate
    silent_reason: SilentReason | None = None
    indicator: Indicator = "none"
    red_flags: tuple[RedFlag, ...] = ()
    contributors: tuple[Contributor, ...] = ()
    considered: tuple[Considered, ...] = ()
    safety: tuple[SafetyItem, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    tests: tuple[TestAdvice, ...] = ()
    gaps: tuple[DataGap, ...] = ()
    notes: tuple[str, ...] = ()
    out_of_scope: str = ""
    """Set when the rules do not apply (under 18): the sentence that says so."""
    unanswered: tuple[str, ...] = ()
    """Titles of the history questions nobody answered."""
