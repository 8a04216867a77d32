from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mappings.facts import Limits, PatientFacts
from mappings.from_fhir.datatypes import CodeableConcept, Coding
from mappings.from_fhir.limits import Person, Reported, interpretation, limits
from mappings.from_fhir.shapes import ReferenceRange

Json = dict[str, Any]
POTASSIUM = Reported("potassium", Decimal("2.9"), "mmol/L", "mmol/L", date(2026, 2, 25))
WOMAN = Person("female", (date(1986, 1, 1), date(1986, 12, 31)))
HL7 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def chosen(*ranges: Json, person: Person = WOMAN, reported: Reported = POTASSIUM) -> Limits | None:
    return limits(msgspec.convert(ranges, tuple[ReferenceRange, ...]), reported, person)


def between(low: float | None, high: float | None, unit: str | None = "mmol/L", **more: Any) -> Json:
    sides = {"low": low, "high": high}
    return {side: {"value": value, "unit": unit} for side, value in sides.items() if value is not None} | more


def test_the_laboratorys_own_interval_is_taken() -> None:
    assert chosen(between(3.5, 5.1)) == Limits(Decimal("3.5"), Decimal("5.1"))
    assert chosen(between(None, 5.1)) == Limits(None, Decimal("5.1"))
    assert chosen(between(3.5, None)) == Limits(Decimal("3.5"), None)
    assert chosen(between(0, 5.1)) == Limits(Decimal(0), Decimal("5.1"))


@pytest.mark.parametrize("unit", [None, "mmol/L", "mmol/l", "mmol / L"])
def test_the_unit_may_be_missing_or_spelt_otherwise(unit: str | None) -> None:
    assert chosen(between(3.5, 5.1, unit)) is not None


@pytest.mark.parametrize(
    "range_",
    [
        between(0, 0),
        between(None, 0),
        between(5.1, 3.5),
        between(3.5, 3.5),
        between(14, 20, "mg/dL"),
        between(3.5, 5.1, "furlong"),
        between(3.5, 5.1, type={"coding": [{"code": "therapeutic"}]}),
        between(3.5, 5.1, type={"text": "critical"}),
        between(3.5, 5.1, appliesTo=[{"text": "male"}]),
        between(3.5, 5.1, appliesTo=[{"text": "Pregnant"}]),
        between(3.5, 5.1, appliesTo=[{"text": "somebody"}]),
        between(3.5, 5.1, appliesTo=[{"text": "female"}, {"text": "pregnant"}]),
        between(3.5, 5.1, age={"low": {"value": 60, "unit": "a"}}),
        between(3.5, 5.1, age={"high": {"value": 11, "unit": "mo"}}),
        {},
        {"low": {}, "high": {}},
        {"low": {"value": "NaN"}, "high": {"value": 5.1}},
        {"text": "()"},
        {"text": "NA"},
        {"text": "see report"},
        {"text": "5.2-3.5"},
        {"text": "3.5-5.2 g/dL"},
        {"text": "3.5-5.2 mmol/L (adult)"},
        {"text": "<5.2 mg/dL"},
    ],
)
def test_what_is_no_interval_for_this_person_is_not_used(range_: Json) -> None:
    assert chosen(range_) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("3,5 - 5,1", "3.5", "5.1"),
        ("1,200-2,500", None, None),
        ("3.5-5.2", "3.5", "5.2"),
        ("3.5 - 5.2 mmol/L", "3.5", "5.2"),
        ("3.5 to 5.2", "3.5", "5.2"),
        ("(3.5-5.2)", "3.5", "5.2"),
        ("[3.5 \u2013 5.2 mEq/L]", None, None),
        ("<5.2", None, "5.2"),
        ("<= 5.2 mmol/L", None, "5.2"),
        (">3.5", "3.5", None),
    ],
)
def test_an_interval_written_as_text_is_read_strictly(text: str, low: str | None, high: str | None) -> None:
    expected = (
        Limits((low and Decimal(low)) or None, (high and Decimal(high)) or None) if low or high else None
    )
    assert chosen({"text": text}) == expected


def test_normal_is_preferred_to_other_meanings() -> None:
    normal = between(3.5, 5.1, type={"coding": [{"code": "normal"}]})
    therapeutic = between(4.0, 5.0, type={"coding": [{"code": "therapeutic"}]})
    assert chosen(therapeutic, normal) == Limits(Decimal("3.5"), Decimal("5.1"))


def test_the_interval_of_the_persons_own_group_is_preferred() -> None:
    women, men = (
        between(3.4, 5.0, appliesTo=[{"coding": [{"code": "female"}]}]),
        between(3.6, 5.2, appliesTo=[{"text": "M"}]),
    )
    assert chosen(between(3.5, 5.1), women, men) == Limits(Decimal("3.4"), Decimal("5.0"))
    assert chosen(between(3.5, 5.1), women, men, person=Person()) == Limits(Decimal("3.5"), Decimal("5.1"))


def test_pregnancy_chooses_its_interval_only_when_it_is_known() -> None:
    ranges = between(3.5, 5.1), between(3.2, 4.6, appliesTo=[{"text": "Pregnant"}])
    assert chosen(*ranges, person=WOMAN._replace(pregnant=True)) == Limits(Decimal("3.2"), Decimal("4.6"))
    assert chosen(*ranges) == Limits(Decimal("3.5"), Decimal("5.1"))


def test_age_is_compared_only_if_it_is_certain() -> None:
    def up_to(years: int) -> Json:
        return between(
            3.5, 5.1, age={"low": {"value": 18, "code": "a"}, "high": {"value": years, "code": "a"}}
        )

    assert chosen(up_to(40)) is not None
    assert chosen(up_to(39)) is None  # born in 1986: 39 or 40 in February 2026
    assert chosen(up_to(40), person=Person()) is None


def test_several_different_intervals_decide_nothing_and_equal_ones_agree() -> None:
    assert chosen(between(3.5, 5.1), between(3.6, 5.2)) is None
    assert chosen(between(3.5, 5.1), between(14, 20, "mg/dL")) is not None
    assert chosen(between(3.5, 5.1), between(3.50, 5.10)) is not None


def said(*codes: str, system: str | None = HL7, text: str = "", display: str = "") -> str:
    concepts = [CodeableConcept((Coding(system, code, display),), text) for code in codes]
    return interpretation(concepts or [CodeableConcept(text=text)])


@pytest.mark.parametrize("code", ["LL", "L", "N", "H", "HH"])
def test_interpretation_codes_are_read(code: str) -> None:
    assert said(code) == code
    assert said(code, system=None) == code
    assert said(code, system="http://hl7.org/fhir/v2/0078") == code


@pytest.mark.parametrize("code", ["<", ">", "LU", "HU", "A", "AA", "POS", ""])
def test_other_codes_say_neither_side_nor_degree(code: str) -> None:
    assert said(code) == ""


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("Low", "L"), ("critical low", "LL"), ("Critically High", "HH"), ("normal", "N"), ("odd", ""), ("", "")],
)
def test_interpretation_texts_are_read(text: str, meaning: str) -> None:
    assert said(text=text) == meaning
    assert said("1", system="http://lab.example", display=text) == meaning


def test_a_local_h_is_not_hl7s_h() -> None:
    assert said("H", system="http://lab.example") == ""


def test_contradictions_say_nothing_and_the_severe_word_wins() -> None:
    assert said("L", "H") == ""
    assert said("L", "LL") == "LL"
    assert said("H", "HH", "A") == "HH"


def test_range_and_interpretation_reach_the_result(
    read: Callable[..., PatientFacts], lab: Callable[..., Json]
) -> None:
    flag = [{"coding": [{"system": HL7, "code": "LL"}]}]
    (result,) = read(lab(referenceRange=[between(3.5, 5.1)], interpretation=flag)).labs
    assert result.range == Limits(Decimal("3.5"), Decimal("5.1"))
    assert result.interpretation == "LL"
