"""Small counts are withheld, so that a report may leave the hospital.

A count of patients from 1 to just below the smallest one allowed is withheld. So is what would give it away: the
smallest other count of a group that adds up to a published total, and a count of the second rule set that differs
from the first one's by less than that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from cds_hooks.replay.tally import CHANGE, Cell, Counts

TOGETHER: Mapping[str, int] = {
    "highest": 0,
    "silent": 0,
    "stratum": 0,
    "card": 1,
    "month": 1,
    "ranked": 1,
    "gap": 1,
}
"""Table -> how many of its columns name a group whose cells add up to something that is published too."""


def withheld(counts: Counts, patients: int, smallest: int) -> set[Cell]:
    """The cells that may not be published."""
    hidden = {cell for cell, (number, _) in counts.items() if 0 < number < smallest}
    hidden |= set(_differences(counts, smallest))
    groups = _groups(counts)
    for _ in range(len(groups) + 1):
        more = {cell for group in groups for cell in _complement(group, counts, hidden)}
        more |= _linked(counts, hidden, patients, smallest) | _kept_back(counts, hidden)
        if more <= hidden:
            break
        hidden |= more
    return hidden


def _differences(counts: Counts, smallest: int) -> Iterator[Cell]:
    others = {cell for cell in counts if cell[0] == "1"} | {("1", *c[1:]) for c in counts if c[0] == "0"}
    if not any(cell[0] in ("1", CHANGE) for cell in counts):
        return
    for cell in others:
        difference = abs(counts.get(cell, (0, 0))[0] - counts.get(("0", *cell[1:]), (0, 0))[0])
        if 0 < difference < smallest:
            yield cell


def _groups(counts: Counts) -> list[list[Cell]]:
    groups: defaultdict[Cell, list[Cell]] = defaultdict(list)
    for cell in counts:
        if cell[1] in TOGETHER:
            groups[cell[: 2 + TOGETHER[cell[1]]]].append(cell)
        if cell[1:] == ("withCards",):
            groups[cell[0], "silent"].append(cell)
    return list(groups.values())


def _complement(group: list[Cell], counts: Counts, hidden: set[Cell]) -> list[Cell]:
    """One hidden cell alone could be had by subtraction."""
    if len([cell for cell in group if cell in hidden]) != 1:
        return []
    others = [cell for cell in group if cell not in hidden and counts[cell][0]]
    return [min(others, key=lambda cell: (counts[cell][0], cell))] if others else []


def _linked(counts: Counts, hidden: set[Cell], patients: int, smallest: int) -> set[Cell]:
    """`withCards` and `none` are all patients; a topic is what its cards are, a contributor what its tiers are."""
    found: set[Cell] = set()
    for rules in ("0", "1"):
        cards, none = (rules, "withCards"), (rules, "highest", "none")
        without = patients - counts.get(cards, (0, 0))[0]
        if none in hidden or cards in hidden or 0 < without < smallest:
            found |= {cell for cell in (cards, none) if cell in counts}
    for cell in hidden:
        if cell[1] == "contributor":
            found |= {c for c in counts if c[0] == cell[0] and c[1] == "ranked" and c[2] == cell[2]}
        if cell[1] == "topic":
            found |= {c for c in counts if c[0] == cell[0] and c[1] == "card" and c[2] == cell[2]}
    return found


KEPT_BACK_AS: Mapping[str, tuple[str, int]] = {
    "withCards": ("keptBackFrom", 0),
    "card": ("keptBackCard", 2),
    "contributor": ("keptBackFinding", 1),
    "redFlag": ("keptBackFinding", 1),
    "safety": ("keptBackFinding", 1),
}
"""Table of what is shown -> that of the same kept back, and how many columns name the same thing."""


def _kept_back(counts: Counts, hidden: set[Cell]) -> set[Cell]:
    """What one side keeps back of what the other one shows, less what it still shows; and those from whom it is kept."""
    found: set[Cell] = set()
    for cell in hidden:
        table, columns = KEPT_BACK_AS.get(cell[1], ("", 0))
        if table:
            found |= {c for c in counts if c[1] == table and c[2 : 2 + columns] == cell[2 : 2 + columns]}
        if cell[1:] == ("keptBackFrom",):
            found.add((cell[0], "silent", "mode-silent"))
        if cell[1:] == ("silent", "mode-silent"):
            found.add((cell[0], "keptBackFrom"))
    return found & counts.keys()
