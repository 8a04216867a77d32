"""Planted patients are found exactly once; what the data do not map is listed; small counts are withheld."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.replay.run import Replayed
from cds_hooks.replay.summary import Summary
from cds_hooks.replay.suppress import withheld
from cds_hooks.replay.tally import Counts

Json = dict[str, Any]


def test_every_planted_patient_is_found_exactly_once(
    told: Callable[..., Json],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    result: Callable[..., Json],
) -> None:
    planted: list[Json] = []
    for number in range(30):
        name = f"p{number}"
        patient, condition = twitching(name)
        planted.append(patient)
        if number % 2:
            planted.append(condition)
        if number % 3 == 0:
            planted.append(result(f"{name}-k", 2.9, "2026-10-20", name))
        if number % 5 == 0:
            planted.append(result(f"{name}-k2", 2.9, "2026-10-25", name, valueQuantity={"value": 2.9}))
    summary = told(export(*planted))
    assert summary["patients"] == 30
    assert summary["patientsWithCards"] == 15
    assert summary["silent"] == {"twitching-not-documented": 15}
    assert summary["contributors"]["hypokalaemia"] == len([n for n in range(30) if n % 2 and n % 3 == 0])
    assert summary["gaps"]["no-unit"] == len([n for n in range(30) if n % 2 and n % 5 == 0])
    assert sum(s["patients"] for s in summary["strata"]) == 30
    assert sum(summary["patientsByHighestIndicator"].values()) == 30


def test_a_medication_in_a_file_of_its_own_reaches_its_patient(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-02-01",
        "medicationReference": {"reference": "Medication/x"},
    }
    medication = {"resourceType": "Medication", "id": "x", "code": {"text": "albuterol 90 mcg inhaler"}}
    assert told(export(*twitching(), order, medication))["contributors"] == {"drug:beta2_agonist": 1}
    assert told(export(*twitching(), order))["gaps"]["medication-not-resolved"] == 1


def test_codes_units_and_medicines_that_are_not_known_are_listed_by_frequency(
    run: Callable[..., Replayed],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    result: Callable[..., Json],
) -> None:
    local = {"coding": [{"system": "urn:oid:2.999", "code": "L7", "display": "Chem panel 7"}]}
    rows: list[Json] = []
    for number in range(4):
        name = f"p{number}"
        rows += twitching(name)
        rows += [result(f"{name}-{n}", 4, "2026-10-01", name) | {"code": local} for n in range(3)]
        if number:
            odd = {"value": 4, "unit": "mq/dL"}
            rows.append(result(f"{name}-u", 4, "2026-10-01", name, valueQuantity=odd))
        if number > 1:
            medicine = {"text": "house water tablet"}
            rows.append(
                {
                    "resourceType": "MedicationRequest",
                    "id": f"{name}-m",
                    "status": "active",
                    "subject": {"reference": f"Patient/{name}"},
                    "medicationCodeableConcept": medicine,
                }
            )
    rows.append(result("chol", 50, "2026-10-01", "p1", code="2085-9"))
    listed = Summary(run(export(*rows), chunk_bytes=700), 2).unmapped
    assert [(item.kind, item.code, item.text, item.analyte, number) for item, number in listed] == [
        ("laboratory code", "L7", "Chem panel 7", "", 4),
        ("unit", "", "mq/dL", "potassium", 3),
        ("medicine", "", "house water tablet", "", 2),
    ]
    assert [number for _, number in Summary(run(export(*rows)), 4).unmapped] == [4]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_not_known_of_a_result_does_not_depend_on_the_results_before_it(
    run: Callable[..., Replayed],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    result: Callable[..., Json],
    seed: int,
) -> None:
    quantities: list[Json] = [
        {"value": 4.1, "unit": "mmol/L"},
        {"value": 4.1, "unit": "mq/L"},
        {"value": 0, "unit": "mq/L"},
        {"value": 4.1},
        {"value": 0},
    ]
    categories: list[list[Json]] = [
        [{"coding": [{"code": "laboratory"}]}],
        [{"coding": [{"code": "vital-signs"}]}],
        [],
    ]
    rows = [{"valueQuantity": quantity} for quantity in quantities]
    rows += [{"valueString": "see report", "valueQuantity": None}]
    rows += [
        {"code": {"text": "Chem 7"}, "valueQuantity": quantity, "category": category}
        for quantity in quantities
        for category in categories
    ]
    results = [
        {key: value for key, value in (plain | row).items() if value is not None}
        for number, row in enumerate(rows)
        for plain in (result(f"o{number}-{name}", 4.1, "2026-10-01", name) for name in ("p1", "p2"))
    ]
    random.Random(seed).shuffle(results)  # noqa: S311 - any order, no secret
    listed = Summary(run(export(*twitching("p1"), *twitching("p2"), *results), chunk_bytes=4000), 1).unmapped
    assert {(item.kind, item.text, item.analyte, number) for item, number in listed} == {
        ("laboratory code", "Chem 7", "", 2),
        ("unit", "mq/L", "potassium", 2),
        ("unit", "", "potassium", 2),
    }


def test_an_export_without_conditions_is_refused(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    with pytest.raises(ValueError, match="holds no Condition"):
        told(export(twitching()[0]))


def counts(**cells: tuple[int, int]) -> Counts:
    return {("0", *name.split("_")): number for name, number in cells.items()}


@pytest.mark.parametrize(
    ("found", "hidden"),
    [
        (counts(contributor_a=(10, 10), contributor_b=(11, 11)), {"contributor a"}),
        (counts(contributor_a=(0, 0)), set()),
        # One hidden cell of a group could be had by subtraction: the smallest other one goes too.
        (
            counts(silent_x=(5, 5), silent_y=(20, 20), silent_z=(60, 60), withCards=(15, 15)),
            {"silent x", "withCards"},
        ),
        (counts(month_a_cards=(3, 3), month_a_none=(97, 97)), {"month a cards", "month a none"}),
        # All but five have cards: the five could be counted.
        (counts(withCards=(95, 95), highest_none=(5, 5)), {"withCards", "highest none"}),
    ],
)
def test_what_is_withheld(found: Counts, hidden: set[str]) -> None:
    assert {" ".join(cell[1:]) for cell in withheld(found, 100, 11)} == hidden


def test_a_small_difference_between_two_rule_sets_is_withheld() -> None:
    found = {("0", "tier", "B"): (50, 50), ("1", "tier", "B"): (53, 53), ("-", "change", "any", ""): (20, 20)}
    assert withheld(found, 100, 11) == {("1", "tier", "B")}


def test_no_published_number_lies_between_one_and_the_smallest(
    run: Callable[..., Replayed], example: Path
) -> None:
    summary = Summary(run(example), 11)
    for _, entry in summary.cells():
        assert isinstance(entry.patients, str) or entry.patients == 0 or entry.patients >= 11
    told = json.dumps(summary.about(), default=str)
    assert '"<11"' in told
