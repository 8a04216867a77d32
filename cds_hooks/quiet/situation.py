"""How grave a patient's situation is, in 28 bits: enough to see later that it has become worse."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple, Self, get_args

from cds_hooks.card_wording import CardKind
from mappings.assessment import Assessment, Contributor, Indicator, SafetyItem, Tier

INDICATORS: Final = get_args(Indicator)
TIERS: Final = get_args(Tier)
NO_TIER: Final = 15
UNUSED_GAPS: Final = frozenset({"not-provided", "stale", "medication-not-recognised"})
"""What is missing at every call, and so nothing new."""


class Situation(NamedTuple):
    """Worse is a higher `indicator`, a lower `tier`, or other `notable` things than before."""

    indicator: int
    tier: int
    notable: int
    """22 bits of a digest of what is abnormal, of red flags, of what is being ordered and of what could not be read;
    0 when there is nothing of the kind."""

    @property
    def number(self) -> int:
        """The 28 bits."""
        return self.indicator << 26 | self.tier << 22 | self.notable

    @classmethod
    def of_number(cls, number: int) -> Self:
        """The situation behind the 28 bits."""
        return cls(number >> 26 & 3, number >> 22 & 15, number & (1 << 22) - 1)

    def is_worse_than(self, before: Situation) -> bool:
        """Whether advice that was overridden then must be shown now."""
        return (
            self.indicator > before.indicator
            or self.tier < before.tier
            or self.notable not in (before.notable, 0)
        )


def situation_of(assessment: Assessment, kind: CardKind) -> Situation:
    """The situation as far as this kind of card speaks of it. Nothing in it says when or how much."""
    ranked: list[Contributor | SafetyItem] = [*assessment.contributors, *assessment.safety]
    notable = {item.id for item in ranked if item.indicator in ("warning", "critical")}
    notable |= {f"red flag {flag.id}" for flag in assessment.red_flags}
    notable |= {f"order {item.id} {item.drug}" for item in assessment.proposals}
    notable |= {f"gap {gap.what}" for gap in assessment.gaps if gap.reason not in UNUSED_GAPS}
    if kind == "tests":
        notable |= {
            f"test {test.id} {test.urgency}"
            for test in assessment.tests
            if test.status == "suggested" and test.urgency != "routine"
        }
    return Situation(
        INDICATORS.index(assessment.indicator),
        min((TIERS.index(item.tier) for item in ranked), default=NO_TIER),
        _digest(notable),
    )


def _digest(names: set[str]) -> int:
    if not names:
        return 0
    found = hashlib.blake2b("\x1f".join(sorted(names)).encode(), digest_size=4).digest()
    return int.from_bytes(found) >> 10 or 1
