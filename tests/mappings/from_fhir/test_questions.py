"""Findings that an examination names with its question and its answer together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mappings.facts import PatientFacts


@pytest.mark.parametrize(
    ("question", "answer", "finding"),
    [
        ("Plantar response", "Extensor on the left", "babinski"),
        ("Plantar response", "Flexor on both sides", ""),
        ("Plantar response", "Not extensor", ""),
        ("Deep tendon reflexes", "3+ in both legs", "hyperreflexia"),
        ("Deep tendon reflexes", "2+ in both legs", ""),
        ("Muscle strength", "4/5 in the right hand", "muscle_weakness"),
        ("Muscle strength", "5/5 throughout", ""),
        ("Muscle weakness", "in the mornings", ""),
    ],
)
def test_what_question_and_answer_name_only_together_is_found(
    question: str,
    answer: str,
    finding: str,
    read: Callable[..., PatientFacts],
    exam: Callable[..., dict[str, Any]],
) -> None:
    findings = read(exam(question, valueString=answer)).findings
    assert [(seen.concept, seen.present) for seen in findings] == ([(finding, True)] if finding else [])
