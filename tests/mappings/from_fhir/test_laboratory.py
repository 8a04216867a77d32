from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mappings.facts import DataGap, LabResult, PatientFacts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]


def only_lab(facts: PatientFacts) -> LabResult:
    assert facts.gaps == ()
    (result,) = facts.labs
    return result


def only_gap(facts: PatientFacts) -> DataGap:
    assert facts.labs == ()
    (gap,) = facts.gaps
    return gap


def test_a_result_is_read_as_reported(read: Read, lab: Make) -> None:
    assert only_lab(read(lab(effectiveDateTime="2026-02-25T08:00:00+01:00"))) == LabResult(
        analyte="potassium",
        value=Decimal("2.9"),
        unit="mmol/L",
        date=date(2026, 2, 25),
        moment="2026-02-25T07:00:00.000000",
        label="Potassium",
        resource="Observation/k",
    )


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "Final", " final "])
def test_valid_states_are_used(status: str, read: Read, lab: Make) -> None:
    assert not only_lab(read(lab(status=status))).preliminary


def test_a_preliminary_result_is_used_and_labelled(read: Read, lab: Make) -> None:
    assert only_lab(read(lab(status="preliminary"))).preliminary


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_withdrawn_result_was_never_there(status: str, read: Read, lab: Make) -> None:
    facts = read(lab(status=status))
    assert facts.labs == ()
    assert facts.gaps == ()


def test_a_cancelled_result_with_a_reason_is_a_missing_value(read: Read, lab: Make) -> None:
    facts = read(lab(status="cancelled", valueQuantity=None, dataAbsentReason={"text": "haemolysed"}))
    assert only_gap(facts).reason == "no-value"


@pytest.mark.parametrize("status", ["registered", "unknown", "specimen-in-process", None, ""])
def test_other_states_are_not_usable(status: str | None, read: Read, lab: Make) -> None:
    gap = only_gap(read(lab(status=status)))
    assert (gap.what, gap.reason, gap.resource) == ("potassium", "status-not-usable", "Observation/k")
    assert gap.on == date(2026, 2, 25)


def test_laboratory_is_not_asked_for_as_a_category(read: Read, lab: Make) -> None:
    only_lab(read(lab(category=[{"coding": [{"code": "vital-signs"}]}])))


@pytest.mark.parametrize(
    ("sent", "comparator", "value"),
    [
        ({"valueQuantity": {"value": 2.9, "comparator": "<", "unit": "mmol/L"}}, "<", "2.9"),
        ({"valueQuantity": {"value": 2.9, "comparator": "≥", "unit": "mmol/L"}}, ">=", "2.9"),
        ({"valueQuantity": {"value": "2.90", "unit": "mmol/L"}}, "", "2.90"),
        ({"valueQuantity": None, "valueString": "2.9 mmol/L"}, "", "2.9"),
        ({"valueQuantity": None, "valueString": "<2.5mmol/L"}, "<", "2.5"),
        ({"valueQuantity": None, "valueString": "2,9 mmol/l"}, "", "2.9"),
        ({"valueQuantity": None, "valueString": "<2,51mmol/l"}, "<", "2.51"),
        ({"valueQuantity": None, "valueString": " ≤ 2.5 mEq/L "}, "<=", "2.5"),
    ],
)
def test_a_number_is_read_with_its_comparator_wherever_it_stands(
    sent: Json, comparator: str, value: str, read: Read, lab: Make
) -> None:
    result = only_lab(read(lab(**sent)))
    assert (result.comparator, str(result.value)) == (comparator, value)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"valueQuantity": {"value": 2.9}}, "no-unit"),
        ({"valueQuantity": None, "valueString": "2.9"}, "no-unit"),
        ({"valueQuantity": None, "valueInteger": 3}, "no-unit"),
        ({"valueQuantity": {"value": 2.9, "unit": "furlong"}}, "unknown-unit"),
        ({"valueQuantity": {"value": 2.9, "unit": "g/dL"}}, "unknown-unit"),
        ({"valueQuantity": {"value": 2900, "unit": "mmol/L"}}, "implausible-value"),
        ({"valueQuantity": None}, "no-value"),
        ({"valueQuantity": {"unit": "mmol/L"}}, "no-value"),
        ({"valueQuantity": {"extension": [{"url": "masked"}]}}, "no-value"),
        ({"dataAbsentReason": {"text": "2.9"}}, "no-value"),
        ({"valueQuantity": None, "dataAbsentReason": {"coding": [{"code": "unknown"}]}}, "no-value"),
        ({"valueQuantity": None, "valueString": "low"}, "not-numeric"),
        ({"valueQuantity": None, "valueString": "2.9-3.1 mmol/L"}, "not-numeric"),
        ({"valueQuantity": None, "valueString": "2,900 mmol/L"}, "not-numeric"),
        ({"valueQuantity": None, "valueString": "2,9,1 mmol/L"}, "not-numeric"),
        ({"valueQuantity": None, "valueCodeableConcept": {"text": "low"}}, "not-numeric"),
        ({"valueQuantity": None, "valueBoolean": True}, "not-numeric"),
        ({"valueQuantity": {"value": "NaN", "unit": "mmol/L"}}, "not-numeric"),
        ({"valueQuantity": {"value": "1E+400", "unit": "mmol/L"}}, "not-numeric"),
        ({"valueQuantity": {"value": "3." + "1" * 60, "unit": "mmol/L"}}, "not-numeric"),
        ({"valueQuantity": {"value": 2.9, "comparator": "ad", "unit": "mmol/L"}}, "not-numeric"),
        ({"effectiveDateTime": None}, "no-date"),
        ({"effectiveDateTime": "yesterday"}, "no-date"),
        (
            {"code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": "Phosphate"}},
            "code-contradicts-text",
        ),
    ],
)
def test_a_result_that_cannot_be_interpreted_says_why(sent: Json, reason: str, read: Read, lab: Make) -> None:
    gap = only_gap(read(lab(**sent)))
    assert (gap.what, gap.reason, gap.resource) == ("potassium", reason, "Observation/k")
    assert gap.text.startswith("potassium ")


def test_the_gap_says_what_was_not_interpreted(read: Read, lab: Make) -> None:
    assert (
        only_gap(read(lab(valueQuantity={"value": 2.9}))).text
        == "potassium 2.9 has no unit and was not interpreted"
    )


def test_a_number_under_loincs_name_that_is_no_loinc_code_is_read_by_its_text_and_says_so(
    read: Read, lab: Make
) -> None:
    facts = read(
        lab(code={"coding": [{"system": "http://loinc.org", "code": "1234", "display": "Potassium"}]})
    )
    assert facts.labs[0].by_text
    assert [(gap.what, gap.reason) for gap in facts.gaps] == [("potassium", "not-a-loinc-code")]


def test_text_alone_is_enough_at_lower_trust(read: Read, lab: Make) -> None:
    assert only_lab(read(lab(code={"text": "Serum potassium"}))).by_text


def test_a_code_among_several_is_enough(read: Read, lab: Make) -> None:
    codings = [
        {"system": "http://lab.example", "code": "K"},
        {"system": "http://loinc.org", "code": "6298-4"},
    ]
    result = only_lab(read(lab(code={"coding": codings})))
    assert result.analyte == "potassium"
    assert result.label == "potassium"


@pytest.mark.parametrize(
    ("times", "day"),
    [
        ({"effectiveDateTime": "2026-02"}, "2026-02-01"),
        ({"effectivePeriod": {"start": "2026-02-20", "end": "2026-02-21"}}, "2026-02-21"),
        ({"effectivePeriod": {"start": "2026-02-20"}}, "2026-02-20"),
        ({"effectiveInstant": "2026-02-20T01:00:00+05:00"}, "2026-02-20"),
        ({"issued": "2026-02-22T01:00:00Z"}, "2026-02-22"),
        ({"effectiveTiming": {"event": ["2026-02-20"]}, "issued": "2026-02-22"}, "2026-02-22"),
    ],
)
def test_a_result_is_dated_by_what_there_is(times: Json, day: str, read: Read, lab: Make) -> None:
    assert only_lab(read(lab(**{"effectiveDateTime": None} | times))).date.isoformat() == day


def test_a_result_without_time_takes_that_of_the_panel_that_lists_it(read: Read, lab: Make) -> None:
    panel = {
        "resourceType": "Observation",
        "id": "panel",
        "status": "final",
        "code": {"text": "Electrolytes"},
        "effectiveDateTime": "2026-02-24T09:00:00Z",
        "hasMember": [{"reference": "Observation/k"}],
    }
    assert only_lab(read(lab(effectiveDateTime=None), panel)).date == date(2026, 2, 24)
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "issued": "2026-02-24",
        "result": [{"reference": "Observation/k"}],
    }
    assert only_lab(read(report, lab(effectiveDateTime=None))).date == date(2026, 2, 24)


def test_panels_that_disagree_or_were_withdrawn_date_nothing(read: Read, lab: Make) -> None:
    def report(id_: str, day: str, status: str = "final") -> Json:
        result = [{"reference": "Observation/k"}, {"reference": "Observation/elsewhere"}]
        return {
            "resourceType": "DiagnosticReport",
            "id": id_,
            "status": status,
            "issued": day,
            "result": result,
        }

    undated = lab(effectiveDateTime=None)
    assert only_gap(read(undated, report("a", "2026-02-24"), report("b", "2026-02-25"))).reason == "no-date"
    assert only_gap(read(undated, report("a", "2026-02-24", "entered-in-error"))).reason == "no-date"


def test_components_are_results_of_their_own(read: Read) -> None:
    def component(code: str, value: float) -> Json:
        coding = {"system": "http://loinc.org", "code": code}
        return {"code": {"coding": [coding]}, "valueQuantity": {"value": value, "unit": "mmol/L"}}

    facts = read(
        {
            "resourceType": "Observation",
            "id": "panel",
            "status": "final",
            "code": {"text": "Electrolytes"},
            "effectiveDateTime": "2026-02-25",
            "component": [component("2823-3", 2.9), component("2951-2", 139), {"valueString": "no code"}],
        }
    )
    assert {(lab.analyte, lab.resource) for lab in facts.labs} == {
        ("potassium", "Observation/panel"),
        ("sodium", "Observation/panel"),
    }
    assert facts.gaps == ()


def test_a_panel_header_without_a_value_is_no_missing_result(read: Read, lab: Make) -> None:
    facts = read(lab(valueQuantity=None, hasMember=[{"reference": "Observation/x"}]))
    assert facts.labs == ()
    assert facts.gaps == ()


def test_an_observation_of_nothing_is_a_gap(read: Read, lab: Make) -> None:
    for code in (None, {}, {"coding": []}):
        assert only_gap(read(lab(code=code))).reason == "not-readable"
    assert read(lab(code=None, status="entered-in-error")).gaps == ()


def test_what_no_rule_knows_is_left_out_without_a_gap(read: Read, lab: Make) -> None:
    facts = read(
        lab(
            code={
                "coding": [{"system": "http://loinc.org", "code": "2089-1", "display": "Cholesterol in LDL"}]
            }
        )
    )
    assert facts.labs == ()
    assert facts.gaps == ()
