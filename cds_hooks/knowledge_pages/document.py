"""`docs/knowledge.md`: all rules on one page for a clinician to read from top to bottom.

`python -m cds_hooks.knowledge_pages.document` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from cds_hooks.knowledge_pages.contributor_page import contributor_page, red_flag_page, spurious_page
from cds_hooks.knowledge_pages.limit_page import band, calcium_in_words, interval
from cds_hooks.knowledge_pages.markdown_text import bullets, heading, page_text, table
from cds_hooks.knowledge_pages.order_page import order_page
from cds_hooks.knowledge_pages.page import sources
from cds_hooks.knowledge_pages.pages import note_page
from cds_hooks.knowledge_pages.wording import listing, name_of, title_of, words
from mappings.knowledge import Knowledge, load_knowledge
from mappings.rules import Question


def document(knowledge: Knowledge) -> str:
    """The page as GitHub Markdown."""
    return "\n\n".join(_blocks(knowledge)) + "\n"


def _blocks(knowledge: Knowledge) -> Iterator[str]:
    say, release = words().say, knowledge.release
    yield heading(1, say["title"])
    yield say["version"].format(version=release.version, date=release.date, status=release.status)
    yield say["how"].strip()
    yield say["made"]
    yield from _publication(knowledge)
    yield heading(2, say["gate"])
    yield say["gate_note"].format(
        opens=listing(map(name_of, knowledge.gate.opens)),
        mimics=listing(map(name_of, knowledge.gate.mimics)),
        refutes=listing(map(name_of, knowledge.gate.examination_refutes)),
        under_age=knowledge.gate.under_age,
        age_unknown=knowledge.gate.age_unknown,
    )
    yield heading(2, say["red_flags"])
    yield say["red_flags_note"]
    yield from (page_text(red_flag_page(rule, knowledge), 3) for rule in knowledge.red_flags.values())
    yield heading(2, say["tiers"])
    yield say["tiers_note"]
    yield bullets(f"**{tier}**: {words().tiers[tier]}" for tier in knowledge.ranking.tiers)
    yield from _contributors(knowledge)
    yield heading(2, say["spurious"])
    yield from (page_text(spurious_page(rule, knowledge), 3) for rule in knowledge.spurious.values())
    yield heading(2, say["tests"])
    yield say["tests_note"]
    orders = sorted(knowledge.orders.values(), key=lambda rule: (not rule.first_line, rule.id))
    yield from (page_text(order_page(rule, knowledge), 3) for rule in orders)
    yield heading(3, say["panels"])
    yield table(
        (say["panels"], say["contains"]),
        [
            (f"`{panel}`", ", ".join(title_of(member, knowledge) for member in members))
            for panel, members in knowledge.panels.items()
        ],
    )
    yield heading(2, say["notes"])
    yield from (page_text(note_page(note, knowledge), 3) for note in knowledge.notes.values())
    yield from _questionnaire(knowledge)
    yield from _limits(knowledge)
    yield from _classes(knowledge)
    yield heading(2, say["references"])
    yield bullets(
        f"**{item.id}** {item.cite} {item.url} {say['read'].format(read=item.read)}.".replace("  ", " ")
        for item in knowledge.references.values()
    )
    yield heading(2, say["not_covered"])
    yield bullets(knowledge.publication.not_covered)
    yield heading(2, say["unsettled"])
    yield bullets(knowledge.publication.unsettled)


def _publication(knowledge: Knowledge) -> Iterator[str]:
    say, told = words().say, knowledge.publication
    yield heading(2, say["use"])
    yield bullets(
        f"**{say[name]}:** {text}"
        for name, text in (
            ("does", told.use),
            ("users", told.users),
            ("population", told.population),
            ("not_for", told.not_for),
            ("tested", told.tested),
        )
    )
    yield heading(2, say["attributes"])
    yield say["attributes_note"]
    yield table(
        ("", say["attribute"], say["attribute_value"]),
        [(str(item.number), item.name, item.value) for item in told.attributes],
    )


def _contributors(knowledge: Knowledge) -> Iterator[str]:
    groups = words().groups
    yield heading(2, words().say["contributors"])
    for prefix, title in groups.items():
        members = [
            rule
            for name, rule in knowledge.contributors.items()
            if prefix == (name.partition(":")[0] if name.partition(":")[0] in groups and ":" in name else "")
        ]
        yield heading(3, title)
        yield from (page_text(contributor_page(rule, knowledge), 4) for rule in members)


def _questionnaire(knowledge: Knowledge) -> Iterator[str]:
    say = words().say
    yield heading(2, say["questionnaire"])
    for name, core in (("core", True), ("findings", False)):
        yield heading(3, say[name])
        yield table(
            (say["question"], say["answers"], say["why"]),
            [(q.text, _answers(q), q.why) for q in knowledge.questions.values() if q.core is core],
        )


def _answers(question: Question) -> str:
    return "; ".join(option.text for option in question.options) or question.type


def _limits(knowledge: Knowledge) -> Iterator[str]:
    say = words().say
    yield heading(2, say["analytes"])
    yield say["analytes_note"].strip()
    yield table(
        [
            say[name]
            for name in ("analyte", "reference", "pregnancy", "low", "high", "whose", "usable", "references")
        ],
        [
            (
                rule.title,
                interval(rule.reference) or say["no_default"],
                interval(rule.pregnancy),
                "; ".join(map(band, rule.bands.low)),
                "; ".join(map(band, rule.bands.high)),
                words().precedence[rule.precedence],
                say["days"].format(days=rule.usable_days),
                ", ".join(rule.references),
            )
            for rule in knowledge.analytes.values()
        ],
    )
    yield bullets(f"**{rule.title}:** {rule.misuse}" for rule in knowledge.analytes.values() if rule.misuse)
    yield heading(3, say["calcium"])
    yield calcium_in_words(knowledge)
    yield knowledge.calcium.misuse
    yield bullets(sources(knowledge.calcium.references, knowledge))


def _classes(knowledge: Knowledge) -> Iterator[str]:
    say = words().say
    yield heading(2, say["classes"])
    yield say["classes_note"]
    yield table(
        (say["class"], say["washout"]),
        [
            (rule.title, say["days"].format(days=rule.washout_days))
            for rule in knowledge.drug_classes.values()
        ],
    )


if __name__ == "__main__":
    sys.stdout.write(document(load_knowledge()))
