"""All defects of a rule set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from mappings.knowledge import COMPANIONS, Knowledge
from mappings.knowledge_check.limits import limits
from mappings.knowledge_check.names import names
from mappings.knowledge_check.rules import Defect, cited, folders, rules, stem
from mappings.rule_language import Review
from terminology.coding import LOINC, SNOMED_CT, loinc_check_digit_ok, snomed_check_digit_ok

LONGEST_SENTENCE = 320
"""A clinician has seconds: a sentence longer than this is a paragraph."""
NOT_REVIEWED = "not yet reviewed by a clinician"
"""The status of a rule that only its author has read."""
SOURCE_ATTRIBUTES = tuple(range(1, 14))
"""Numbers of the source attributes, 45 CFR 170.315(b)(11)(iv)(A)."""


def check(knowledge: Knowledge, today: date, vignettes: Path | None = None) -> list[Defect]:
    """All defects, by file. `vignettes`: the folder in which each contributor has its file."""
    found = [
        *names(knowledge),
        *limits(knowledge),
        *_references(knowledge),
        *_codes(knowledge),
        *_reviews(knowledge, today),
        *_sentences(knowledge),
        *_files(knowledge),
        *_publication(knowledge),
    ]
    if vignettes is not None:
        found += _vignettes(knowledge, vignettes)
    return sorted(found)


def _references(knowledge: Knowledge) -> Iterator[Defect]:
    for where, rule in rules(knowledge):
        sources = cited(rule)
        if not sources:
            yield Defect(where, "cites no source; give `references`, or J for a design judgement")
        for name in sorted({*sources} - {*knowledge.references}):
            yield Defect(where, f"cites `{name}`, which references.yaml does not hold; add it there")


def _codes(knowledge: Knowledge) -> Iterator[Defect]:
    checks = {LOINC: loinc_check_digit_ok, SNOMED_CT: snomed_check_digit_ok}
    for order in knowledge.orders.values():
        where = f"orders/{stem(order.id)}.yaml"
        for request in order.requests:
            if bool(request.code) != bool(request.system):
                yield Defect(
                    where, f"the request `{request.text}` needs both `system` and `code`, or neither"
                )
            elif request.system in checks and not checks[request.system](request.code):
                yield Defect(where, f"the code {request.code} has a wrong check digit; one digit is mistyped")


def _reviews(knowledge: Knowledge, today: date) -> Iterator[Defect]:
    for where, review in _dated(knowledge):
        if review.due < today:
            yield Defect(where, f"was due for review on {review.due}; review it and set a new date")
        if review.date > today:
            yield Defect(where, f"was reviewed in the future ({review.date}); correct the date")
    yield from _claimed(knowledge)


def _claimed(knowledge: Knowledge) -> Iterator[Defect]:
    """The status of the whole set, which is on every card, claims no more than its rules do."""
    waiting = next((where for where, review in _dated(knowledge) if review.status == NOT_REVIEWED), None)
    if waiting and knowledge.release.status != NOT_REVIEWED:
        claim = f"claims `{knowledge.release.status}`, but {waiting} is `{NOT_REVIEWED}`"
        yield Defect("release.yaml", f"{claim}; say that until no rule is")


def _dated(knowledge: Knowledge) -> Iterator[tuple[str, Review]]:
    yield from ((where, rule.review) for where, rule in rules(knowledge))
    yield "gate.yaml", knowledge.gate.review
    yield "source_attributes.yaml", knowledge.publication.review


def _sentences(knowledge: Knowledge) -> Iterator[Defect]:
    for where, rule in rules(knowledge):
        for text in sentences(rule):
            if len(text) > LONGEST_SENTENCE:
                yield Defect(
                    where, f"has a sentence of {len(text)} characters; {LONGEST_SENTENCE} is the longest"
                )


def sentences(rule: Any) -> Iterator[str]:
    """The sentences of a rule that reach a card."""
    for field in ("tiers", "considered", "adds"):
        yield from (item.says for item in getattr(rule, field, ()))
    yield from (item.reason for item in getattr(rule, "suggest", ()))
    yield getattr(rule, "says", "")


def _files(knowledge: Knowledge) -> Iterator[Defect]:
    """Each file is named after its id, so that it is found; no other file is there, because nothing reads it."""
    for folder, group in folders(knowledge).items():
        wanted = {f"{stem(name)}.yaml" for name in group} | ({"panels.yaml"} if folder == "orders" else set())
        present = {path.name for path in (knowledge.folder / folder).iterdir()}
        for name in sorted(present - wanted):
            known = name.endswith(".yaml")
            problem = "file name and id differ; name the file after its id, `:` as `_`" if known else ORPHAN
            yield Defect(f"{folder}/{name}", problem)
    for path in sorted(knowledge.folder.glob("*.y*ml")):
        if path.name not in COMPANIONS:
            yield Defect(path.name, ORPHAN)


ORPHAN = "nothing reads this file; rename it to what is read, or remove it"


def _publication(knowledge: Knowledge) -> Iterator[Defect]:
    if tuple(item.number for item in knowledge.publication.attributes) != SOURCE_ATTRIBUTES:
        yield Defect("source_attributes.yaml", "`attributes` must be numbered 1 to 13, each once")


def _vignettes(knowledge: Knowledge, folder: Path) -> Iterator[Defect]:
    for name in knowledge.contributors:
        if not (folder / f"{stem(name)}.yaml").is_file():
            yield Defect(
                f"contributors/{stem(name)}.yaml",
                f"has no vignette; write {stem(name)}.yaml with: does, does not, at the limit",
            )
    known = {stem(name) for name in knowledge.contributors}
    for path in sorted(folder.glob("*.yaml")):
        if path.stem not in known:
            yield Defect(path.name, "is a vignette of no contributor; rename or remove it")
