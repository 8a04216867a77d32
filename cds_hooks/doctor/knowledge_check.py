"""Whether the rules load, are in order, and were looked at in time."""

from __future__ import annotations

import asyncio
from datetime import date

from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, failed, ok, shown, warning
from mappings.knowledge import KnowledgeError, load_knowledge
from mappings.knowledge_check.check import check
from mappings.knowledge_check.rules import rules

NOT_REVIEWED = "not yet"


async def knowledge_check(case: Case) -> list[Finding]:
    """The rules that are installed."""
    return await asyncio.to_thread(installed_rules, case.now.date())


def installed_rules(today: date) -> list[Finding]:
    """The findings of `knowledge_check`, which need no settings."""
    try:
        knowledge = load_knowledge()
    except KnowledgeError as error:
        return [failed(f"the rules cannot be used: {shown(error)}", "Install the package again.")]
    reviews = [rule.review for _, rule in rules(knowledge)]
    found = [ok(f"{len(reviews)} rules of version {knowledge.version} are loaded")]
    defects = check(knowledge, today)
    if defects:
        first = defects[0]
        found.append(
            warning(
                f"{len(defects)} of them need a look, the first: {first.where} {first.problem}",
                "`twitching-cds knowledge check` lists them; install a newer version, or review them.",
            )
        )
    unseen = sum(review.status.startswith(NOT_REVIEWED) for review in reviews)
    if unseen:
        found.append(
            warning(
                f"{unseen} of them are not yet reviewed by a clinician; the cards say so",
                "Have them reviewed before cards are shown to clinicians (docs/clinical-review.md says how).",
            )
        )
    return found
