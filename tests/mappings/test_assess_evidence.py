"""Each kind of fact as evidence: the whole line, with its day, its limit and the resource it stands in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from mappings.assess.evidence import LONGEST, clip
from mappings.assessment import Assessment, Evidence, SafetyItem
from mappings.facts import Finding, Measure, Problem

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
TODAY = date(2026, 3, 1)


def shown(answer: Assessment) -> list[Evidence]:
    groups = (*answer.red_flags, *answer.contributors)
    return [item for group in groups for item in group.evidence]


def test_a_finding(judge: Judge) -> None:
    seen = Finding("muscle_atrophy", True, True, "wasting", TODAY, resource="Observation/w")
    assert shown(judge(findings=(seen,))) == [
        Evidence("wasting", "wasting (2026-03-01)", "Observation/w", date=TODAY)
    ]
    undated = replace(seen, date=None)
    assert shown(judge(findings=(undated,))) == [Evidence("wasting", "wasting", "Observation/w")]


def test_a_finding_that_only_the_patient_reports(judge: Judge, lab: Make) -> None:
    felt = Finding("tetany", True, False, "hands lock", TODAY, resource="QuestionnaireResponse/1")
    answer = judge(lab("calcium_ionised", "1.05"), findings=(felt,))
    assert [(c.id, c.indicator) for c in answer.contributors] == [("hypocalcaemia", "critical")]
    assert shown(answer)[1:] == [
        Evidence("hands lock", "hands lock (reported by the patient)", "QuestionnaireResponse/1", date=TODAY)
    ]


def test_a_problem(judge: Judge) -> None:
    stress = Problem(("stress",), "Stress", recorded=date(2025, 5, 1), resource="Condition/s")
    (item,) = shown(judge(problems=[stress]))
    assert item == Evidence("Stress", "Stress (2025-05-01)", "Condition/s", date=date(2025, 5, 1))
    (item,) = shown(judge(problems=[replace(stress, onset=date(2025, 4, 1))]))
    assert item == Evidence("Stress", "Stress since 2025-04-01", "Condition/s", date=date(2025, 4, 1))
    (item,) = shown(judge(problems=[replace(stress, recorded=None)]))
    assert item == Evidence("Stress", "Stress", "Condition/s")


def test_a_habit(judge: Judge) -> None:
    coffee = Measure("caffeine_intake", "Caffeine intake", Decimal(500), "mg/d", TODAY, "Observation/c")
    line = "Caffeine intake: 500 mg/d"
    assert shown(judge(measures=(coffee,))) == [
        Evidence(line, f"{line} (2026-03-01)", "Observation/c", unit="mg/d", date=TODAY)
    ]
    undated = replace(coffee, date=None)
    assert shown(judge(measures=(undated,))) == [Evidence(line, line, "Observation/c", unit="mg/d")]


def test_a_medicine(judge: Judge, drug: Make) -> None:
    since = drug("furosemide 40 mg", "loop_diuretic", start=TODAY)
    assert shown(judge(medications=(since,))) == [
        Evidence(
            "furosemide 40 mg",
            "furosemide 40 mg since 2026-03-01",
            "MedicationRequest/furosemide",
            date=TODAY,
        )
    ]


@pytest.mark.parametrize(("value", "flag"), [("3.5", ""), ("4.0", ""), ("4.0", "N")])
def test_a_normal_result_stands_beside_the_limit_that_it_keeps(
    value: str, flag: str, judge: Judge, lab: Make
) -> None:
    haemolysed = lab("potassium", value, specimen_problem="haemolysed", interpretation=flag)
    assert judge(haemolysed).notes[0] == (
        f"potassium {value} mmol/L (2026-03-01); lower limit 3.5, default limit, the laboratory gave none; "
        "specimen haemolysed; "
        "haemolysis raises potassium, so a normal value may hide a low one."
    )


@pytest.mark.parametrize("flag", ["", "N"])
def test_a_normal_result_without_a_lower_limit_stands_beside_the_upper_one(
    flag: str, judge: Judge, lab: Make, drug: Make
) -> None:
    normal = lab("lithium", "0.8", interpretation=flag)
    _, level = shown(judge(normal, medications=(drug("lithium carbonate 400 mg", "lithium"),)))
    assert level.text == (
        "lithium level 0.8 mmol/L (2026-03-01); upper limit 1, default limit, the laboratory gave none"
    )


def test_a_value_is_not_shortened_onto_its_limit(judge: Judge, lab: Make) -> None:
    (item,) = shown(judge(lab("potassium", "3.4999999")))
    assert (item.value, item.limit) == ("3.4999999", "3.5 mmol/L")


def test_a_result_that_the_laboratory_flagged_has_no_limit(judge: Judge, lab: Make) -> None:
    (item,) = shown(judge(lab("potassium", "3.6", interpretation="L")))
    assert item == Evidence(
        "potassium",
        "potassium 3.6 mmol/L (2026-03-01); flagged by the laboratory",
        "Observation/potassium",
        value="3.6",
        unit="mmol/L",
        date=TODAY,
        limit_source="lab",
    )


def test_a_safety_item_carries_all_that_its_rule_says(judge: Judge, lab: Make) -> None:
    (item,) = judge(lab("potassium", "6.8")).safety
    (proof,) = item.evidence
    assert item == SafetyItem(
        "safety:hyperkalaemia",
        "High potassium",
        (proof,),
        "Not a usual cause of twitching; shown for safety. Verify it and follow the local critical-result policy.",
        "A",
        "critical",
        ("C15", "C16"),
    )
    assert proof.text == "potassium 6.8 mmol/L (2026-03-01); critical limit 6.5, guideline limit"


def test_what_is_cut_ends_in_a_word() -> None:
    assert clip("x" * (LONGEST - 2) + " and more") == "x" * (LONGEST - 2) + "…"


def test_of_several_medicines_two_are_named_as_cleared(judge: Judge, lab: Make, drug: Make) -> None:
    labs = [lab(name, value) for name, value in (("potassium", "4.1"), ("magnesium", "0.85"))]
    labs += [lab("calcium_ionised", "1.20")]
    starts = (("furosemide", 3), ("bumetanide", 1), ("torasemide", 2))
    taken = tuple(drug(f"{name} 10 mg", "loop_diuretic", start=date(2026, 1, day)) for name, day in starts)
    assert [c.why for c in judge(*labs, medications=taken).considered if c.id == "drug:loop_diuretic"] == [
        "bumetanide 10 mg, torasemide 10 mg: potassium, magnesium, ionised calcium normal since it was started"
    ]


def test_a_condition_is_cleared_in_words_of_its_own(judge: Judge, lab: Make) -> None:
    labs = lab("potassium", "4.1"), lab("magnesium", "0.85")
    diarrhoea = Problem(("diarrhea",), "Diarrhoea", onset=date(2026, 1, 1), resource="Condition/d")
    assert [c.why for c in judge(*labs, problems=[diarrhoea]).considered if c.id.startswith("cond:")] == [
        "Diarrhoea: potassium, magnesium normal"
    ]
