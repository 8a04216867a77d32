"""Replay and live service agree on every patient."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from cds_hooks.app import create_app
from cds_hooks.calls import evaluate
from cds_hooks.replay.patient import Setup, Silent, replay_patient
from cds_hooks.replay.record import Record
from cds_hooks.replay.reduce import _patients
from cds_hooks.replay.run import Replayed
from cds_hooks.replay.segments import Stretch
from cds_hooks.replay.sides import Side
from cds_hooks.replay.summary import Summary
from cds_hooks.replay.tables import PATIENTS, write_tables
from cds_hooks.services import SERVICE_BY_HOOK
from cds_hooks.settings import Settings
from mappings.knowledge import load_knowledge

Json = dict[str, Any]
KEYS = {
    "Condition": "conditions",
    "Observation": "labs",
    "MedicationRequest": "medications",
    "Medication": "medications",
    "ServiceRequest": "orders",
    "MedicationStatement": "statements",
    "Procedure": "procedures",
    "QuestionnaireResponse": "answers",
}


@pytest.fixture(scope="module")
def calls(example: Path) -> dict[str, Json]:
    """The patient-view call that an EHR with this export's records would send, by patient."""
    resources: dict[tuple[str, str], Json] = {}
    for path in example.iterdir():
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in content.splitlines():
            try:
                resource = json.loads(line)
            except ValueError:
                continue
            resources[resource["resourceType"], resource["id"]] = resource
    types = {type_ for type_, _ in resources}
    records: dict[str, dict[str, list[Json]]] = defaultdict(lambda: defaultdict(list))
    patients = {}
    for (type_, id_), resource in resources.items():
        if type_ == "Patient":
            patients[id_] = resource
        elif type_ in KEYS and "subject" in resource:
            owner = resource["subject"]["reference"].rpartition("/")[2]
            records[owner][KEYS[type_]].append(resource)
            named = resource.get("medicationReference", {}).get("reference", "").rpartition("/")[2]
            if named and ("Medication", named) in resources:
                records[owner]["medications"].append(resources["Medication", named])
    keys = {KEYS[type_] for type_ in types if type_ in KEYS} | {"examination", "history"}
    return {
        id_: {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/1", "patientId": id_},
            "prefetch": {"patient": patient}
            | {
                key: {
                    "resourceType": "Bundle",
                    "type": "searchset",
                    "entry": [{"resource": resource} for resource in records[id_][key]],
                }
                for key in keys
            },
        }
        for id_, patient in patients.items()
    }


def test_each_assessment_is_the_one_of_the_live_path(
    run: Callable[..., Replayed], example: Path, calls: dict[str, Json]
) -> None:
    replayed = run(example, partitions=2)
    scanned, work = replayed.scanned, replayed.options.work
    types = frozenset(type_ for found in scanned for type_ in found.types)
    day = replayed.options.day
    setup = Setup("as-of", day, None, "documented", (Side(),), types)
    stretches: list[Stretch] = [s for found in scanned for part in found.patients.values() for s in part]
    for path in (work / "medications").glob("*.json"):
        stretches += [Stretch(*s) for part in json.loads(path.read_bytes()).values() for s in part]
    service, rules = SERVICE_BY_HOOK["patient-view"], load_knowledge()
    seen, silent = set(), Silent()
    for name, lines in _patients(work, stretches, 0, 1):
        ((_, (outcome,)),) = replay_patient(name.decode(), Record(lines, setup), (day,), setup, silent)
        _, live = evaluate(service, json.dumps(calls[name.decode()]).encode(), rules, day, thorough=False)
        assert outcome.assessment == live
        seen.add(name.decode())
    assert seen == set(calls)


def test_the_running_service_sends_the_cards_that_the_replay_counts(
    run: Callable[..., Replayed], example: Path, calls: dict[str, Json], http: httpx2.Client, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    summary = Summary(run(example, rows=True, day=today), 0)
    write_tables(summary, tmp_path)
    listed = (tmp_path / f"{PATIENTS}.csv").read_text(encoding="utf-8").splitlines()[1:]
    replayed = {row.split(",")[0]: row.split(",")[4] for row in listed}
    live = {}
    for name, call in calls.items():
        answer = http.post("/cds-services/twitching-patient-view", json=call)
        assert answer.status_code == 200
        if cards := answer.json()["cards"]:
            live[name] = "; ".join(f"{card['source']['topic']['code']} {card['indicator']}" for card in cards)
    assert live
    assert live == replayed


PROFILE = """
name: Test
hooks: {encounter-start: off}
fhir: {leave_out: [statements]}
gate: {only_if_abnormal: [eyelid_myokymia]}
silent: {contributors: [hypokalaemia, "drug:ssri_snri"]}
limits:
  - {analyte: magnesium, side: low, band: reference, value: 0.8, unit: mmol/L, source: Policy 12.3,
     approved_by: Head of biochemistry, reviewed: 2026-01-01, review_due: 2027-01-01}
"""


def test_the_service_of_a_site_sends_the_cards_that_the_replay_counts(
    run: Callable[..., Replayed], example: Path, calls: dict[str, Json], tmp_path: Path
) -> None:
    profile = tmp_path / "site.yaml"
    profile.write_text(PROFILE, encoding="utf-8")
    replayed = run(example, rows=True, sides=(Side("", PROFILE.encode(), "site.yaml"),))
    rows = [
        json.loads(line)
        for path in replayed.reduced
        for line in path.with_suffix(".rows").read_bytes().splitlines()
    ]
    counted = {row["patient"]: [tuple(card) for card in row["cards"]] for row in rows if row["cards"]}
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'f.sqlite3'}", site=profile)
    live = {}
    with TestClient(create_app(settings, today=lambda: replayed.options.day)) as client:
        for name, call in calls.items():
            sent = {key: value for key, value in call["prefetch"].items() if key != "statements"}
            answer = client.post("/cds-services/twitching-patient-view", json=call | {"prefetch": sent})
            assert answer.status_code == 200
            if cards := answer.json()["cards"]:
                live[name] = [(card["source"]["topic"]["code"], card["indicator"]) for card in cards]
    assert live
    assert live == counted
