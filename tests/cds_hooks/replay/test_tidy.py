"""What is tidy has the reader's shape, so no line is taken for a plain result that the reader cannot read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import fields

from cds_hooks.replay.tidy import Result, decode
from mappings.from_fhir.shapes import Observation

Json = dict[str, Any]
ODD: list[Any] = [
    None,
    True,
    5,
    0.5,
    "x",
    "\u00e9",
    {},
    {"value": "5.1"},
    {"value": None, "unit": "mmol/L"},
    {"value": 5, "unit": None},
    {"reference": None},
    {"reference": 5},
    {"start": 5},
    {"coding": [{"code": 5}]},
    {"coding": [{"code": None}]},
    [],
    [None],
    [5],
    [{}],
    [{"reference": 5}],
    [{"text": 5}],
    [{"code": {"text": "x"}, "valueQuantity": {"value": {}}}],
]
ELEMENTS = [element.encode_name for element in fields(Observation)]
read = msgspec.json.Decoder(Observation).decode


@pytest.mark.parametrize("element", ELEMENTS)
def test_what_is_tidy_fits_the_reader(result: Callable[..., Json], element: str) -> None:
    tidy = 0
    for value in ODD:
        line = json.dumps(result("o", 4.1, "2026-10-20") | {element: value}, ensure_ascii=False).encode()
        try:
            decode(line)
        except ValueError:
            continue
        assert isinstance(read(line), Observation)
        tidy += 1
    assert 0 < tidy <= len(ODD)


@pytest.mark.parametrize(
    "number",
    ["1e400", "-1e400", "1e99999999999999999999", "0e99999999999999999999", "1e-99999999999999999999"],
)
def test_a_number_that_the_reader_cannot_read_is_not_tidy_or_is_0(number: str) -> None:
    line = b'{"resourceType":"Observation","valueQuantity":{"value":%s}}' % number.encode()
    try:
        value = decode(line).value_quantity.value
    except ValueError:
        return
    assert value == 0
    with pytest.raises(ValueError, match="Invalid decimal"):
        read(line)


def test_such_a_number_is_a_gap_of_the_answer(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]], result: Any
) -> None:
    line = json.dumps(result("o", 4.1, "2026-10-20")).replace("4.1", "1e-99999999999999999999")
    summary = told(export(*twitching(), odd_ndjson=line.encode()))
    assert summary["badLines"] == 0
    assert summary["gaps"]["not-readable"] == 1


def test_the_common_line_is_tidy(result: Callable[..., Json]) -> None:
    found = decode(json.dumps(result("o", 4.1, "2026-10-20")).encode())
    assert isinstance(found, Result)
    assert (found.id, found.subject.reference) == ("o", "Patient/p1")
    assert (found.value_quantity.value, found.value_quantity.unit) == (4.1, "mmol/L")
