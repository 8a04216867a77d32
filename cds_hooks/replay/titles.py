"""What a reader calls what is counted."""

from __future__ import annotations

from cds_hooks.replay.sides import made
from cds_hooks.replay.summary import Summary


def title_of(summary: Summary, kind: str, name: str) -> str:
    """The title of what changed or is shown; of a test its own, of a tier the contributor's with the tier."""
    desk = made(summary.replayed.options.sides[0]).desk
    knowledge, kit = desk.knowledge, desk.kit
    if kind.startswith("suggested test") and name in knowledge.orders:
        return knowledge.orders[name].title
    identifier, _, tier = name.partition(" ")
    if kind.startswith("tier"):
        return f"{kit.title(identifier)}, {tier}"
    return kit.title(name) if kind.startswith(("contributor", "red flag")) else name.replace("_", " ")
