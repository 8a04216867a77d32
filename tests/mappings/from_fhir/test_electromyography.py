"""What an EMG found, in an Observation or the conclusion of a report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.facts import PatientFacts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]
EMG = {"coding": [{"system": "http://loinc.org", "code": "18749-2"}], "text": "EMG"}


def report(conclusion: str) -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": EMG,
        "effectiveDateTime": "2026-03-01",
        "conclusion": conclusion,
    }


@pytest.mark.parametrize("words", ["Normal", "normal study.", "No abnormality", "Unremarkable", ""])
def test_a_normal_emg_or_one_without_words_says_nothing_more(words: str, read: Read, exam: Make) -> None:
    for resource in (exam("EMG", valueString=words), report(words)):
        facts = read(resource)
        assert (facts.findings, facts.gaps) == ((), ())
        assert [order.tests for order in facts.orders] == [("emg_ncs",)]


@pytest.mark.parametrize("words", ["Abnormal", "Abnormal EMG of both arms"])
def test_an_abnormal_emg_is_a_finding(words: str, read: Read, exam: Make) -> None:
    for resource in (exam("EMG", valueString=words), report(words)):
        found = {(f.concept, f.objective, f.date, f.text) for f in read(resource).findings}
        assert found == {("emg_abnormality", True, date(2026, 3, 1), f"EMG: {words}")}


@pytest.mark.parametrize(
    "words", ["Widespread active denervation", "Consistent with motor neurone disease", "Normal, but limited"]
)
def test_other_words_are_named_as_not_understood(words: str, read: Read, exam: Make) -> None:
    for resource in (exam("EMG", valueString=words), report(words)):
        facts = read(resource)
        (gap,) = facts.gaps
        assert "emg_abnormality" not in {finding.concept for finding in facts.findings}
        assert (gap.what, gap.reason, gap.on) == ("emg_abnormality", "not-readable", date(2026, 3, 1))
