"""Results and medicines as clients really send them: each is understood, or named on a card as not understood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

Json = dict[str, Any]
Chart = Any
LOW = "Low potassium"
HCTZ = {"resourceType": "Medication", "id": "m", "code": {"text": "hydrochlorothiazide 25 mg oral tablet"}}
EXPLAINED = ("explained by thiazide",)
UNNAMED = ("a medicine is ordered or recorded that the record does not name",)


def labs(c: Chart, *results: Json, **parts: Any) -> Json:
    return c.call(prefetch=c.prefetch(labs=c.bundle(*results, **parts)))


def medicines(c: Chart, *orders: Json) -> Json:
    low = c.bundle(c.potassium(2.8))
    return c.call(prefetch=c.prefetch(labs=low, medications=c.bundle(*orders)))


def by_reference(reference: str, **parts: Any) -> Json:
    return {"medicationCodeableConcept": ..., "medicationReference": {"reference": reference}, "dosageInstruction": ...} | parts  # fmt: skip


class Case(NamedTuple):
    """A call made of a chart, and what its cards must and must not say."""

    call: Callable[[Chart], Json]
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


CASES: dict[str, Case] = {
    # values
    "a comparator that proves it": Case(
        lambda c: labs(c, c.potassium(valueQuantity={"value": 2.8, "comparator": "<", "unit": "mmol/L"})),
        (LOW,),
    ),
    "a comparator that proves nothing": Case(
        lambda c: labs(c, c.potassium(valueQuantity={"value": 4.0, "comparator": "<", "unit": "mmol/L"})),
        ("neither shows nor excludes an abnormal value",),
        (LOW,),
    ),
    "a string": Case(
        lambda c: labs(c, c.potassium(valueQuantity=..., valueString="2.8 mmol/L")), ("potassium 2.8 mmol/L",)
    ),
    "a string that is no number": Case(
        lambda c: labs(c, c.potassium(valueQuantity=..., valueString="see report")), ("potassium",), (LOW,)
    ),
    "a number in quotes": Case(
        lambda c: labs(c, c.potassium(valueQuantity={"value": "2.8", "unit": "mmol/L"})),
        ("potassium 2.8 mmol/L",),
    ),
    "dataAbsentReason": Case(
        lambda c: labs(c, c.potassium(valueQuantity=..., dataAbsentReason={"text": "haemolysed"})),
        ("potassium",),
        (LOW,),
    ),
    "components": Case(
        lambda c: labs(
            c,
            c.lab(
                "24326-1",
                0,
                valueQuantity=...,
                component=[
                    {
                        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
                        "valueQuantity": {"value": 2.8, "unit": "mmol/L"},
                    }
                ],
            ),
        ),
        ("potassium 2.8 mmol/L",),
    ),
    "an infinite number of digits": Case(
        lambda c: labs(c, c.potassium(valueQuantity={"value": int("9" * 300), "unit": "mmol/L"})), (), (LOW,)
    ),
    # units
    "magnesium in mg/dL, low": Case(
        lambda c: labs(c, c.magnesium(1.2, unit="mg/dL")), ("Low magnesium", "1.2 mg/dL")
    ),
    "magnesium in mEq/L, low": Case(
        lambda c: labs(c, c.magnesium(1.0, unit="meq/L")), ("Low magnesium", "mEq/L")
    ),
    "magnesium in mg/dL, normal": Case(
        lambda c: labs(c, c.magnesium(2.0, unit="mg/dL")), (), ("Low magnesium",)
    ),
    "magnesium in mmol/L, normal": Case(lambda c: labs(c, c.magnesium(0.85)), (), ("Low magnesium",)),
    "potassium in mEq/L": Case(lambda c: labs(c, c.potassium(2.8, unit="meq/L")), (LOW, "2.8 mEq/L")),
    "no unit": Case(lambda c: labs(c, c.potassium(2.8, unit="")), ("has no unit",), (LOW,)),
    "an unknown unit": Case(lambda c: labs(c, c.potassium(2.8, unit="furlong")), ("potassium",), (LOW,)),
    # medicines
    "a medicine by absolute reference": Case(
        lambda c: c.call(
            prefetch=c.prefetch(
                labs=c.bundle(c.potassium(2.8)),
                medications={
                    "resourceType": "Bundle",
                    "entry": [
                        {"resource": c.medicine(**by_reference("https://ehr.example/fhir/Medication/m"))},
                        {"fullUrl": "https://ehr.example/fhir/Medication/m", "resource": HCTZ},
                    ],
                },
            )
        ),
        EXPLAINED,
    ),
    "a contained medicine": Case(
        lambda c: medicines(c, c.medicine(**by_reference("#m", contained=[HCTZ]))), EXPLAINED
    ),
    "a medicine by a reference that names nothing that was sent": Case(
        lambda c: medicines(c, c.medicine(**by_reference("Medication/m"))), UNNAMED
    ),
    "a medicine by display only": Case(
        lambda c: medicines(
            c,
            c.medicine(
                medicationCodeableConcept=...,
                medicationReference={
                    "reference": "Medication/m",
                    "display": "hydrochlorothiazide 25 mg tablet",
                },
            ),
        ),
        EXPLAINED,
    ),
    "an order that names no medicine": Case(
        lambda c: medicines(c, c.medicine(medicationCodeableConcept=..., dosageInstruction=...)), UNNAMED
    ),
    "a category that is an object": Case(
        lambda c: medicines(c, c.medicine(category={"coding": [{"code": "outpatient"}]})), EXPLAINED
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_right_cards(right_cards: Callable[..., None], chart: Chart, name: str) -> None:
    case = CASES[name]
    right_cards(case.call(chart), case.says, case.never)
