"""Records damaged and mixed at random are answered as if everything were sent about everybody."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
PATIENTS = 30
ELEMENTS = [
    "abatementDateTime",
    "birthDate",
    "category",
    "clinicalStatus",
    "code",
    "component",
    "contained",
    "dataAbsentReason",
    "deceasedBoolean",
    "effectiveDateTime",
    "focus",
    "gender",
    "hasMember",
    "id",
    "interpretation",
    "issued",
    "meta",
    "patient",
    "performer",
    "period",
    "reasonCode",
    "reasonReference",
    "recordedDate",
    "status",
    "subject",
    "valueBoolean",
    "valueCodeableConcept",
    "valueInteger",
    "valueQuantity",
    "valueString",
    "verificationStatus",
]
ODD: list[Any] = [
    5,
    True,
    "x",
    [],
    {},
    [5],
    [{}],
    {"coding": [{"code": 5}]},
    {"text": "Fasciculation"},
    {"text": "Tremor"},
    {"text": "Yes"},
    [{"text": "Fasciculation"}],
    [{"code": {"text": "Fasciculation"}, "valueBoolean": True}],
    [{"code": {"text": "Pulse"}, "valueQuantity": {"value": 60}}],
    {"value": 3, "unit": "mmol/L"},
    "draft",
    "final",
    "registered",
    "entered-in-error",
    "in-progress",
    "2026-05-01",
    "2027-01-01",
    "no",
    "muscle twitching",
    {"reference": "Patient/p0"},
    {"reference": "p0"},
    [{"reference": "Patient/p1"}],
]


@pytest.fixture(scope="module")
def pool(example: Path) -> list[Json]:
    """Resources of the generated export, and problems, procedures and answers of kinds that it lacks."""
    found: list[Json] = []
    for path in sorted(example.iterdir()):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in content.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    more = {"status": "completed", "subject": {}, "code": {"text": "Appendectomy"}}
    said = {"status": "final", "subject": {}, "code": {"text": "Smoking"}, "valueString": "never"}
    rare = [
        {"resourceType": "Procedure", "id": "x"} | more,
        {"resourceType": "Observation", "id": "s"} | said,
        {"resourceType": "Condition", "id": "h", "subject": {}, "code": {"text": "Hypertension"}},
        {"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "subject": {}},
    ]
    return found + rare * (len(found) // 12)


def damaged(pool: list[Json], seed: int) -> Iterator[Json]:
    """Some resources for each patient, nearly all of them with a Patient; of some an element is odd or missing."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for number in range(PATIENTS):
        if chance.random() < 0.95:
            yield {"resourceType": "Patient", "id": f"p{number}", "birthDate": "1970-01-01"}
    for _ in range(PATIENTS * chance.choice([1, 2, 4])):
        resource = dict(chance.choice(pool))
        if "subject" in resource:
            resource["subject"] = {"reference": f"Patient/p{chance.randrange(PATIENTS)}"}
        if chance.random() < 0.3:
            resource["id"] = f"same{chance.randrange(PATIENTS)}"
        for _ in range(chance.choice([0, 0, 1, 2])):
            name = chance.choice(ELEMENTS)
            resource[name] = chance.choice(ODD)
            if chance.random() < 0.2:
                del resource[name]
        yield resource
    yield {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p0"}}


@pytest.mark.parametrize("seed", range(12))
def test_the_answers_are_those_of_whole_records(
    both: Callable[..., tuple[int, int, int]], export: Callable[..., Path], pool: list[Json], seed: int
) -> None:
    folder = export(*damaged(pool, seed))
    _, short, whole = both(folder)
    assert short > 0
    assert whole >= PATIENTS * 0.8
    both(folder, mode="monthly")
