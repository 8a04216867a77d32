"""How particular systems and countries write what everybody else writes otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.facts import PatientFacts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]

BFARM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
UNSET = "0001-01-01T00:00:00Z"


def german(letter: str) -> Json:
    """R25.3 of ICD-10-GM, as certain as the letter says."""
    extension = [{"url": CERTAINTY, "valueCoding": {"code": letter}}]
    return {"coding": [{"system": BFARM, "code": "R25.3", "extension": extension}]}


@pytest.mark.parametrize(
    "system",
    [
        BFARM,
        "http://fhir.de/CodeSystem/dimdi/icd-10-gm",
        "http://hl7.org/fhir/sid/icd-10-nl",
        "http://hl7.org/fhir/sid/icd-10-am",
        "http://www.hl7.org/fhir/sid/icd-10-cm|2026",
    ],
)
def test_a_national_icd_10_says_twitching(read: Read, condition: Make, system: str) -> None:
    (problem,) = read(condition(code={"coding": [{"system": system, "code": "R25.3"}]})).problems
    assert problem.concepts == ("fasciculation",)
    assert not problem.by_text


@pytest.mark.parametrize(("letter", "active"), [("G", True), ("V", True), ("Z", False)])
def test_the_certainty_of_a_german_diagnosis_is_read(
    read: Read, condition: Make, letter: str, active: bool
) -> None:
    facts = read(condition(code=german(letter), clinicalStatus=None, verificationStatus=None))
    assert [problem.active for problem in facts.problems] == [active]


def test_a_german_diagnosis_that_was_excluded_is_none(read: Read, condition: Make) -> None:
    assert read(condition(code=german("A"), verificationStatus=None)).problems == ()


def test_a_suspected_german_diagnosis_is_not_a_known_disease(read: Read, condition: Make) -> None:
    coding = german("V")["coding"][0] | {"code": "E20.9"}
    (problem,) = read(condition(code={"coding": [coding]}, verificationStatus=None)).problems
    assert problem.concepts == ()
    assert problem.suspected == ("hypoparathyroidism",)


def test_an_extension_of_another_shape_costs_nothing(read: Read, condition: Make) -> None:
    code = {"coding": [{"system": BFARM, "code": "R25.3", "extension": [{"url": 1, "valueCoding": "V"}]}]}
    assert read(condition(code=code)).problems[0].concepts == ("fasciculation",)


@pytest.mark.parametrize(
    "text",
    [
        "Calcium, vrij",
        "Calcium geïoniseerd",
        "Calcium ionisé",
        "Calcium (frit)",
        "Calcium urinaire",
        "Calcium, dU",
        "Pt(U)-Calcium",
        "Calcium LCR",
        "Calcium korrigiert",
    ],
)
def test_calcium_of_another_kind_in_another_language_is_no_total_calcium(
    read: Read, lab: Make, text: str
) -> None:
    assert all(result.analyte != "calcium_total" for result in read(lab(code={"text": text})).labs)


@pytest.mark.parametrize("text", ["K Lvl", "Potassium Lvl"])
def test_lvl_is_level(read: Read, lab: Make, text: str) -> None:
    assert [result.analyte for result in read(lab(code={"text": text})).labs] == ["potassium"]


def test_a_date_that_was_never_set_is_none(read: Read, lab: Make, condition: Make, order: Make) -> None:
    facts = read(
        {"resourceType": "Patient", "id": "p", "birthDate": "0001-01-01", "deceasedDateTime": UNSET},
        condition(clinicalStatus=None, abatementDateTime=UNSET, onsetDateTime=UNSET),
        order(authoredOn=UNSET),
        lab(effectiveDateTime=UNSET),
        lab(id="k2", effectiveDateTime=UNSET, issued="2026-02-25T08:00:00Z"),
    )
    assert facts.patient.birth_date is None
    assert not facts.patient.deceased
    assert [(problem.active, problem.onset) for problem in facts.problems] == [(True, None)]
    assert [medicine.start for medicine in facts.medications] == [None]
    assert [gap.reason for gap in facts.gaps] == ["no-date"]
    assert [result.date for result in facts.labs] == [date(2026, 2, 25)]


def test_an_end_that_is_open_is_none(read: Read, condition: Make, lab: Make) -> None:
    facts = read(
        condition(clinicalStatus=None, abatementDateTime="9999-12-31"),
        lab(effectiveDateTime=None, effectivePeriod={"start": "2026-02-25", "end": "9999-12-31T23:59:59Z"}),
    )
    assert [problem.active for problem in facts.problems] == [True]
    assert [result.date for result in facts.labs] == [date(2026, 2, 25)]


@pytest.mark.parametrize(
    ("period", "active"),
    [
        ({"start": UNSET, "end": "9999-12-31"}, True),
        ({"end": UNSET}, True),
        ({"start": "2026-02-01", "end": "9999-12-31"}, False),
        ({"end": "2026-02-01"}, False),
    ],
)
def test_a_period_of_abatement_that_was_never_set_resolves_nothing(
    read: Read, condition: Make, period: Json, active: bool
) -> None:
    facts = read(condition(clinicalStatus=None, abatementPeriod=period))
    assert [problem.active for problem in facts.problems] == [active]


def test_what_was_not_done_in_the_words_of_dstu2_was_not_done(read: Read) -> None:
    who = {"reference": "Patient/p"}
    facts = read(
        {
            "resourceType": "Procedure",
            "id": "x",
            "status": "completed",
            "notPerformed": True,
            "code": {"text": "Thyroidectomy"},
            "subject": who,
        },
        {
            "resourceType": "MedicationAdministration",
            "id": "a",
            "status": "completed",
            "wasNotGiven": True,
            "medicationCodeableConcept": {"text": "furosemide"},
            "patient": who,
        },
    )
    assert facts.problems == ()
    assert facts.medications == ()


def test_what_is_not_taken_by_the_text_of_its_adherence_is_not_taken(read: Read) -> None:
    statement = {
        "resourceType": "MedicationStatement",
        "id": "s",
        "status": "recorded",
        "adherence": {"code": {"text": "Not taking"}},
        "medication": {"concept": {"text": "furosemide"}},
        "subject": {"reference": "Patient/p"},
    }
    assert read(statement).medications == ()


def test_an_ingredient_is_known_by_the_name_of_its_reference(read: Read, order: Make) -> None:
    medicine = {
        "resourceType": "Medication",
        "id": "x",
        "ingredient": [{"itemReference": {"display": "Furosemide"}}],
    }
    asked = order(
        medicationCodeableConcept=None, medicationReference={"reference": "#x"}, contained=[medicine]
    )
    (taken,) = read(asked).medications
    assert taken.ingredients == ("furosemide",)


def report(*contained: Json, **elements: Any) -> Json:
    """A report that contains its results."""
    return {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-02-20",
        "contained": list(contained),
        "result": [{"reference": "#k"}],
    } | elements


def test_results_that_exist_only_inside_their_report_are_read(read: Read, lab: Make) -> None:
    (result,) = read(report(lab(effectiveDateTime=None, subject=None))).labs
    assert (result.analyte, str(result.value), result.date) == ("potassium", "2.9", date(2026, 2, 20))
    assert result.resource == "DiagnosticReport/r"


@pytest.mark.parametrize("subject", ["https://ehr.example/fhir/Patient/p", "Patient/p/_history/2"])
def test_a_result_inside_a_report_names_the_patient_as_it_likes(read: Read, lab: Make, subject: str) -> None:
    facts = read(report(lab(subject={"reference": subject})))
    assert [result.analyte for result in facts.labs] == ["potassium"]
    assert facts.gaps == ()


def test_results_of_a_panel_inside_a_report_are_read(read: Read, lab: Make) -> None:
    panel = lab(id="k", code={"text": "Electrolytes"}, valueQuantity=None)
    panel["hasMember"] = [{"reference": "#k1"}, {"reference": "#k"}]
    assert [result.analyte for result in read(report(panel, lab(id="k1"))).labs] == ["potassium"]


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"status": "entered-in-error"}, []),
        ({"contained": [{"resourceType": "Specimen", "id": "s"}]}, ["not-readable"]),
    ],
)
def test_a_report_in_error_says_nothing_and_a_lost_result_is_a_gap(
    read: Read, lab: Make, elements: Json, reason: list[str]
) -> None:
    facts = read(report(lab(), **elements))
    assert facts.labs == ()
    assert [gap.reason for gap in facts.gaps] == reason


def test_a_result_inside_a_report_about_somebody_else_is_not_used(read: Read, lab: Make) -> None:
    facts = read(report(lab(subject={"reference": "Patient/another"})))
    assert facts.labs == ()
    assert [gap.reason for gap in facts.gaps] == ["wrong-patient"]
