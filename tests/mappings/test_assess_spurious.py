"""Results that are not believed: which of them, from which specimen, and which stay believed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from mappings.assessment import Assessment, SafetyItem
from mappings.facts import LabResult

Judge = Callable[..., Assessment]
Make = Callable[..., Any]


def doubted(answer: Assessment) -> set[str]:
    return {gap.what for gap in answer.gaps if gap.reason == "spurious"}


class TestContamination:
    """High potassium with low calcium and low magnesium or ALP, in one tube."""

    @pytest.fixture
    def tubes(self, lab: Callable[..., LabResult]) -> Callable[..., list[LabResult]]:
        """The pattern, each result from the tube named."""

        def make(**tube: str) -> list[LabResult]:
            values = {"potassium": "6.8", "calcium_total": "1.50", "magnesium": "0.30"}
            found = [lab(name, value, specimen=tube[name]) for name, value in values.items()]
            return [*found, lab("albumin", "43", "g/L")]

        return make

    @pytest.mark.parametrize("other", ["calcium_total", "magnesium"])
    def test_all_of_it_must_come_from_one_tube(self, other: str, judge: Judge, tubes: Make) -> None:
        one = {"potassium": "s1", "calcium_total": "s1", "magnesium": "s1"}
        assert doubted(judge(*tubes(**one))) == set(one)
        apart = judge(*tubes(**one | {other: "s2"}))
        assert doubted(apart) == set()
        assert "safety:hyperkalaemia" in {item.id for item in apart.safety}

    def test_it_is_recognised_in_milliequivalents(self, judge: Judge, tubes: Make) -> None:
        potassium, *others = tubes(potassium="s1", calcium_total="s1", magnesium="s1")
        assert "potassium" in doubted(judge(replace(potassium, unit="meq/L"), *others))

    def test_a_result_of_another_tube_stays_believed(
        self, judge: Judge, tubes: Make, lab: Callable[..., LabResult]
    ) -> None:
        pattern = tubes(potassium="s1", calcium_total="s1", magnesium="s1")
        answer = judge(*pattern, lab("calcium_ionised", "0.85", specimen="s2"))
        assert doubted(answer) == {"potassium", "calcium_total", "magnesium"}
        assert [f"{c.id} {c.tier}" for c in answer.contributors] == ["hypocalcaemia A"]

    def test_what_is_not_believed_answers_nothing_and_is_repeated_urgently(
        self, judge: Judge, tubes: Make
    ) -> None:
        answer = judge(*tubes(potassium="s1", calcium_total="s1", magnesium="s1"))
        assert answer.contributors == ()
        (item,) = answer.safety
        assert isinstance(item, SafetyItem)
        assert (item.id, item.tier, item.indicator, item.references) == (
            "safety:spurious_result",
            "C1",
            "warning",
            ("C53",),
        )
        again = {test.id: (test.status, test.urgency) for test in answer.tests}
        assert {again[name] for name in ("potassium", "calcium_albumin", "magnesium")} == {
            ("suggested", "urgent")
        }


def test_a_result_that_is_not_believed_is_no_current_result_for_a_new_medicine(
    judge: Judge, lab: Make, drug: Make
) -> None:
    new = drug("furosemide 40 mg", "loop_diuretic", status="draft")
    answer = judge(lab("potassium", "6.8", specimen_problem="haemolysed"), medications=(new,))
    effect = answer.proposals[0].effects[0]
    assert (effect.text, effect.known) == ("may lower potassium: no current result", False)
    (again,) = [test for test in answer.tests if test.id == "potassium"]
    assert again.reason == (
        "high potassium in a haemolysed specimen; to know before furosemide 40 mg is started"
    )


class TestBiotin:
    """Thyroid results out of range on a high dose of biotin."""

    @pytest.mark.parametrize("tsh", ["0.05", "12"])
    def test_thyroid_results_of_any_day_are_not_believed_and_tsh_is_repeated(
        self, tsh: str, judge: Judge, lab: Callable[..., LabResult], drug: Make
    ) -> None:
        labs = lab("tsh", tsh, "m[IU]/L"), lab("ft4", "40", "pmol/L", date=date(2026, 2, 20))
        answer = judge(*labs, medications=(drug("biotin 10 mg", "biotin"),))
        assert (answer.contributors, doubted(answer)) == ((), {"tsh", "ft4"})
        assert [item.tier for item in answer.safety] == ["C1"]
        (again,) = [test for test in answer.tests if test.id == "tsh"]
        assert (again.status, again.urgency) == ("suggested", "routine")

    @pytest.mark.parametrize(("dose", "believed"), [("4.9 mg", True), ("5 mg", False)])
    def test_from_five_milligrams(
        self, dose: str, believed: bool, judge: Judge, lab: Callable[..., LabResult], drug: Make
    ) -> None:
        answer = judge(lab("tsh", "12", "m[IU]/L"), medications=(drug(f"biotin {dose}", "biotin"),))
        assert (doubted(answer) == set()) is believed
        assert bool(answer.contributors) is believed


def test_a_remark_on_a_specimen_is_one_sentence_after_the_result(judge: Judge, lab: Make) -> None:
    (note, *_) = judge(lab("potassium", "2.9", specimen_problem="haemolysed")).notes
    assert note == (
        "potassium 2.9 mmol/L (2026-03-01); limit of this grade 3, guideline limit; specimen haemolysed; "
        "haemolysis raises potassium, so the low potassium is real and may be under-stated."
    )


def test_of_copies_of_one_result_the_same_one_counts_in_any_order(judge: Judge, lab: Make) -> None:
    one = lab("active_b12", "25", "pmol/L")
    other = replace(one, specimen_problem="haemolysed")
    assert judge(one, other) == judge(other, one)
