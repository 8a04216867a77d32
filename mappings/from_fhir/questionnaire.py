"""Answers to the history questionnaire of this service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mappings.facts import Answer
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.dates import when
from mappings.from_fhir.shapes import AnswerItem, AnswerValue, QuestionnaireResponse

QUESTIONNAIRE: Final = "/twitching-history"
"""How the canonical URL of our questionnaire ends, whatever base a site publishes it under."""


def read_answers(item: Item, chart: Chart) -> Iterator[Answer]:
    """All answers, nested ones included, of a response to our questionnaire in any version."""
    response = item.resource
    assert isinstance(response, QuestionnaireResponse)  # noqa: S101 - read.py dispatches by type
    canonical = response.questionnaire.partition("|")[0].partition("#")[0].rstrip("/")
    if response.status.strip().lower() == "entered-in-error" or not canonical.endswith(QUESTIONNAIRE):
        return
    authored = when(response.authored)
    who = response.source or response.author
    reported = who is not None and chart.is_reporter(who)
    for link_id, value, text in _answers(response.item):
        yield Answer(link_id, value, text, authored.earliest if authored else None, reported, item.label)


def _answers(items: Sequence[AnswerItem]) -> Iterator[tuple[str, str, str]]:
    for item in items:
        for answer in item.answer:
            if (read := _value(answer)) and item.link_id:
                yield item.link_id, *read
            yield from _answers(answer.item)
        yield from _answers(item.item)


def _value(answer: AnswerValue) -> tuple[str, str] | None:
    """The value (code, ISO date, true or false, number or text) and what a clinician reads."""
    if answer.value_coding:
        code, display = answer.value_coding.code or "", answer.value_coding.display or ""
        return (code or display, display or code) if code or display else None
    if answer.value_boolean is not None:
        return ("true", "yes") if answer.value_boolean else ("false", "no")
    if answer.value_quantity and answer.value_quantity.value is not None:
        quantity = answer.value_quantity
        return str(quantity.value), f"{quantity.value} {quantity.unit or quantity.code or ''}".strip()
    number = answer.value_decimal if answer.value_decimal is not None else answer.value_integer
    text = answer.value_date or answer.value_date_time or answer.value_string.strip()
    if number is not None:
        text = str(number)
    return (text, text) if text else None
