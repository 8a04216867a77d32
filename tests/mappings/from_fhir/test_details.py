"""Elements that are decoded only when a rule asks for them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mappings.from_fhir.datatypes import CodeableConcept, Coding
from mappings.from_fhir.memory import LONGEST
from mappings.from_fhir.shapes import CODE, Observation

observation = msgspec.json.Decoder(Observation)


def sent(**elements: Any) -> Observation:
    return observation.decode(msgspec.json.encode({"resourceType": "Observation"} | elements))


def test_an_element_reads_as_if_it_had_been_decoded_at_once() -> None:
    read = sent(
        code={"coding": [{"system": "http://loinc.org", "code": "2823-3", "unknown": [1]}], "text": "K"}
    )
    assert read.code == CodeableConcept((Coding("http://loinc.org", "2823-3"),), "K")


@pytest.mark.parametrize("elements", [{}, {"code": None, "interpretation": None, "specimen": None}])
def test_what_is_absent_or_null_is_nothing(elements: dict[str, Any]) -> None:
    read = sent(**elements)
    assert (read.code, read.interpretation, read.reference_range, read.specimen) == (None, (), (), None)


def test_what_is_plainly_meant_is_read() -> None:
    read = sent(code="Potassium", interpretation={"text": "Low"})
    assert read.code == CodeableConcept(text="Potassium")
    assert read.interpretation == (CodeableConcept(text="Low"),)


@pytest.mark.parametrize("code", [["a", {"text": "b"}], True, {"coding": [{"code": {}}]}])
def test_what_cannot_be_meant_raises_when_it_is_asked_for(code: Any) -> None:
    read = sent(code=code)
    with pytest.raises(ValueError, match="cannot be read"):
        _ = read.code


def test_what_the_resource_does_not_depend_on_is_left_out() -> None:
    read = sent(referenceRange=[{"low": {"value": "low"}, "text": "3.5-5.1"}], specimen=True)
    assert [range_.text for range_ in read.reference_range] == ["3.5-5.1"]
    assert read.specimen is None


def test_what_is_long_is_not_remembered() -> None:
    short, long = b'{"text":"K"}', msgspec.json.encode({"text": "K" * LONGEST})
    assert CODE.read(short) is CODE.read(short)
    assert CODE.read(long) == CODE.read(long)
    assert CODE.read(long) is not CODE.read(long)
