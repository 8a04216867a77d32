"""Pages about the rule set as a whole: what opens it, how it ranks, what it asks, how long a medicine counts."""

from __future__ import annotations

from collections.abc import Iterator

from cds_hooks.knowledge_pages.page import Line, Page, page
from cds_hooks.knowledge_pages.wording import listing, name_of, title_of, words
from mappings.knowledge import Knowledge
from mappings.rules import Question


def overview_pages(knowledge: Knowledge) -> Iterator[Page]:
    """Each of them."""
    say = words().say
    gate = knowledge.gate
    yield page(
        "documented-twitching",
        say["gate"],
        [
            (
                "gate",
                [
                    say["gate_note"].format(
                        opens=listing(map(name_of, gate.opens)),
                        mimics=listing(map(name_of, gate.mimics)),
                        refutes=listing(map(name_of, gate.examination_refutes)),
                        under_age=gate.under_age,
                        age_unknown=gate.age_unknown,
                    )
                ],
            )
        ],
    )
    yield page(
        "tiers",
        say["tiers"],
        [
            (
                "tiers",
                [Line(words().tiers[tier], marks=[tier]) for tier in knowledge.ranking.tiers],
            ),
            ("tiers_note_heading", [say["tiers_note"]]),
        ],
    )
    yield page(
        "history-questions",
        say["questionnaire"],
        [
            (name, [_question(q) for q in knowledge.questions.values() if q.core is core])
            for name, core in (("core", True), ("findings", False))
        ],
    )
    yield page(
        "medicine-classes",
        say["classes"],
        [
            (
                "classes",
                [
                    f"{rule.title}: {say['days'].format(days=rule.washout_days)}"
                    for rule in knowledge.drug_classes.values()
                ],
            ),
            ("washout", [say["classes_note"]]),
        ],
    )
    yield page(
        "panels",
        say["panels"],
        [
            (
                "panels",
                [
                    f"{name_of(panel)}: {', '.join(title_of(member, knowledge) for member in members)}"
                    for panel, members in knowledge.panels.items()
                ],
            )
        ],
    )
    told = knowledge.publication
    yield page(
        "open-questions",
        say["open_questions"],
        [("unsettled", told.unsettled), ("not_covered", told.not_covered)],
    )


def _question(question: Question) -> Line:
    answers = "; ".join(option.text for option in question.options) or question.type
    return Line(f"{question.text} {words().say['answers']}: {answers}.", question.why)
