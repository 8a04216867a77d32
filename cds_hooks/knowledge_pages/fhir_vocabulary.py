"""Value sets and the history questionnaire as FHIR R4: what a code or an answer means."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from cds_hooks.knowledge_pages.wording import words
from mappings.knowledge import Knowledge
from mappings.rules import Question
from terminology.coding import RXNORM
from terminology.drug_classes import ClassRules, read_classes, read_unknown_routes
from terminology.drug_names import FOLDER as DRUGS
from terminology.valuesets import CANONICAL
from terminology.valuesets import FOLDER as VALUE_SETS

Resource = dict[str, Any]
QUESTIONNAIRE = "twitching-history"
"""The canonical url ends like this; answers to it are read whatever base it is published under."""
INGREDIENT_LEVEL = ("IN", "PIN")


def heading(kind: str, identifier: str, title: str, knowledge: Knowledge) -> Resource:
    """What every artifact begins with; a draft, because nobody has reviewed it."""
    name = "".join(part[:1].upper() + part[1:] for part in identifier.replace(".", "-").split("-"))
    return {
        "resourceType": kind,
        "id": identifier,
        "url": f"{CANONICAL}/{kind}/{identifier}",
        "version": knowledge.release.version,
        "name": name,
        "title": title,
        "status": "draft",
        "date": knowledge.release.date.isoformat(),
    }


def fhir_id(identifier: str) -> str:
    """A rule id as a FHIR id: `drug:thiazide` -> `drug-thiazide`."""
    return identifier.replace(":", "-").replace("_", "-")


def value_sets() -> Iterator[Resource]:
    """The value sets of `terminology`, as they are."""
    for path in sorted(VALUE_SETS.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".json"):
            yield json.loads(path.read_text(encoding="utf-8"))


def drug_class_value_sets(knowledge: Knowledge) -> Iterator[Resource]:
    """One per class, of RxNorm ingredients; a class of which no ingredient has a code has none."""
    members = _ingredients()
    for rule in knowledge.drug_classes.values():
        found = members.get(rule.id)
        if not found:
            continue
        concepts = [{"code": code, "display": found[code]} for code in sorted(found, key=int)]
        yield heading("ValueSet", f"drug-class-{fhir_id(rule.id)}", rule.title, knowledge) | {
            "description": words().say["drug_class_note"],
            "copyright": words().say["rxnorm_copyright"],
            "compose": {"include": [{"system": RXNORM, "concept": concepts}]},
        }


def _ingredients() -> dict[str, dict[str, str]]:
    """Class id -> RxNorm ingredient code -> name; a class for local use by the ingredients that can be used so."""
    rules = ClassRules(read_classes(), read_unknown_routes())
    found: dict[str, dict[str, str]] = {}
    with (DRUGS / "ingredients.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["tty"] not in INGREDIENT_LEVEL:
                continue
            for rule in rules.of(row["ingredient"], row["drug_class"]):
                for name in (rule.drug_class, *rule.local.values()):
                    found.setdefault(name, {})[row["rxcui"]] = row["name"]
    return found


def questionnaire(knowledge: Knowledge) -> Resource:
    """The history questions; link ids are question ids, answer codes are those the rules name."""
    return heading("Questionnaire", QUESTIONNAIRE, words().say["questionnaire"], knowledge) | {
        "subjectType": ["Patient"],
        "item": [_item(question) for question in knowledge.questions.values()],
    }


def _item(question: Question) -> Resource:
    item: Resource = {
        "linkId": question.id,
        "text": question.text,
        "type": question.type,
        "required": False,
        "repeats": question.repeats,
    }
    if question.options:
        item["answerOption"] = [
            {"valueCoding": {"system": _answers(), "code": option.value, "display": option.text}}
            for option in question.options
        ]
    return item


def answer_codes(knowledge: Knowledge) -> Resource:
    """The code system of the answers."""
    options = {
        option.value: option.text for question in knowledge.questions.values() for option in question.options
    }
    return heading("CodeSystem", QUESTIONNAIRE, words().say["answers"], knowledge) | {
        "content": "complete",
        "caseSensitive": True,
        "concept": [{"code": code, "display": text} for code, text in options.items()],
    }


def _answers() -> str:
    return f"{CANONICAL}/CodeSystem/{QUESTIONNAIRE}"
