from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.facts import Patient, PatientFacts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]


def patient(**elements: Any) -> Json:
    return {"resourceType": "Patient", "id": "p"} | elements


def test_the_patient_is_read(read: Read) -> None:
    known = read(patient(birthDate="1980-05-17", gender="female")).patient
    assert known == Patient("p", (date(1980, 5, 17), date(1980, 5, 17)), "female")


@pytest.mark.parametrize(
    ("birth_date", "earliest", "latest"),
    [("1980", date(1980, 1, 1), date(1980, 12, 31)), ("1980-02", date(1980, 2, 1), date(1980, 2, 29))],
)
def test_a_partial_birth_date_is_a_span(birth_date: str, earliest: date, latest: date, read: Read) -> None:
    assert read(patient(birthDate=birth_date)).patient.birth_date == (earliest, latest)


@pytest.mark.parametrize(
    "elements", [{}, {"birthDate": "unknown", "gender": "unknown"}, {"birthDate": "", "gender": "x"}]
)
def test_what_is_not_known_stays_unknown(elements: Json, read: Read) -> None:
    assert read(patient(**elements)).patient == Patient("p")


def test_without_a_patient_resource_nothing_but_the_id_is_known(read: Read) -> None:
    assert read().patient == Patient("p")


@pytest.mark.parametrize(("gender", "sex"), [("Male", "male"), ("other", "other"), ("female", "female")])
def test_sex(gender: str, sex: str, read: Read) -> None:
    assert read(patient(gender=gender)).patient.sex == sex


@pytest.mark.parametrize(
    ("elements", "deceased"),
    [
        ({"deceasedBoolean": True}, True),
        ({"deceasedBoolean": False}, False),
        ({"deceasedDateTime": "2026-01"}, True),
        ({"deceasedBoolean": "true"}, True),
    ],
)
def test_deceased(elements: Json, deceased: bool, read: Read) -> None:
    assert read(patient(**elements)).patient.deceased is deceased


def status(value: Json, day: str = "2026-02-01", **elements: Any) -> Json:
    coding = {"system": "http://loinc.org", "code": "82810-3"}
    usual = {
        "resourceType": "Observation",
        "id": day,
        "status": "final",
        "code": {"coding": [coding]},
        "effectiveDateTime": day,
    }
    return usual | value | elements


PREGNANT = {
    "valueCodeableConcept": {
        "coding": [{"system": "http://snomed.info/sct", "code": "77386006"}],
        "text": "Pregnant, week 30",
    }
}
NOT_PREGNANT = {"valueCodeableConcept": {"text": "Not pregnant"}}


@pytest.mark.parametrize(
    "value", [PREGNANT, {"valueBoolean": True}, {"valueString": "Pregnant"}, {"valueString": "yes"}]
)
def test_pregnancy_status(value: Json, read: Read) -> None:
    assert read(status(value)).patient.pregnant


def test_pregnancy_says_what_was_recorded(read: Read) -> None:
    assert read(status(PREGNANT)).patient.pregnancy_text == "Pregnant, week 30"


@pytest.mark.parametrize(
    "value",
    [
        NOT_PREGNANT,
        {"valueBoolean": False},
        {"valueCodeableConcept": {"text": "Possible pregnancy"}},
        {"valueString": "unknown"},
        {"valueString": "Patient currently not pregnant"},
        {"dataAbsentReason": {"text": "declined"}},
        {},
    ],
)
def test_not_known_to_be_pregnant(value: Json, read: Read) -> None:
    known = read(status(value)).patient
    assert not known.pregnant
    assert known.pregnancy_text == ""


@pytest.mark.parametrize("state", ["entered-in-error", "unknown"])
def test_a_withdrawn_pregnancy_status_does_not_count(state: str, read: Read) -> None:
    assert not read(status(PREGNANT, status=state)).patient.pregnant


def test_the_latest_statement_counts(read: Read) -> None:
    assert not read(status(PREGNANT, "2025-01-01"), status(NOT_PREGNANT, "2026-01-01")).patient.pregnant
    assert read(status(NOT_PREGNANT, "2025-01-01"), status(PREGNANT, "2026-01-01")).patient.pregnant
    assert read(
        status(NOT_PREGNANT, "2026-01-01", id="a"), status(PREGNANT, "2026-01-01", id="b")
    ).patient.pregnant


def test_an_active_pregnancy_on_the_problem_list_counts_unless_a_later_status_denies_it(
    read: Read, condition: Make
) -> None:
    pregnancy = condition(code={"text": "Pregnancy"}, recordedDate="2026-01-01")
    assert read(pregnancy).patient.pregnant
    assert not read(pregnancy, status(NOT_PREGNANT, "2026-02-01")).patient.pregnant
    assert read(pregnancy, status(NOT_PREGNANT, "2025-02-01")).patient.pregnant
    assert not read(pregnancy | {"clinicalStatus": "resolved"}).patient.pregnant


def test_pregnancy_decides_the_reference_interval(read: Read, lab: Make) -> None:
    usual = {"low": {"value": 3.5}, "high": {"value": 5.1}}
    pregnant = {"low": {"value": 3.2}, "high": {"value": 4.6}, "appliesTo": [{"text": "Pregnant"}]}
    for resources in (
        [lab(referenceRange=[usual, pregnant]), status(PREGNANT)],
        [status(PREGNANT), lab(referenceRange=[usual, pregnant])],
    ):
        (result,) = read(*resources).labs
        assert result.range
        assert str(result.range.low) == "3.2"
