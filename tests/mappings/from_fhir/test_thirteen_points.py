"""What real records look like: the thirteen points counted in public data, one test each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mappings.facts import PatientFacts
from mappings.from_fhir.read import Source, read_patient_facts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]
LOINC = "http://loinc.org"


def reasons(facts: PatientFacts) -> set[tuple[str, str]]:
    return {(gap.what, gap.reason) for gap in facts.gaps}


def test_01_a_local_number_under_loincs_uri_is_read_by_its_display_at_lower_trust(
    read: Read, lab: Make
) -> None:
    facts = read(
        lab(
            code={"coding": [{"system": LOINC, "code": "5022", "display": "Magnesium"}]},
            valueQuantity={"value": 0.6, "unit": "mmol/L"},
        )
    )
    assert [(result.analyte, result.by_text) for result in facts.labs] == [("magnesium", True)]
    assert reasons(facts) == {("magnesium", "not-a-loinc-code")}


def test_02_a_value_whose_text_names_another_analyte_is_never_interpreted(read: Read, lab: Make) -> None:
    phosphate = {"coding": [{"system": LOINC, "code": "2823-3", "display": "Phosphate"}]}
    facts = read(lab(code=phosphate, valueQuantity={"value": 1.1}))
    assert facts.labs == ()
    assert reasons(facts) == {("potassium", "code-contradicts-text")}


def test_03_units_are_understood_as_written_or_refused(read: Read, lab: Make) -> None:
    def sent(id_: str, **quantity: Any) -> Json:
        return lab(id=id_, valueQuantity={"value": 2.9} | quantity)

    facts = read(
        sent("1", unit="mEq/L"),
        sent("2", unit="millimole", system="http://unitsofmeasure.org/", code="mmol/L "),
        sent("3", unit="meq/L"),
        sent("4"),
        sent("5", unit="mq/dL"),
    )
    assert {(result.resource[-1], result.unit) for result in facts.labs} == {
        ("1", "meq/L"),
        ("2", "mmol/L"),
        ("3", "meq/L"),
    }
    assert reasons(facts) == {("potassium", "no-unit"), ("potassium", "unknown-unit")}


def test_04_a_unit_the_analyte_cannot_have_is_refused(read: Read, lab: Make) -> None:
    wrong = {"value": 4.1, "unit": "mg/dL"}
    limits = [{"low": {"value": 3.5, "unit": "g/dL"}, "high": {"value": 5.1, "unit": "g/dL"}}]
    facts = read(lab(valueQuantity=wrong, referenceRange=limits))
    assert facts.labs == ()
    assert reasons(facts) == {("potassium", "implausible-value")}


def test_05_whole_blood_codes_count_and_the_laboratorys_range_is_kept_for_comparison(
    read: Read, lab: Make
) -> None:
    total_called_ionised = lab(
        id="ca",
        code={"coding": [{"system": LOINC, "code": "13959-2"}]},
        valueQuantity={"value": 2.39, "unit": "mmol/L"},
        referenceRange=[
            {"low": {"value": 2.25, "unit": "mmol/L"}, "high": {"value": 2.65, "unit": "mmol/L"}}
        ],
    )
    blood = lab(id="k", code={"coding": [{"system": LOINC, "code": "6298-4"}]})
    facts = read(blood, total_called_ionised)
    by_analyte = {result.analyte: result for result in facts.labs}
    assert set(by_analyte) == {"potassium", "calcium_ionised"}
    limits = by_analyte["calcium_ionised"].range
    assert limits
    assert str(limits.low) == "2.25"


def test_06_states_that_are_not_final_are_labelled_dropped_or_refused(read: Read, lab: Make) -> None:
    states = ["final", "preliminary", "entered-in-error", "cancelled", "registered", "unknown"]
    facts = read(*(lab(id=state, status=state) for state in states))
    assert {(result.resource.partition("/")[2], result.preliminary) for result in facts.labs} == {
        ("final", False),
        ("preliminary", True),
    }
    assert {gap.resource.partition("/")[2] for gap in facts.gaps} == {"registered", "unknown"}


def test_07_values_outside_the_quantity_are_read_if_plain_and_named_if_not(read: Read, lab: Make) -> None:
    def sent(id_: str, **elements: Any) -> Json:
        return lab(**{"id": id_, "valueQuantity": None} | elements)

    facts = read(
        sent("1", valueString="3.2 mmol/L"),
        sent("2", valueString="<2.5 mmol/L"),
        sent("3", valueQuantity={"value": "3.2", "unit": "mmol/L"}),
        sent("4", valueString="12"),
        sent("5", dataAbsentReason={"text": "3.2"}),
        sent("6", valueQuantity={"extension": [{"url": "masked"}], "unit": "mmol/L"}),
        sent("7"),
    )
    assert {(result.resource[-1], result.comparator, str(result.value)) for result in facts.labs} == {
        ("1", "", "3.2"),
        ("2", "<", "2.5"),
        ("3", "", "3.2"),
    }
    assert {(gap.resource[-1], gap.reason) for gap in facts.gaps} == {
        ("4", "no-unit"),
        ("5", "no-value"),
        ("6", "no-value"),
        ("7", "no-value"),
    }


def test_08_only_a_plain_interval_for_this_patient_is_used(read: Read, lab: Make) -> None:
    def sent(id_: str, *ranges: Json) -> Json:
        return lab(id=id_, referenceRange=list(ranges))

    good = {"low": {"value": 3.5}, "high": {"value": 5.1}}
    facts = read(
        sent("1", good),
        sent("2", {"text": "3.5-5.1"}),
        sent("3", good, {"type": {"coding": [{"code": "therapeutic"}]}, "low": {"value": 1}}),
        sent("4", {"low": {"value": 0}, "high": {"value": 0}}),
        sent("5", {"text": "()"}),
        sent("6", {"low": {"value": 5.1}, "high": {"value": 3.5}}),
        sent("7", {"low": {"value": 14, "unit": "mg/dL"}, "high": {"value": 20, "unit": "mg/dL"}}),
        sent("8"),
    )
    assert {result.resource[-1] for result in facts.labs if result.range} == {"1", "2", "3"}
    assert len(facts.labs) == 8


def test_09_medicines_are_found_through_every_kind_of_reference_or_named_as_unresolved(order: Make) -> None:
    def request(id_: str, reference: str | None = None, **elements: Any) -> Json:
        named = {"medicationReference": {"reference": reference}} if reference else {}
        return {"resource": order(**{"id": id_, "medicationCodeableConcept": None} | named | elements)}

    furosemide = {"resourceType": "Medication", "code": {"text": "Furosemide 40 mg"}}
    entries = [
        {"fullUrl": "urn:uuid:f", "resource": furosemide},
        {"fullUrl": "https://ehr.example/fhir/Medication/g", "resource": furosemide | {"id": "g"}},
        request("1", "urn:uuid:f"),
        request("2", "Medication/g"),
        request("3", "https://ehr.example/fhir/Medication/g"),
        request("4", "#m", contained=[furosemide | {"id": "m"}]),
        request(
            "5",
            medicationCodeableConcept={"coding": [{"system": "http://www.whocc.no/atc", "code": "C03CA01"}]},
        ),
        request("6", medicationCodeableConcept={"text": "furosemide"}),
        request("7", "Medication/unsent"),
        request("8"),
    ]
    facts = read_patient_facts("p", [Source("record", json.dumps({"entry": entries}).encode())])
    assert {(m.resource[-1], m.classes) for m in facts.medications} == {
        (str(n), ("loop_diuretic",)) for n in range(1, 7)
    }
    assert {(gap.resource[-1], gap.reason) for gap in facts.gaps} == {
        ("7", "medication-not-resolved"),
        ("8", "medication-not-resolved"),
    }


def test_10_not_taken_is_not_taken_and_routes_are_local_words(read: Read, order: Make) -> None:
    not_taken = [
        order(id="1", doNotPerform=True),
        order(id="2", status="cancelled"),
        order(id="3", status="on-hold"),
        order(id="4", status="entered-in-error"),
        order(id="5", intent="plan"),
        order(id="6", intent="proposal"),
        order(id="7", medicationCodeableConcept={"text": "No known medications"}),
    ]
    inhaled = order(
        id="8",
        medicationCodeableConcept={"text": "budesonide"},
        dosageInstruction=[{"route": {"text": "INH"}}],
    )
    swallowed = order(
        id="9",
        medicationCodeableConcept={"text": "prednisolone"},
        dosageInstruction=[{"route": {"text": "zum Einnehmen"}}],
    )
    facts = read(*not_taken, inhaled, swallowed)
    assert {(m.resource[-1], m.classes, m.route) for m in facts.medications} == {
        ("8", (), "inhaled"),
        ("9", ("systemic_corticosteroid",), "oral"),
    }


def test_11_whose_it_is_follows_any_reference_in_any_kind_of_bundle(lab: Make) -> None:
    patient = {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "gender": "female"}}
    results = [
        {"fullUrl": f"urn:uuid:2{n}", "resource": lab(id=None, subject=subject)}
        for n, subject in enumerate(
            [{"reference": "urn:uuid:1"}, {"reference": "Patient/p"}, None, {"reference": "urn:uuid:9"}]
        )
    ]
    warning = {
        "resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]},
        "search": {"mode": "outcome"},
    }
    for kind in ("document", "message", "batch-response", "searchset", "collection", "transaction"):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [patient, *results, warning]}
        for content in (bundle, [bundle, bundle]):
            facts = read_patient_facts("p", [Source("record", json.dumps(content).encode())])
            assert {result.resource for result in facts.labs} == {"urn:uuid:20", "urn:uuid:21", "urn:uuid:22"}
            assert reasons(facts) == {("Observation", "wrong-patient")}


def test_12_other_releases_partial_dates_and_absent_states_are_read(
    read: Read, lab: Make, order: Make, condition: Make
) -> None:
    facts = read(
        lab(id="1", effectiveDateTime="2026-02"),
        lab(id="2", effectiveDateTime=None, effectivePeriod={"start": "2026-02-01"}),
        lab(id="3", effectiveDateTime=None, issued="2026-02-01T08:00"),
        lab(id="4", effectiveDateTime=None),
        order(medicationCodeableConcept=None, medication={"concept": {"text": "furosemide"}}),
        condition(id="1", clinicalStatus="active", verificationStatus="confirmed"),
        condition(
            id="2",
            clinicalStatus=None,
            verificationStatus=None,
            code={"coding": [{"system": "urn:oid:2.16.840.1.113883.6.90", "code": "R253"}]},
        ),
        condition(id="3", verificationStatus="refuted"),
        condition(id="4", verificationStatus={"coding": [{"code": "entered-in-error"}]}),
    )
    assert {result.resource[-1] for result in facts.labs} == {"1", "2", "3"}
    assert reasons(facts) == {("potassium", "no-date")}
    assert len(facts.medications) == 1
    assert {(problem.resource[-1], problem.active) for problem in facts.problems} == {
        ("1", True),
        ("2", True),
    }


def test_13_prefetch_as_clients_really_send_it(lab: Make, condition: Make) -> None:
    def encoded(value: Any) -> bytes:
        return json.dumps(value).encode()

    facts = read_patient_facts(
        "Patient/p",
        [
            Source(
                "patient", encoded({"resourceType": "Patient", "id": "p", "birthDate": "1980"}), ("Patient",)
            ),
            Source(
                "conditions",
                encoded(
                    {"response": {"status": "200 OK"}, "resource": {"entry": [{"resource": condition()}]}}
                ),
                ("Condition",),
            ),
            Source("labs", encoded(lab()), ("Observation",)),
            Source("medications", None, ("MedicationRequest",)),
            Source("orders", encoded({"resourceType": "Bundle", "type": "searchset"}), ("ServiceRequest",)),
            Source("encounter", None, ("Encounter",)),
        ],
    )
    assert len(facts.labs) == len(facts.problems) == 1
    assert facts.patient.birth_date
    assert facts.read == {"Patient", "Condition", "Observation", "ServiceRequest"}
    assert reasons(facts) == {("MedicationRequest", "not-provided"), ("Encounter", "not-provided")}
