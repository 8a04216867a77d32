from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.facts import Answer, PatientFacts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
OURS = "https://cds.example/fhir/Questionnaire/twitching-history"


def response(*items: Json, **elements: Any) -> Json:
    usual = {
        "resourceType": "QuestionnaireResponse",
        "id": "q",
        "status": "completed",
        "questionnaire": OURS,
        "authored": "2026-03-01T10:00:00Z",
        "item": list(items),
    }
    return usual | elements


def item(link_id: str, *answers: Json, **elements: Any) -> Json:
    return {"linkId": link_id, "answer": list(answers)} | elements


def test_an_answer_is_read(read: Read) -> None:
    coding = {"code": "calves", "display": "Calves"}
    facts = read(response(item("locations", {"valueCoding": coding})))
    assert facts.answers == (
        Answer("locations", "calves", "Calves", date(2026, 3, 1), resource="QuestionnaireResponse/q"),
    )


@pytest.mark.parametrize(
    ("answer", "value", "text"),
    [
        ({"valueCoding": {"code": "daily"}}, "daily", "daily"),
        ({"valueCoding": {"display": "Daily"}}, "Daily", "Daily"),
        ({"valueBoolean": True}, "true", "yes"),
        ({"valueBoolean": False}, "false", "no"),
        ({"valueDate": "2026-01-25"}, "2026-01-25", "2026-01-25"),
        ({"valueDateTime": "2026-01-25T00:00:00Z"}, "2026-01-25T00:00:00Z", "2026-01-25T00:00:00Z"),
        ({"valueString": " in bed "}, "in bed", "in bed"),
        ({"valueInteger": 0}, "0", "0"),
        ({"valueDecimal": 2.5}, "2.5", "2.5"),
        ({"valueQuantity": {"value": 5, "unit": "min"}}, "5", "5 min"),
    ],
)
def test_every_kind_of_answer_is_read(answer: Json, value: str, text: str, read: Read) -> None:
    (given,) = read(response(item("frequency", answer))).answers
    assert (given.value, given.text) == (value, text)


@pytest.mark.parametrize(
    "answer", [{}, {"valueCoding": {}}, {"valueString": " "}, {"valueQuantity": {"unit": "min"}}]
)
def test_an_empty_answer_is_none(answer: Json, read: Read) -> None:
    assert read(response(item("frequency", answer))).answers == ()


def test_nested_items_and_items_of_answers_are_read(read: Read) -> None:
    nested = {
        "linkId": "group",
        "item": [
            item("a", {"valueString": "1"}, {"valueString": "2", "item": [item("b", {"valueBoolean": True})]})
        ],
    }
    facts = read(response(nested, item("", {"valueString": "no question"})))
    assert [(a.question, a.value) for a in facts.answers] == [("a", "1"), ("a", "2"), ("b", "true")]


@pytest.mark.parametrize(
    "canonical", [OURS, OURS + "|1.2.0", "urn:x/twitching-history|2", OURS + "#item", OURS + "/"]
)
def test_our_questionnaire_is_known_in_any_version_and_place(canonical: str, read: Read) -> None:
    assert len(read(response(item("a", {"valueBoolean": True}), questionnaire=canonical)).answers) == 1


@pytest.mark.parametrize(
    "elements",
    [{"questionnaire": "https://cds.example/phq-9"}, {"questionnaire": ""}, {"status": "entered-in-error"}],
)
def test_other_questionnaires_and_withdrawn_responses_are_not_read(elements: Json, read: Read) -> None:
    assert read(response(item("a", {"valueBoolean": True}), **elements)).answers == ()


@pytest.mark.parametrize(
    ("elements", "reported"),
    [
        ({}, False),
        ({"author": {"reference": "Practitioner/x"}}, False),
        ({"author": {"reference": "Patient/p"}}, True),
        ({"source": {"reference": "RelatedPerson/r"}, "author": {"reference": "Practitioner/x"}}, True),
        ({"source": {"reference": "Practitioner/x"}, "author": {"reference": "Patient/p"}}, False),
        ({"source": {"type": "Patient", "display": "herself"}}, True),
        ({"source": {"type": "http://hl7.org/fhir/StructureDefinition/RelatedPerson"}}, True),
        ({"source": {"type": "PractitionerRole", "identifier": {"value": "7"}}}, False),
        ({"source": {"reference": "Practitioner/x", "type": "Patient"}}, False),
    ],
)
def test_who_answered_is_told(elements: Json, reported: bool, read: Read) -> None:
    (answer,) = read(response(item("a", {"valueBoolean": True}), **elements)).answers
    assert answer.reported is reported


def test_deeply_nested_items_are_read(read: Read) -> None:
    nested = item("a", {"valueBoolean": True})
    for _ in range(200):
        nested = {"linkId": "group", "item": [nested]}
    assert len(read(response(nested)).answers) == 1
