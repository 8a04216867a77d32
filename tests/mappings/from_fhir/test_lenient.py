from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from mappings.from_fhir import lenient
from mappings.from_fhir.datatypes import CodeableConcept, Coding, Quantity, Reference
from mappings.from_fhir.shapes import Condition, Observation, QuestionnaireResponse


def observation(**elements: Any) -> tuple[Observation, frozenset[str]]:
    return lenient.decode(json.dumps(elements).encode(), Observation)


def test_a_bare_string_goes_to_the_main_element() -> None:
    read, left_out = observation(
        code="Potassium", subject="Patient/p", valueQuantity="2.9", note=["haemolysed"]
    )
    assert read.code == CodeableConcept(text="Potassium")
    assert read.subject == Reference("Patient/p")
    assert read.value_quantity == Quantity(Decimal("2.9"))
    assert read.note[0].text == "haemolysed"
    assert left_out == frozenset()


def test_stu3_status_strings_are_read() -> None:
    read, left_out = lenient.decode(b'{"clinicalStatus": "active", "bodySite": {"text": "calf"}}', Condition)
    assert read.clinical_status == CodeableConcept(text="active")
    assert read.body_site == (CodeableConcept(text="calf"),)
    assert left_out == frozenset()


def test_one_thing_where_several_are_allowed_is_a_list_of_one() -> None:
    read, _ = observation(category={"coding": {"code": "laboratory"}}, interpretation={"text": "Low"})
    assert read.category == (CodeableConcept((Coding(code="laboratory"),)),)
    assert read.interpretation == (CodeableConcept(text="Low"),)


def test_null_is_absent() -> None:
    read, left_out = observation(code={"coding": [None, {"code": "2823-3", "display": None}]}, status=None)
    assert read.code == CodeableConcept((Coding(code="2823-3"),))
    assert left_out == frozenset()


@pytest.mark.parametrize(
    ("elements", "left_out"),
    [
        ({"status": ["final"]}, "status"),
        ({"status": True}, "status"),
        ({"bodySite": ["a", {"text": "b"}]}, "bodySite"),
        ({"bodySite": True}, "bodySite"),
        ({"bodySite": {"coding": [{"code": {}}]}}, "bodySite.coding.code"),
        ({"valueQuantity": {"value": "low"}}, "valueQuantity.value"),
        ({"valueQuantity": {"value": {}}}, "valueQuantity.value"),
        ({"valueBoolean": 1}, "valueBoolean"),
        ({"valueInteger": "3"}, "valueInteger"),
        ({"component": [3]}, "component"),
    ],
)
def test_what_cannot_be_meant_is_left_out_and_named(elements: dict[str, Any], left_out: str) -> None:
    assert observation(**elements)[1] == {left_out}


def test_numbers_and_booleans_may_be_strings_and_the_other_way_round() -> None:
    read, left_out = observation(id=5, valueBoolean="true", valueInteger=3, valueString=2.5)
    assert (read.id, read.value_boolean, read.value_integer, read.value_string) == ("5", True, 3, "2.5")
    assert left_out == frozenset()


def test_decimals_keep_their_digits() -> None:
    read, _ = lenient.decode(b'{"status": 1, "valueQuantity": {"value": 2.80}}', Observation)
    assert str(read.value_quantity and read.value_quantity.value) == "2.80"


def test_contained_resources_are_kept_as_they_are() -> None:
    read, _ = observation(status=5, contained=[{"resourceType": "Specimen", "id": "s"}])
    assert json.loads(bytes(read.contained[0])) == {"resourceType": "Specimen", "id": "s"}


def test_items_inside_items_are_read() -> None:
    content = b'{"item": {"linkId": 1, "item": [{"linkId": "b", "answer": {"valueBoolean": "false"}}]}}'
    read, _ = lenient.decode(content, QuestionnaireResponse)
    assert read.item[0].link_id == "1"
    assert read.item[0].item[0].answer[0].value_boolean is False


@pytest.mark.parametrize("content", [b"[]", b"5", b"null", b"{"])
def test_what_is_no_object_raises(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        lenient.decode(content, Observation)
