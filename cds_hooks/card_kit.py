"""What the cards need besides the assessment, prepared once per rule set."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import get_args

from cds_hooks.advice_id import new_id
from cds_hooks.card_shape import AS_SPECIFIED, CardShape
from cds_hooks.card_wording import ENGLISH, CardKind, CardWording, card_wording, override_reasons
from cds_hooks.markdown import escape
from cds_hooks.response import Coding, Link, Source
from cds_hooks.service_request import OrderTemplate, order_templates
from mappings.facts import DataGap
from mappings.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class CardKit:
    """Sentences, sources, reasons, order templates, and the names behind ids."""

    wording: CardWording
    sources: Mapping[CardKind, Source]
    override_reasons: Mapping[CardKind, tuple[Coding, ...]]
    orders: Mapping[str, tuple[OrderTemplate, ...]]
    references: Mapping[str, str]
    """How a card names a source, by reference id."""
    titles: Mapping[str, str]
    """Titles of contributors, drug classes and red flags, by id."""
    status: str
    """How far the rules are reviewed."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """Address of the page of a rule, by id; empty where cards do not link."""
    history_form: Link | None = None
    """Where the history questions are answered, if the site shows it."""
    new_id: Callable[[str], str] = new_id
    """A new UUID of a card or suggestion, by what it is about."""
    shape: CardShape = AS_SPECIFIED
    """What the EHR makes of a card."""
    silent_rules: tuple[str, ...] = ()
    """Titles of the rules whose findings this site does not show, the same for every patient."""
    printed: Callable[[str], str] = field(init=False)
    """Makes of a sentence about results one with its UCUM units as clinicians write them."""

    def __post_init__(self) -> None:
        """Compile the units, longest first."""
        units = self.wording.units
        codes = map(re.escape, sorted(units, key=len, reverse=True))
        written = partial(re.compile("|".join(codes) or r"(?!)").sub, lambda found: units[found[0]])
        object.__setattr__(self, "printed", written)

    def say(self, sentence: str, **values: object) -> str:
        """A sentence of the wording with its blanks filled in. Raises KeyError for an unknown one."""
        return self.wording.say[sentence].format(**values)

    def title(self, identifier: str) -> str:
        """The title behind an id, or the id in words."""
        return self.titles.get(identifier) or identifier.rpartition(":")[2].replace("_", " ")

    def gap(self, gap: DataGap) -> str:
        """What could not be used, in words: its own, or what it is and why."""
        reason = self.wording.gap_reasons.get(gap.reason, gap.reason)
        return self.printed(gap.text) or f"{self.title(gap.what)}: {reason}"

    def linked(self, identifier: str, text: str) -> str:
        """The text escaped for Markdown, as a link to the page of the rule if it has one."""
        page = self.pages.get(identifier)
        return f"[{escape(text)}]({page})" if page else escape(text)


def card_kit(
    knowledge: Knowledge, base_url: str = "", history_form_url: str = "", language: str = ENGLISH
) -> CardKit:
    """Prepare the kit. With `base_url` every card's source links to the rules, and every finding and test to its page.

    With `history_form_url` a card that names unanswered history questions links to the form, as a SMART app.
    """
    wording = card_wording(language)
    link = f"{base_url.rstrip('/')}/knowledge" if base_url else ""
    return CardKit(
        wording=wording,
        sources={
            kind: Source(
                wording.source_label,
                Coding(wording.topics[kind].code, wording.topic_system, wording.topics[kind].display),
                link,
            )
            for kind in get_args(CardKind)
        },
        override_reasons=override_reasons(language),
        orders=order_templates(knowledge.orders),
        references={name: reference.short for name, reference in knowledge.references.items()},
        titles={name: drug.title for name, drug in knowledge.drug_classes.items()}
        | {name: rule.title for name, rule in knowledge.red_flags.items()}
        | {name: rule.title for name, rule in knowledge.contributors.items()},
        status=knowledge.release.status,
        pages={name: f"{link}/{name}" for name in _with_pages(knowledge)} if link else {},
        history_form=Link(wording.say["history_form"], history_form_url, "smart")
        if history_form_url
        else None,
    )


def _with_pages(knowledge: Knowledge) -> Iterable[str]:
    """The ids of what a card can name as a finding or a test."""
    return (*knowledge.contributors, *knowledge.red_flags, *knowledge.spurious, *knowledge.orders)


def mid_sentence(title: str) -> str:
    """The title as it stands inside a sentence: `Serum magnesium` becomes `serum magnesium`, `ECG` stays."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title
