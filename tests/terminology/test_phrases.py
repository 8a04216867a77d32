from __future__ import annotations

from itertools import chain

import pytest

from terminology.concepts import concepts
from terminology.orders import tests as orderable_tests
from terminology.phrases import DOUBT, PhraseTable, compile_phrase, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("haemoglobin", "Hemoglobin"),
        ("ionised", "ionized"),
        ("diarrhoea", "DIARRHEA"),
        ("motor neurones", "motor neuron"),
        ("twitches", "twitch"),
        ("injuries", "injury"),
        ("reflexes", "reflex"),
        ("Isaacs\u2019", "Isaac's"),
        ("Guillain-Barré", "guillain\u2013barre"),
        ("Ca²⁺", "ca2"),
        ("tumour", "tumor"),
    ],
)
def test_spelling_case_number_and_accents_fall_together(one: str, other: str) -> None:
    assert words_of(one).words == words_of(other).words


def test_punctuation_is_kept_between_the_words() -> None:
    text = words_of("?ALS; no weakness, 1.73 m2. End?")
    assert text.words == ("als", "no", "weakness", "1.73", "m2", "end")
    assert text.breaks == (DOUBT, ";", "", ",", "", ".", "?")


def test_the_longer_phrase_takes_the_words_of_the_shorter() -> None:
    table = PhraseTable(
        {"general": ["renal failure"], "exact": ["chronic renal failure"], "gap": ["failure .. heart"]}
    )
    found = table.find(words_of("Chronic renal failure, failure of the left heart. Renal. Failure"))
    assert [match.meaning for match in found] == ["exact", "gap"]


def test_a_gap_does_not_cross_a_comma() -> None:
    table = PhraseTable({"eyelid": ["twitching .. eyelid"]})
    assert table.find(words_of("twitching of the left eyelid"))
    assert not table.find(words_of("twitching, eyelid normal"))
    assert not table.find(words_of("twitching of one or other upper eyelid"))


@pytest.mark.parametrize("phrase", ["", "..", ".. eyelid", "twitching ..", "!"])
def test_a_phrase_needs_words(phrase: str) -> None:
    with pytest.raises(ValueError, match="needs words"):
        compile_phrase(phrase)


def test_no_phrase_means_two_things() -> None:
    for rows in (concepts(), orderable_tests()):
        seen: dict[tuple[str, ...], str] = {}
        for name, row in rows.items():
            for words in map(compile_phrase, chain(row.phrases, row.exact)):
                assert seen.setdefault(words, name) == name, (words, name, seen[words])
