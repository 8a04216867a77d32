"""What is remembered is bounded in number and in size."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mappings.facts import PatientFacts
from mappings.from_fhir import memory
from mappings.from_fhir.meaning import recognise_orders


def test_a_short_text_is_looked_up_once_even_if_nothing_is_found() -> None:
    asked: list[str] = []

    @memory.remember
    def find(text: str) -> None:
        asked.append(text)

    assert find("x") is find("x") is None
    assert asked == ["x"]


def test_a_long_text_is_not_kept() -> None:
    asked: list[str] = []

    @memory.remember
    def find(text: str) -> str:
        asked.append(text)
        return text

    long = "x" * memory.LONGEST
    assert find(long) == find(long) == long
    assert asked == [long, long]


def test_the_memory_starts_anew_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 2)
    asked: list[str] = []

    @memory.remember
    def find(text: str) -> str:
        asked.append(text)
        return text

    assert [find(text) for text in ("a", "b", "a", "c", "a")] == ["a", "b", "a", "c", "a"]
    assert asked == ["a", "b", "c", "a"]


def test_a_sites_own_order_codes_are_known_from_when_they_are_told(
    read: Callable[..., PatientFacts],
) -> None:
    done = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"coding": [{"system": "urn:site", "code": "EMG1"}]},
        "effectiveDateTime": "2026-02-01",
        "valueString": "normal",
    }
    assert read(done).orders == ()
    recognise_orders({("urn:site", "EMG1"): ("emg_ncs",)})
    try:
        assert [order.tests for order in read(done).orders] == [("emg_ncs",)]
    finally:
        recognise_orders({})
    assert read(done).orders == ()
