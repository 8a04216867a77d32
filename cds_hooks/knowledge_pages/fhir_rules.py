"""Rules as FHIR R4: one plan with an action per rule, an activity per request, and the library they belong to."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha1
from typing import Any

from cds_hooks.knowledge_pages.contributor_page import contributor_page, red_flag_page, spurious_page
from cds_hooks.knowledge_pages.fhir_vocabulary import Resource, fhir_id, heading
from cds_hooks.knowledge_pages.order_page import order_page
from cds_hooks.knowledge_pages.page import Page
from cds_hooks.knowledge_pages.wording import words
from mappings.knowledge import Knowledge
from mappings.rules import OrderRule, Request
from terminology.valuesets import CANONICAL

PLAN = "twitching"
LIBRARY = "twitching-cds"
PRIORITY = {"immediate": "stat", "urgent": "urgent", "soon": "routine", "routine": "routine"}
RESOURCE_TYPES = "http://terminology.hl7.org/CodeSystem"
ATTRIBUTE = f"{CANONICAL}/StructureDefinition/source-attribute"


def plan(knowledge: Knowledge) -> Resource:
    """What is looked for and what may be ordered; the executable form of a condition is its rule file."""
    say = words().say
    groups = [
        (
            say["red_flags"],
            [
                _action(red_flag_page(rule, knowledge), rule.references, knowledge)
                | {"priority": PRIORITY[rule.urgency]}
                for rule in knowledge.red_flags.values()
            ],
        ),
        (
            say["contributors"],
            [
                _action(contributor_page(rule, knowledge), rule.references, knowledge)
                for rule in knowledge.contributors.values()
            ],
        ),
        (
            say["spurious"],
            [
                _action(spurious_page(rule, knowledge), rule.references, knowledge)
                for rule in knowledge.spurious.values()
            ],
        ),
        (say["tests"], list(_tests(knowledge))),
    ]
    kind = {"system": f"{RESOURCE_TYPES}/plan-definition-type", "code": "eca-rule"}
    return heading("PlanDefinition", PLAN, say["title"], knowledge) | {
        "type": {"coding": [kind]},
        "description": knowledge.publication.use,
        "usage": knowledge.publication.not_for,
        "library": [f"{CANONICAL}/Library/{LIBRARY}"],
        "relatedArtifact": _citations(knowledge.references, knowledge),
        "action": [{"title": title, "action": actions} for title, actions in groups],
    }


def _action(page: Page, references: Iterable[str], knowledge: Knowledge) -> Resource:
    return {
        "id": fhir_id(page.id),
        "title": page.title,
        "textEquivalent": _text(page),
        "documentation": _citations(references, knowledge),
    }


def _text(page: Page) -> str:
    return "\n".join(f"{section.heading}: {' '.join(section.lines)}" for section in page.sections)


def _tests(knowledge: Knowledge) -> Iterator[Resource]:
    for rule in knowledge.orders.values():
        if rule.never_suggested:
            continue
        action = _action(order_page(rule, knowledge), rule.references, knowledge)
        requests = [
            {
                "title": request.text,
                "definitionCanonical": f"{CANONICAL}/ActivityDefinition/{_id(rule, request)}",
            }
            for request in rule.requests
        ]
        yield action | (
            {"definitionCanonical": requests[0]["definitionCanonical"]}
            if len(requests) == 1
            else {"action": requests}
        )


def activities(knowledge: Knowledge) -> Iterator[Resource]:
    """One per request of a test; a test that is never suggested says so."""
    for rule in knowledge.orders.values():
        for request in rule.requests:
            code: dict[str, Any] = {"text": request.text}
            if request.code:
                coding = {"system": request.system, "code": request.code, "display": request.display}
                code["coding"] = [{name: value for name, value in coding.items() if value}]
            title = rule.title if len(rule.requests) == 1 else request.text
            yield heading("ActivityDefinition", _id(rule, request), title, knowledge) | {
                "usage": _text(order_page(rule, knowledge)),
                "relatedArtifact": _citations(rule.references, knowledge),
                "kind": "ServiceRequest",
                "intent": "proposal",
                "doNotPerform": rule.never_suggested,
                "code": code,
            }


def _id(rule: OrderRule, request: Request) -> str:
    parts = [rule.id, request.covers] if len(rule.requests) > 1 else [rule.id]
    return "order-" + "-".join(fhir_id(part) for part in parts)


def library(knowledge: Knowledge) -> Resource:
    """The rule set as a whole: intended use, source attributes, sources and rule files with their hashes."""
    told = knowledge.publication
    kind = {"system": f"{RESOURCE_TYPES}/library-type", "code": "logic-library"}
    return heading("Library", LIBRARY, words().say["title"], knowledge) | {
        "extension": [
            {
                "url": ATTRIBUTE,
                "extension": [
                    {"url": "number", "valuePositiveInt": item.number},
                    {"url": "name", "valueString": item.name},
                    {"url": "value", "valueString": item.value},
                ],
            }
            for item in told.attributes
        ],
        "type": {"coding": [kind]},
        "description": f"{told.use} {knowledge.version}: {knowledge.release.status}.",
        "purpose": told.users,
        "usage": f"{told.population} {words().say['not_for']}: {told.not_for}",
        "relatedArtifact": _citations(knowledge.references, knowledge),
        "content": list(_rule_files(knowledge)),
    }


def _rule_files(knowledge: Knowledge) -> Iterator[Resource]:
    for path in sorted(knowledge.folder.rglob("*.yaml")):
        content = path.read_bytes()
        digest = sha1(content, usedforsecurity=False).digest()  # FHIR's Attachment.hash is SHA-1
        yield {
            "contentType": "application/yaml",
            "title": path.relative_to(knowledge.folder).as_posix(),
            "size": len(content),
            "hash": b64encode(digest).decode(),
        }


def _citations(ids: Iterable[str], knowledge: Knowledge) -> list[Resource]:
    found = [knowledge.references[name] for name in ids if name in knowledge.references]
    return [
        {"type": "citation", "label": item.id, "citation": item.cite}
        | ({"url": item.url} if item.url else {})
        for item in found
    ]
