from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mappings.facts import Finding, Measure, PatientFacts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]
HL7 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def found(facts: PatientFacts) -> dict[str, bool]:
    assert facts.gaps == ()
    return {finding.concept: finding.present for finding in facts.findings}


def test_a_sign_on_examination_is_read(read: Read, exam: Make) -> None:
    facts = read(exam("Muscle weakness on examination", valueBoolean=True, bodySite={"text": "left hand"}))
    assert facts.findings == (
        Finding(
            concept="muscle_weakness",
            present=True,
            objective=True,
            text="Muscle weakness on examination",
            date=date(2026, 3, 1),
            site="left hand",
            resource="Observation/e",
        ),
    )


@pytest.mark.parametrize(
    "value",
    [
        {"valueBoolean": True},
        {"valueCodeableConcept": {"text": "Yes"}},
        {"valueCodeableConcept": {"coding": [{"code": "LA1", "display": "Present"}]}},
        {"valueString": "positive"},
        {"valueString": "Severe."},
        {},
    ],
)
def test_present_is_present(value: Json, read: Read, exam: Make) -> None:
    assert found(read(exam("Tongue fasciculation", **value)))["fasciculation_tongue"] is True


@pytest.mark.parametrize(
    "value",
    [
        {"valueBoolean": False},
        {"valueCodeableConcept": {"text": "No"}},
        {"valueCodeableConcept": {"coding": [{"display": "Absent"}]}},
        {"valueString": "not present"},
        {"valueString": "Normal"},
        {"interpretation": [{"coding": [{"system": HL7, "code": "N"}]}]},
    ],
)
def test_absent_is_absent(value: Json, read: Read, exam: Make) -> None:
    assert found(read(exam("Tongue fasciculation", **value)))["fasciculation_tongue"] is False


@pytest.mark.parametrize(
    "value",
    [
        {"valueCodeableConcept": {"coding": [{"code": "LA33-6"}]}},
        {"valueString": "4/5"},
        {"valueString": "see letter"},
    ],
)
def test_an_answer_that_is_not_understood_is_a_gap(value: Json, read: Read, exam: Make) -> None:
    facts = read(exam("Muscle weakness", **value))
    assert facts.findings == ()
    assert [(gap.what, gap.reason) for gap in facts.gaps] == [("muscle_weakness", "not-readable")]


@pytest.mark.parametrize(
    "elements",
    [{"dataAbsentReason": {"text": "not examined"}}, {"valueInteger": 4}, {"valueQuantity": {"value": 4}}],
)
def test_a_number_or_a_reason_for_absence_asserts_nothing(elements: Json, read: Read, exam: Make) -> None:
    assert found(read(exam("Muscle weakness", **elements))) == {}


def test_outside_an_examination_a_name_without_an_answer_asserts_nothing(read: Read, exam: Make) -> None:
    assert found(read(exam("Muscle weakness", category="survey"))) == {}


def test_findings_named_in_the_value_are_present(read: Read, exam: Make) -> None:
    facts = read(
        exam("Neurology note", valueString="Brisk reflexes in legs, tongue fasciculation; no wasting")
    )
    assert found(facts) == {"hyperreflexia": True, "fasciculation_tongue": True, "fasciculation": True}
    coded = {"coding": [{"system": "http://snomed.info/sct", "code": "86854008"}]}
    assert found(read(exam("Reflexes", valueCodeableConcept=coded))) == {"hyperreflexia": True}


def test_components_carry_findings(read: Read, exam: Make) -> None:
    parts = [
        {"code": {"text": "Tongue fasciculation"}, "valueBoolean": False},
        {"code": {"text": "Dysarthria"}, "valueBoolean": True},
    ]
    assert found(read(exam("Bulbar examination", component=parts)))["dysarthria"] is True


@pytest.mark.parametrize("text", ["Family history of neurological disease", "Fetal movement"])
def test_what_is_about_somebody_else_is_not_the_patients(text: str, read: Read, exam: Make) -> None:
    assert found(read(exam(text, valueString="muscle weakness and wasting"))) == {}


@pytest.mark.parametrize("category", ["laboratory", "imaging", "vital-signs"])
def test_texts_of_results_are_no_findings(category: str, read: Read, exam: Make) -> None:
    assert found(read(exam("Comment", category=category, valueString="low potassium, muscle weakness"))) == {}


@pytest.mark.parametrize(
    "elements",
    [
        {"category": "survey"},
        {"category": "social-history"},
        {"performer": [{"reference": "Patient/p"}]},
        {"performer": [{"reference": "Practitioner/x"}, {"reference": "RelatedPerson/r"}]},
    ],
)
def test_what_the_patient_reports_is_not_objective(elements: Json, read: Read, exam: Make) -> None:
    (finding,) = read(exam("Muscle weakness", valueBoolean=True, **elements)).findings
    assert not finding.objective


@pytest.mark.parametrize(
    "elements", [{}, {"performer": [{"reference": "Practitioner/x"}]}, {"category": "x"}]
)
def test_what_a_clinician_records_is_objective(elements: Json, read: Read, exam: Make) -> None:
    (finding,) = read(exam("Muscle weakness", valueBoolean=True, **elements)).findings
    assert finding.objective


def test_twitching_seen_is_a_problem_too_and_denied_is_none(read: Read, exam: Make) -> None:
    (problem,) = read(exam("Fasciculation", valueBoolean=True, bodySite={"text": "calf"})).problems
    assert (problem.concepts, problem.kind, problem.site) == (("fasciculation",), "Observation", "calf")
    assert problem.recorded == date(2026, 3, 1)
    assert read(exam("Fasciculation", valueBoolean=False)).problems == ()


def test_twitching_told_in_a_survey_is_a_problem(read: Read, exam: Make) -> None:
    facts = read(
        exam("Symptom reported by the patient", category="survey", valueString="twitching of both calves")
    )
    assert facts.problems[0].concepts == ("fasciculation",)
    assert facts.problems[0].by_text
    assert not facts.findings[0].objective


def test_a_twitching_tongue_is_both(read: Read, exam: Make) -> None:
    (problem,) = read(exam("Tongue fasciculation", valueBoolean=True)).problems
    assert problem.concepts == ("fasciculation", "fasciculation_tongue")


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_withdrawn_finding_was_never_there(status: str, read: Read, exam: Make) -> None:
    assert found(read(exam("Muscle weakness", status=status, valueBoolean=True))) == {}


def test_a_finding_of_unknown_status_is_a_gap(read: Read, exam: Make) -> None:
    facts = read(exam("Muscle weakness", status="unknown", valueBoolean=True))
    assert facts.findings == ()
    assert [(gap.what, gap.reason) for gap in facts.gaps] == [("muscle_weakness", "status-not-usable")]


NORMAL = [
    {"valueCodeableConcept": {"text": "Normal"}},
    {"valueString": "Normal power, tone and reflexes."},
    {"valueString": "Unremarkable"},
    {"interpretation": [{"coding": [{"system": HL7, "code": "N"}]}]},
]


@pytest.mark.parametrize("value", NORMAL)
def test_a_normal_neurological_examination(value: Json, read: Read, exam: Make) -> None:
    assert found(read(exam("Neurological examination", **value))) == {"neuro_exam_normal": True}


@pytest.mark.parametrize(
    "value",
    [
        {"valueString": "not done"},
        {"valueString": "Deferred, the patient is in pain"},
        {"valueBoolean": True},
        {"dataAbsentReason": {"text": "refused"}, "interpretation": [{"coding": [{"code": "N"}]}]},
        {},
    ],
)
def test_what_is_not_plainly_normal_is_not_called_normal(value: Json, read: Read, exam: Make) -> None:
    assert "neuro_exam_normal" not in found(read(exam("Neurological examination", **value)))


@pytest.mark.parametrize(
    "text", ["Normal except for the left foot", "Normal gait; reduced reflexes", "Not normal", "See letter"]
)
def test_an_examination_in_words_that_were_not_understood_is_named(text: str, read: Read, exam: Make) -> None:
    facts = read(exam("Neurological examination", valueString=text))
    assert {finding.concept for finding in facts.findings}.isdisjoint(
        {"neuro_exam_normal", "neuro_exam_abnormal"}
    )
    (gap,) = facts.gaps
    assert (gap.what, gap.reason, gap.on) == ("neuro_examination", "not-readable", date(2026, 3, 1))
    assert "(2026-03-01)" in gap.text


def test_findings_contradict_a_normal_flag(read: Read, exam: Make) -> None:
    flag = [{"coding": [{"system": HL7, "code": "N"}]}]
    facts = read(exam("Neurological examination", valueString="Brisk reflexes", interpretation=flag))
    assert found(facts) == {"hyperreflexia": True}


@pytest.mark.parametrize(
    "value", [{"valueString": "Abnormal"}, {"interpretation": [{"coding": [{"system": HL7, "code": "A"}]}]}]
)
def test_an_abnormal_neurological_examination(value: Json, read: Read, exam: Make) -> None:
    assert found(read(exam("Neurological examination", **value))) == {"neuro_exam_abnormal": True}


def quantity(value: Any, unit: str | None = None) -> Json:
    return {"valueQuantity": {"value": value} | ({"unit": unit, "code": unit} if unit else {})}


@pytest.mark.parametrize(
    ("name", "value", "item", "number", "unit"),
    [
        ("Caffeine intake per day", quantity(600, "mg/(24.h)"), "caffeine_intake", "600", "mg/(24.h)"),
        ("Caffeine intake per day", quantity(600, "mg/d"), "caffeine_intake", "600", "mg/(24.h)"),
        ("Caffeine intake per day", quantity(4, "{cups}/d"), "caffeine_intake", "4", "{cups}/d"),
        ("Caffeine intake per day", quantity(600), "caffeine_intake", "600", ""),
        ("Sleep duration per night", quantity(5, "h"), "sleep_duration", "5", "h"),
        ("Exercise", {"valueString": "ran a marathon"}, "exercise", None, ""),
        ("Diet", {"valueCodeableConcept": {"text": "high in salt"}}, "diet", None, ""),
        ("Heavy lifting", {"valueString": "moved house"}, "heavy_lifting", None, ""),
        ("Heavy lifting", {"valueBoolean": True}, "heavy_lifting", None, ""),
        ("Alcohol use", {"valueInteger": 3}, "alcohol", "3", ""),
        ("Stress", {"valueString": "high at work"}, "stress", None, ""),
    ],
)
def test_history_items_are_measured(
    name: str, value: Json, item: str, number: str | None, unit: str, read: Read, exam: Make
) -> None:
    facts = read(exam(name, category="social-history", **value))
    assert facts.gaps == ()
    (measure,) = facts.measures
    assert (measure.item, measure.value, measure.unit) == (item, Decimal(number) if number else None, unit)
    assert measure.date == date(2026, 3, 1)


def test_a_text_is_given_as_it_was_said_and_a_number_with_its_name(read: Read, exam: Make) -> None:
    (diet,) = read(exam("Diet", category="social-history", valueString="vegan 6 years")).measures
    assert diet.text == "vegan 6 years"
    (sleep,) = read(exam("Sleep duration per night", category="social-history", **quantity(5, "h"))).measures
    assert (sleep.text, sleep.value, sleep.unit) == ("Sleep duration per night", Decimal(5), "h")


def test_codes_without_text_are_history_items_too(read: Read) -> None:
    coding = {"system": "http://loinc.org", "code": "75626-2"}
    facts = read(
        {
            "resourceType": "Observation",
            "id": "a",
            "status": "final",
            "code": {"coding": [coding]},
            "valueInteger": 8,
        }
    )
    assert facts.measures == (Measure("alcohol", "alcohol", Decimal(8), "", None, "Observation/a"),)


@pytest.mark.parametrize(
    "value", [{}, {"dataAbsentReason": {"text": "declined"}}, {"valueQuantity": {"unit": "h"}}]
)
def test_an_unanswered_history_item_is_no_measure(value: Json, read: Read, exam: Make) -> None:
    assert read(exam("Sleep duration per night", category="social-history", **value)).measures == ()


def test_a_reported_symptom_is_told_and_found(read: Read, exam: Make) -> None:
    facts = read(
        exam(
            "Symptom reported by the patient",
            category="survey",
            valueString="legs feel weak",
            performer=[{"reference": "Patient/p"}],
        )
    )
    assert [(m.item, m.text) for m in facts.measures] == [("reported_symptom", "legs feel weak")]
    assert [(f.concept, f.objective) for f in facts.findings] == [("weakness_reported", False)]
