"""Asking about a patient without the results first gives the answer that asking with them gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.replay.example import write_example
from cds_hooks.replay.sides import Side

Json = dict[str, Any]
SUBJECT = {"reference": "Patient/p1"}
WEAKNESS = {"text": "Muscle weakness"}
EXAM = [{"coding": [{"code": "exam"}]}]
SITE = b'name: Test\norders: {codes: {emg_ncs: {system: urn:x, code: "17", display: EMG}}}'
OBSERVATIONS: dict[str, list[Json]] = {
    "a plain result": [{}],
    "twitching found on examination": [
        {"category": EXAM, "code": {"text": "Fasciculation"}, "valueBoolean": True, "valueQuantity": None}
    ],
    "twitching in the value": [
        {"code": {"text": "Chem 7"}, "valueQuantity": None, "valueString": "fasciculations of both calves"}
    ],
    "twitching in a coded value": [
        {
            "code": {"text": "Chem 7"},
            "valueQuantity": None,
            "valueCodeableConcept": {"text": "Fasciculation"},
            "category": EXAM,
        }
    ],
    "a component": [{"component": [{"code": {"text": "Fasciculation"}, "valueBoolean": True}]}],
    "a panel": [{"code": {"text": "Chem 7"}, "valueQuantity": None, "hasMember": [SUBJECT]}],
    "a panel that dates what was not understood": [
        {"code": {"text": "Chem 7"}, "valueQuantity": None, "hasMember": [{"reference": "Observation/o1"}]},
        {
            "category": EXAM,
            "code": {"text": "Neurological examination"},
            "valueQuantity": None,
            "valueString": "see the letter",
            "effectiveDateTime": None,
        },
    ],
    "a finding with a status that is not usable": [
        {
            "category": EXAM,
            "code": WEAKNESS,
            "valueQuantity": None,
            "valueBoolean": True,
            "status": "registered",
        }
    ],
    "a number with a status that is not usable": [
        *[{"code": WEAKNESS}] * 100,
        {"code": WEAKNESS, "status": "registered"},
    ],
    "a value of nothing": [{"valueQuantity": {"value": 0}}],
    "two versions, the later one plain": [
        {"id": "same", "code": {"text": ""}, "meta": {"versionId": "1"}},
        {"id": "same", "meta": {"versionId": "2"}},
    ],
    "two versions, the earlier one plain": [
        {"id": "same", "code": {"text": ""}, "meta": {"versionId": "2"}},
        {"id": "same", "meta": {"versionId": "1"}},
    ],
    "two versions, one out of shape": [
        {"id": "7", "meta": {"versionId": "2"}},
        {"id": 7, "code": [5], "meta": {"versionId": "1"}},
    ],
    "an id of two lines": [{"id": "a\nb"}, {"id": "a\nb", "code": {"text": ""}}],
    "no id": [{"id": None}, {"id": None, "code": {"text": ""}}],
    "about another patient": [{"focus": [{"reference": "Patient/p9"}]}],
    "of two patients": [{"patient": {"reference": "Patient/p9"}}],
    "with a blank in the reference": [{"subject": {"reference": "Patient/p1 "}}],
    "named without a type": [{"subject": {"reference": "p1"}}, {"subject": {"reference": "urn:uuid:p1"}}],
    "pregnancy": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
            "valueQuantity": None,
            "valueCodeableConcept": {"text": "Pregnant"},
        }
    ],
    "no code": [{"code": None}],
    "an empty code": [{"code": {}}],
    "a code out of shape": [{"code": [True]}],
    "a value out of shape": [{"valueQuantity": {"value": {}}}],
    "a status out of shape": [{"status": 5}],
    "an order code of the site": [{"code": {"coding": [{"system": "urn:x", "code": "17"}]}}],
}


ORDER: Json = {
    "resourceType": "MedicationRequest",
    "id": "m",
    "status": "active",
    "intent": "order",
    "subject": SUBJECT,
    "authoredOn": "2026-10-01",
    "medicationCodeableConcept": {"text": "furosemide 40 mg tablet"},
}
MEDICATION: Json = {"resourceType": "Medication", "id": "x", "code": {"text": "furosemide 40 mg tablet"}}
BY_REFERENCE: Json = {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/x"}}
MEDICINES_AND_ORDERS: dict[str, list[Json]] = {
    "a plain order": [ORDER],
    "a statement": [
        ORDER
        | {
            "resourceType": "MedicationStatement",
            "dateAsserted": "2026-10-01",
            "authoredOn": None,
            "intent": None,
        }
    ],
    "a test that was ordered": [
        ORDER
        | {
            "resourceType": "ServiceRequest",
            "code": {"text": "Electromyography"},
            "medicationCodeableConcept": None,
        }
    ],
    "an order that ended": [ORDER | {"status": "stopped", "statusChanged": "2026-10-10"}],
    "an order after the day": [ORDER | {"authoredOn": "2027-10-01"}],
    "an order with its Medication": [ORDER | BY_REFERENCE, MEDICATION],
    "an order whose Medication is not there": [ORDER | BY_REFERENCE],
    "an order being drafted": [ORDER | {"status": " Draft"}],
    "an order of another release": [ORDER | {"subject": None, "patient": SUBJECT}],
    "a status out of shape": [ORDER | {"status": 5}],
    "a Medication out of shape": [ORDER | BY_REFERENCE, MEDICATION | {"contained": 5}],
    "an order for two patients": [ORDER | {"patient": {"reference": "Patient/p9"}}],
    "an order about somebody else": [ORDER | {"focus": [{"reference": "Patient/p9"}]}],
    "named without a type": [ORDER | {"subject": {"reference": "p1"}}],
    "two versions of an order, one out of shape": [
        ORDER | {"meta": {"versionId": "2"}},
        ORDER | {"contained": 5, "meta": {"versionId": "1"}},
    ],
    "two versions of an order, the later one a draft": [
        ORDER | {"meta": {"versionId": "1"}},
        ORDER | {"status": "draft", "meta": {"versionId": "2"}},
    ],
}
WAITING = (
    "a plain order",
    "a statement",
    "a test that",
    "an order that ended",
    "an order after",
    "an order with",
    "an order whose",
    "an order of",
)


@pytest.mark.parametrize("documented", [False, True], ids=["silent", "documented"])
@pytest.mark.parametrize("case", OBSERVATIONS, ids=str)
def test_the_answer_is_the_same(
    both: Callable[..., tuple[int, int, int]],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    result: Callable[..., Json],
    case: str,
    *,
    documented: bool,
) -> None:
    observations = [
        {k: v for k, v in (result(f"o{n}", 2.9, "2026-10-20") | changed).items() if v is not None}
        for n, changed in enumerate(OBSERVATIONS[case])
    ]
    plain = result("plain", 4.1, "2026-10-21")
    condition = {} if documented else {"code": {"text": "Hypertension"}}
    folder = export(*twitching(**condition), plain, *observations)
    assert both(folder)[0] == 1 or case.startswith(
        ("two versions", "an id of", "a value out", "a status out", "a code out")
    )
    both(folder, sides=(Side("", SITE, "site.yaml"), Side()))
    both(folder, mode="monthly")


def test_a_value_too_small_for_the_reader_does_not_wait(
    both: Callable[..., tuple[int, int, int]],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    result: Callable[..., Json],
) -> None:
    plain = [result(f"o{n}", 4.1, "2026-10-20") for n in range(100)]
    small = json.dumps(plain[0] | {"id": "small"}).replace("4.1", "1e-99999999999999999999")
    folder = export(*twitching(code={"text": "Hypertension"}), *plain)
    with (folder / "Observation.ndjson").open("a", encoding="utf-8") as file:
        file.write(small)
    assert both(folder)[0] == 1


@pytest.mark.parametrize("documented", [False, True], ids=["silent", "documented"])
@pytest.mark.parametrize("case", MEDICINES_AND_ORDERS, ids=str)
def test_the_answer_is_the_same_without_medicines_and_orders(
    both: Callable[..., tuple[int, int, int]],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    result: Callable[..., Json],
    case: str,
    *,
    documented: bool,
) -> None:
    orders = [
        {name: value for name, value in order.items() if value is not None}
        for order in MEDICINES_AND_ORDERS[case]
    ]
    condition = {} if documented else {"code": {"text": "Hypertension"}}
    assert both(export(*twitching(**condition), *orders))[0] == case.startswith(WAITING)
    low = result("low", 2.9, "2026-10-20")
    both(export(*twitching(**condition), low, *orders), sides=(Side("", SITE, "site.yaml"), Side()))
    both(export(*twitching(**condition), low, *orders), mode="monthly")


def test_most_patients_who_do_not_twitch_are_not_asked_about(
    both: Callable[..., tuple[int, int, int]], tmp_path: Path
) -> None:
    write_example(tmp_path / "rare", patients=120, results=12, twitching=0.02)
    _, short, whole = both(tmp_path / "rare", partitions=1)
    assert short < whole / 2
