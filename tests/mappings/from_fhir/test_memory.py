"""What is remembered is bounded in number and in size."""

from __future__ import annotations

import pytest

from mappings.from_fhir import memory


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
