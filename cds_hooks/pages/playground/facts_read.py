"""What was read of a record: every fact with its meaning, older results too, for the eyes of whoever tries the service."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from cds_hooks import prefetch
from cds_hooks.card_kit import CardKit
from cds_hooks.knowledge_pages.wording import name_of
from cds_hooks.request import read_request
from cds_hooks.services import Service
from mappings.assess.limits import interval_in
from mappings.assess.readings import unit_limits
from mappings.facts import LabResult, PatientFacts
from mappings.from_fhir.read import read_patient_facts
from mappings.knowledge import Knowledge
from terminology.quantity import analytes

Fact = dict[str, Any]


def facts_read(service: Service, body: bytes, knowledge: Knowledge, kit: CardKit) -> bytes:
    """The facts of a call as JSON. Raises Refused (400). What the FHIR server would add is not among them."""
    request = read_request(body, service)
    facts = read_patient_facts(request.context.patient_id, prefetch.sources(service, request))
    return msgspec.json.encode(
        {
            "patient": facts.patient,
            "labs": [
                _lab(lab, facts, knowledge, kit) for lab in sorted(facts.labs, key=_newest, reverse=True)
            ],
            "medications": [
                _plain(item) | {"classes": _titles(item.classes, kit), "local": _titles(item.local, kit)}
                for item in facts.medications
            ],
            "problems": [_plain(item) | {"concepts": _names(item.concepts)} for item in facts.problems],
            "findings": [_plain(item) | {"concept": name_of(item.concept)} for item in facts.findings],
            "measures": [_plain(item) | {"item": name_of(item.item)} for item in facts.measures],
            "answers": [
                _plain(item) | {"question": _question(item.question, knowledge)} for item in facts.answers
            ],
            "orders": [_plain(item) | {"tests": _tests(item.tests, knowledge)} for item in facts.orders],
        }
    )


def _plain(fact: Any) -> Fact:
    return {name: value for name, value in msgspec.to_builtins(fact).items() if value not in ("", None)}


def _newest(lab: LabResult) -> tuple[date, str, str]:
    return lab.date, lab.moment, lab.analyte


def _lab(lab: LabResult, facts: PatientFacts, knowledge: Knowledge, kit: CardKit) -> Fact:
    """A result with the interval it is held against, whose that is, and on which side of it it lies."""
    told = {
        "analyte": lab.analyte,
        "title": analytes()[lab.analyte].title,
        "value": lab.value,
        "comparator": lab.comparator,
        "unit": kit.wording.units.get(lab.unit, lab.unit),
        "date": lab.date,
        "resource": lab.resource,
    }
    rule = knowledge.analytes.get(lab.analyte)
    if rule is None:
        return told
    pregnant = facts.patient.pregnant
    verdict = unit_limits(knowledge, lab.analyte, lab.unit).judge(lab, pregnant=pregnant)
    ours = interval_in(
        lab.analyte, rule.pregnancy if pregnant and rule.pregnancy else rule.reference, lab.unit
    )
    own = lab.range if lab.range and rule.precedence == "lab" and not (pregnant and rule.pregnancy) else None
    low, high = (own.low, own.high) if own else ours
    return told | {
        "direction": verdict.direction,
        "band": verdict.band,
        "low": low,
        "high": high,
        "limitSource": "laboratory" if own else "rules",
    }


def _titles(classes: Iterable[str], kit: CardKit) -> list[str]:
    return [kit.title(name) for name in classes]


def _names(concepts: Iterable[str]) -> list[str]:
    return [name_of(concept) for concept in concepts]


def _question(identifier: str, knowledge: Knowledge) -> str:
    question = knowledge.questions.get(identifier)
    return question.text if question else identifier


def _tests(tests: Iterable[str], knowledge: Knowledge) -> list[str]:
    return [knowledge.orders[name].title if name in knowledge.orders else name_of(name) for name in tests]
