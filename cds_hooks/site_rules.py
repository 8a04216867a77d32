"""What a site wants of an assessment: its limits named as its own, and what it keeps back, counted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from mappings.assessment import (
    Assessment,
    Considered,
    Contributor,
    Evidence,
    Indicator,
    Proposal,
    RedFlag,
    SafetyItem,
)

Why = Literal["silent-site", "silent-rule", "trigger-off", "only-if-abnormal", "overridden"]
Finding = Contributor | RedFlag | SafetyItem | Proposal
F = TypeVar("F", Contributor, RedFlag, SafetyItem, Proposal, Considered)


class Withheld(Struct, frozen=True):
    """A card (by its topic), a finding (by its id) or a whole answer that was not shown, and why."""

    what: str
    indicator: Indicator
    why: Why


@dataclass(frozen=True, slots=True)
class SiteRules:
    """The part of a site profile that every call is held against."""

    mark: Callable[[str], str] | None = None
    """Says in a text that a limit is the site's; None when the site has none."""
    everything_silent: bool = False
    silent: frozenset[str] = frozenset()
    """Ids of contributors and red flags that are not shown unless critical."""
    triggers_off: frozenset[str] = frozenset()
    only_if_abnormal: frozenset[str] = frozenset()
    """Concepts that alone bring no card unless something is abnormal."""


def marked(assessment: Assessment, mark: Callable[[str], str]) -> Assessment:
    """The assessment with the site's limits named as its own."""
    found: Assessment = _marked(assessment, mark)
    return found


def _marked(value: Any, mark: Callable[[str], str]) -> Any:
    """The value itself where nothing changes."""
    if isinstance(value, str):
        return mark(value)
    if isinstance(value, tuple):
        parts = tuple(_marked(part, mark) for part in value)
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
    if isinstance(value, Struct):
        changed = {
            name: new
            for name in value.__struct_fields__
            if (new := _marked(old := getattr(value, name), mark)) is not old and new != old
        }
        if isinstance(value, Evidence) and "text" in changed:
            changed["limit_source"] = "site"
        return replace(value, **changed) if changed else value
    return value


def without_silent(assessment: Assessment, silent: Collection[str]) -> tuple[Assessment, list[Withheld]]:
    """The assessment without the findings of silent rules. What is critical is never kept back by a rule's silence."""
    kept_back: list[Withheld] = []

    def shown(findings: Sequence[F]) -> tuple[F, ...]:
        kept = []
        for finding in findings:
            if finding.id not in silent or getattr(finding, "indicator", "") == "critical":
                kept.append(finding)
            elif not isinstance(finding, Considered):
                kept_back.append(Withheld(finding.id, finding.indicator, "silent-rule"))
        return tuple(kept)

    changed = replace(
        assessment,
        contributors=shown(assessment.contributors),
        red_flags=shown(assessment.red_flags),
        safety=shown(assessment.safety),
        proposals=shown(assessment.proposals),
        considered=shown(assessment.considered),
    )
    return changed, kept_back


def nothing_abnormal(assessment: Assessment) -> bool:
    """Nothing above `info`, no red flag, and nothing that could not be read: keeping it back hides no danger."""
    return (
        assessment.indicator in ("none", "info")
        and not assessment.red_flags
        and not assessment.safety
        and not assessment.proposals
        and not any(gap.reason != "not-provided" or gap.what in ESSENTIAL for gap in assessment.gaps)
    )


ESSENTIAL = ("Condition", "Observation", "MedicationRequest")
