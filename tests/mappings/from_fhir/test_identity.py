"""Nothing about another patient may reach the facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mappings.facts import PatientFacts
from mappings.from_fhir.read import Source, read_patient_facts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]
UUID = "urn:uuid:0b4ba65d-4299-5f1c-bddb-7746935ec0e1"


def entries(patient_id: str, *found: tuple[str, Json]) -> PatientFacts:
    bundle = {"entry": [{"fullUrl": url, "resource": resource} for url, resource in found]}
    return read_patient_facts(patient_id, [Source("record", json.dumps(bundle).encode())])


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p",
        "Patient/p/_history/2",
        "https://ehr.example/fhir/Patient/p",
        "https://ehr.example/fhir/Patient/p/_history/1",
        "urn:uuid:p",
        "p",
    ],
)
def test_every_way_to_name_the_patient_is_accepted(reference: str, read: Read, lab: Make) -> None:
    facts = read(lab(subject={"reference": reference}))
    assert len(facts.labs) == 1
    assert facts.gaps == ()


@pytest.mark.parametrize(
    "patient_id", ["p", "Patient/p", " p ", "https://ehr.example/fhir/Patient/p", "urn:uuid:p"]
)
def test_the_context_may_carry_a_prefix(patient_id: str, read: Read, lab: Make) -> None:
    facts = read(lab(), patient_id=patient_id)
    assert len(facts.labs) == 1
    assert facts.patient.id == "p"


@pytest.mark.parametrize("subject", [None, {}, {"display": "somebody"}, {"identifier": {"value": "1"}}])
def test_without_a_subject_it_is_about_the_patient(subject: Json | None, read: Read, lab: Make) -> None:
    assert len(read(lab(subject=subject)).labs) == 1


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/q",
        "Patient/P",
        "https://ehr.example/fhir/Patient/pp",
        UUID,
        "#patient",
        "patient/p",
        "x/Patient/p/q",
        "q",
        "P",
    ],
)
def test_another_patient_is_dropped_and_named(reference: str, read: Read, lab: Make, order: Make) -> None:
    other = {"reference": reference}
    facts = read(lab(subject=other), lab(id="k2", subject=other), order(subject=other))
    assert facts.labs == ()
    assert facts.medications == ()
    assert {(gap.what, gap.reason) for gap in facts.gaps} == {
        ("Observation", "wrong-patient"),
        ("MedicationRequest", "wrong-patient"),
    }
    assert "2 Observation" in facts.gaps[0].text


@pytest.mark.parametrize("reference", ["Group/g", "Device/d", "Location/l"])
def test_what_is_not_about_a_patient_is_left_out(reference: str, read: Read, lab: Make) -> None:
    facts = read(lab(subject={"reference": reference}))
    assert facts.labs == ()
    assert facts.gaps == ()


def test_the_patient_element_of_older_releases_counts_too(read: Read, lab: Make) -> None:
    assert read(lab(subject=None, patient={"reference": "Patient/q"})).labs == ()
    assert read(lab(subject={"display": "x"}, patient={"reference": "Patient/q"})).labs == ()


def test_a_result_of_the_unborn_child_is_not_the_mothers(read: Read, lab: Make) -> None:
    facts = read(lab(focus=[{"reference": "RelatedPerson/child"}]))
    assert facts.labs == ()
    assert facts.gaps[0].reason == "wrong-patient"
    assert len(read(lab(focus=[{"reference": "Patient/p"}])).labs) == 1


def test_urn_uuid_references_follow_the_patients_full_url(lab: Make) -> None:
    patient = {"resourceType": "Patient", "id": "p", "gender": "female"}
    for reference in (UUID, "urn:uuid:" + UUID.removeprefix("urn:uuid:").upper()):
        facts = entries("p", (UUID, patient), ("urn:uuid:1", lab(subject={"reference": reference})))
        assert len(facts.labs) == 1
        assert facts.patient.sex == "female"


@pytest.mark.parametrize("patient_id", [UUID, UUID.removeprefix("urn:uuid:"), "p"])
def test_a_patient_without_id_is_known_by_the_full_url_or_by_being_alone(patient_id: str, lab: Make) -> None:
    patient = {"resourceType": "Patient", "gender": "female"}
    facts = entries(patient_id, (UUID, patient), ("urn:uuid:1", lab(id=None, subject={"reference": UUID})))
    assert len(facts.labs) == 1
    assert facts.patient.sex == "female"


def test_of_two_patients_without_id_neither_is_taken(lab: Make) -> None:
    patient = {"resourceType": "Patient", "gender": "female"}
    facts = entries(
        "p",
        (UUID, patient),
        ("urn:uuid:2", patient | {"gender": "male"}),
        ("", lab(subject={"reference": UUID})),
    )
    assert facts.patient.sex == ""
    assert facts.labs == ()
    assert {gap.reason for gap in facts.gaps} == {"wrong-patient"}


def test_a_patient_without_id_beside_the_right_one_is_another(read: Read) -> None:
    facts = read(
        {"resourceType": "Patient", "id": "p", "gender": "male"},
        {"resourceType": "Patient", "gender": "female"},
    )
    assert facts.patient.sex == "male"
    assert [(gap.what, gap.reason) for gap in facts.gaps] == [("Patient", "wrong-patient")]


def test_a_bare_patient_without_id_is_the_patient_asked_for() -> None:
    content = b'{"resourceType": "Patient", "gender": "female", "birthDate": "1980-05-05"}'
    facts = read_patient_facts("p", [Source("patient", content, ("Patient",))])
    assert facts.patient.sex == "female"


def test_another_patients_demographics_are_not_used(read: Read) -> None:
    facts = read({"resourceType": "Patient", "id": "q", "gender": "female", "birthDate": "1980-01-01"})
    assert facts.patient.sex == ""
    assert facts.patient.birth_date is None
    assert [(gap.what, gap.reason) for gap in facts.gaps] == [("Patient", "wrong-patient")]


def test_no_gap_names_an_identifier(read: Read, lab: Make) -> None:
    facts = read(lab(subject={"reference": "Patient/secret", "display": "Jane Roe"}))
    assert "secret" not in repr(facts)
    assert "Jane" not in repr(facts)
