"""What must be in a record for a condition to be able to hold, so that the other rules need not be asked.

A trigger is a fact kind and a name, such as `("exposure", "thiazide")`. A condition with triggers can hold
only when one of them is present. Those that can hold on an empty record (unknown results, age, `none`) have the
one that is always present.
"""

from __future__ import annotations

from collections.abc import Iterator

from mappings.assess.case import Case
from mappings.rule_language import When

Trigger = tuple[str, str]
Triggers = frozenset[Trigger]
ALWAYS: Triggers = frozenset({("", "")})
"""Of a condition that must always be asked: every record holds it."""

NAMED = {"exposure": "exposure", "problem": "problem", "finding": "finding", "unread": "unread"}
SIDES = {
    "low": ("low",),
    "high": ("high",),
    "normal": ("normal",),
    "abnormal": ("low", "high"),
    "known": ("low", "normal", "high"),
}


def triggers_of(when: When) -> Triggers:
    """The triggers of a condition; of an `all`, those of its most telling part."""
    word = when.word()
    value = getattr(when, word)
    if word == "all":
        parts = [found for part in value if ALWAYS.isdisjoint(found := triggers_of(part))]
        return min(parts, key=len, default=ALWAYS)
    if word == "any":
        return union(triggers_of(part) for part in value)
    if word in NAMED:
        return frozenset((NAMED[word], name) for name in value)
    if word == "lab":
        return frozenset((side, value) for side in SIDES[str(when.is_)]) if when.is_ in SIDES else ALWAYS
    if word == "measure":
        return frozenset({("measure", value)})
    if word == "answer":
        return frozenset({("answer", value)})
    return ALWAYS


def union(parts: Iterator[Triggers]) -> Triggers:
    """The triggers of several conditions of which one must hold."""
    return frozenset[Trigger]().union(*parts)


def present(case: Case) -> frozenset[Trigger]:
    """Every trigger this record holds."""
    return frozenset(
        [
            *ALWAYS,
            *(("exposure", name) for name in case.exposures),
            *(("problem", name) for name in (*case.problems, *case.suspected)),
            *(("finding", name) for name in case.findings),
            *(("measure", item) for item in case.measures),
            *(("answer", answer.question) for answer in case.facts.answers),
            *(("unread", gap.what) for gap in case.unread),
            *((reading.direction, name) for name, reading in case.readings.by_analyte.items()),
        ]
    )
