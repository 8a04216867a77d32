"""Patients of a generator that is not ours, and planted ones among them whose cards are known."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import carebundle
import pytest

from cds_hooks.calls import answer
from cds_hooks.card_kit import card_kit
from cds_hooks.replay.run import Replayed
from cds_hooks.services import SERVICE_BY_HOOK
from mappings.knowledge import load_knowledge

Json = dict[str, Any]
GENERATED = 60
TWITCHING = 12
"""Of the generated patients, those whose problem list is given fasciculation."""
KEYS = {
    "Patient": "patient",
    "Condition": "conditions",
    "Observation": "labs",
    "MedicationRequest": "medications",
}


@pytest.fixture(scope="module")
def population(
    today: date, twitching: Callable[..., list[Json]], result: Callable[..., Json]
) -> dict[str, list[Json]]:
    """Patient id -> resources."""
    bundles = carebundle.generate_cohort(
        count=GENERATED, seed=20261101, age_range=(20, 90), reference_date=today
    )
    found: dict[str, list[Json]] = defaultdict(list)
    for lines in carebundle.to_ndjson(bundles).values():
        for line in lines.splitlines():
            resource = json.loads(line)
            owner = resource.get("subject", {}).get("reference", "").removeprefix("Patient/")
            if resource["resourceType"] in KEYS:
                found[owner or resource["id"]].append(resource)
    for name in sorted(found)[:TWITCHING]:
        found[name].append(twitching(name)[1])
    for name, value in {"planted-low": 2.9, "planted-critical": 2.4, "planted-normal": 4.2}.items():
        found[name] = [*twitching(name), result(f"{name}-k", value, "2026-10-30", name)]
    patient, _ = twitching("planted-silent")
    found["planted-silent"] = [patient, result("planted-silent-k", 2.4, "2026-10-30", "planted-silent")]
    return found


def cards_of(replayed: Replayed) -> dict[str, list[tuple[str, str]]]:
    """The cards of each patient who gets any."""
    rows = [
        json.loads(line)
        for path in replayed.reduced
        for line in path.with_suffix(".rows").read_bytes().splitlines()
    ]
    found = {row["patient"]: [tuple(card) for card in row["cards"]] for row in rows if row["cards"]}
    assert len(found) == len([row for row in rows if row["cards"]])
    return found


def live_cards(name: str, resources: list[Json], day: date) -> list[tuple[str, str]]:
    """What the service answers when an EHR sends these resources."""
    prefetch: Json = {
        key: {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": one} for one in resources if one["resourceType"] == type_],
        }
        for type_, key in KEYS.items()
    }
    (prefetch["patient"],) = [one for one in resources if one["resourceType"] == "Patient"]
    call = {
        "hook": "patient-view",
        "hookInstance": "5f1b8a52-04f3-4b35-9c52-6a2a55b0e4f3",
        "context": {"userId": "Practitioner/1", "patientId": name},
        "prefetch": prefetch,
    }
    service, rules = SERVICE_BY_HOOK["patient-view"], load_knowledge()
    told = json.loads(answer(service, json.dumps(call).encode(), rules, day, card_kit(rules)))
    return [(card["source"]["topic"]["code"], card["indicator"]) for card in told["cards"]]


def test_each_planted_patient_gets_the_known_cards_once_and_nobody_else_any(
    run: Callable[..., Replayed],
    told: Callable[..., Json],
    export: Callable[..., Path],
    population: dict[str, list[Json]],
) -> None:
    folder = export(*(resource for resources in population.values() for resource in resources))
    found = cards_of(run(folder, rows=True))
    generated = sorted(name for name in population if "planted" not in name)
    assert len(generated) == GENERATED
    assert found.keys() == {*generated[:TWITCHING], "planted-low", "planted-critical", "planted-normal"}
    summary = told(folder)
    assert summary["patients"] == len(population)
    assert summary["patientsWithCards"] == len(found)
    assert summary["silent"] == {"twitching-not-documented": len(population) - len(found)}
    assert {name: {indicator for _, indicator in found[name]} for name in found if "planted" in name} == {
        "planted-low": {"warning"},
        "planted-critical": {"critical", "warning"},
        "planted-normal": {"info"},
    }


def test_the_live_service_gives_each_of_them_the_same_cards(
    run: Callable[..., Replayed],
    export: Callable[..., Path],
    population: dict[str, list[Json]],
    today: date,
) -> None:
    found = cards_of(run(export(*(one for own in population.values() for one in own)), rows=True))
    live = {name: live_cards(name, own, today) for name, own in population.items()}
    assert found == {name: cards for name, cards in live.items() if cards}


def test_neither_order_nor_duplicates_nor_chunks_change_the_result(
    run: Callable[..., Replayed], export: Callable[..., Path], population: dict[str, list[Json]]
) -> None:
    resources = [one for own in population.values() for one in own]
    expected = run(export(*resources)).result_hash
    chance = random.Random(7)  # noqa: S311 - chance makes an order here, no secret
    mixed = resources + chance.sample(resources, k=len(resources) // 10)
    chance.shuffle(mixed)
    assert run(export(*mixed), chunk_bytes=50_000, partitions=7).result_hash == expected
