"""An independent client calls every service with a prefetch of its own making, orders a test and sends feedback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
PATIENT = "p-3"


@pytest.fixture(scope="module")
def done(
    open_server: Any,
    new_chart: Callable[[str], Any],
    start_lasting: Callable[..., Any],
    medplum: Callable[[Json], Json],
    tmp_path_factory: pytest.TempPathFactory,
) -> Json:
    """What Medplum's client was told by the FHIR server and by our service, which it gives no access to the former."""
    chart = new_chart(PATIENT)
    doctor = {"resourceType": "Practitioner", "id": "doc-1", "name": [{"family": "Example"}]}
    visit = {
        "resourceType": "Encounter",
        "id": "visit-1",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    open_server.keep(
        doctor, visit, chart.patient(), chart.twitching(), chart.potassium(2.8), chart.medicine()
    )
    drafts = {"draftOrders": chart.bundle(chart.draft("furosemide 40 mg oral tablet"), type="collection")}
    who = {"userId": "Practitioner/doc-1", "patientId": PATIENT}
    database = tmp_path_factory.mktemp("feedback") / "feedback.sqlite3"
    with start_lasting(database_url=f"sqlite:///{database}") as service:
        task = {
            "fhir": open_server.base,
            "cds": f"{service.base}/cds-services",
            "practitioner": "doc-1",
            "contexts": {
                "patient-view": who,
                "encounter-start": who | {"encounterId": "visit-1"},
                "problem-list-item-create": who | {"conditions": chart.bundle(chart.twitching())},
                "order-select": who | drafts | {"selections": []},
                "order-sign": who | drafts,
            },
        }
        told = medplum(task | {"act": True})
        again = medplum(task)
    return told | {"again": again, "database": str(database)}


def test_it_discovers_the_five_services(done: Json) -> None:
    assert [service["hook"] for service in done["discovery"]["services"]] == [
        "patient-view",
        "encounter-start",
        "problem-list-item-create",
        "order-select",
        "order-sign",
    ]


def test_it_fills_in_every_template_and_sends_null_where_it_cannot(done: Json) -> None:
    for service in done["discovery"]["services"]:
        request = done["calls"][service["id"]]["request"]
        assert set(request["prefetch"]) == set(service["prefetch"])
        assert "fhirServer" not in request
        unknown = {key for key, value in request["prefetch"].items() if value is None}
        assert unknown == (set() if service["hook"] == "encounter-start" else {"encounter"})


@pytest.mark.parametrize(
    ("hook", "topics"),
    [
        ("patient-view", ["contributors", "tests"]),
        ("encounter-start", ["contributors", "tests"]),
        ("problem-list-item-create", ["contributors", "tests"]),
        ("order-select", ["orders", "tests"]),
        ("order-sign", ["orders", "tests"]),
    ],
)
def test_it_reads_the_cards_of_each(
    done: Json, told: Callable[[list[Json]], str], hook: str, topics: list[str]
) -> None:
    cards = done["calls"][f"twitching-{hook}"]["response"]["cards"]
    assert [card["source"]["topic"]["code"] for card in cards] == [f"twitching-{topic}" for topic in topics]
    assert "potassium 2.8 mmol/L" in told(cards)
    assert "hydrochlorothiazide 25 mg" in told(cards)
    assert ("furosemide" in told(cards)) == hook.startswith("order")


def test_a_null_for_an_encounter_that_there_is_not_is_no_gap(
    done: Json, told: Callable[[list[Json]], str]
) -> None:
    said = told(done["calls"]["twitching-patient-view"]["response"]["cards"])
    assert "Not provided by the record system" not in said
    assert "Could not be used" not in said


def test_a_suggestion_becomes_an_order_that_a_strict_server_takes(done: Json) -> None:
    created = done["created"]
    assert (created["resourceType"], created["status"], created["intent"]) == (
        "ServiceRequest",
        "draft",
        "proposal",
    )
    assert created["id"]
    assert created["subject"] == {"reference": f"Patient/{PATIENT}"}
    assert created["requester"] == {"reference": "Practitioner/doc-1"}
    assert [entry["resource"]["id"] for entry in done["found"]["entry"]] == [created["id"]]


def test_what_was_signed_is_not_suggested_again(done: Json) -> None:
    def suggested(calls: Json) -> list[str]:
        cards = calls["twitching-patient-view"]["response"]["cards"]
        return [one["label"] for card in cards for one in card.get("suggestions", ())]

    assert (done["signed"]["status"], done["signed"]["intent"]) == ("active", "order")
    before, after = suggested(done["calls"]), suggested(done["again"]["calls"])
    assert before[0] not in after
    assert after


def test_its_feedback_is_counted(done: Json) -> None:
    assert done["feedback"] == {}
    report = subprocess.run(
        [sys.executable, "-m", "cds_hooks.cli", "feedback", "report", "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(done["database"]).parent,
        env={"TWITCHING_CDS_DATABASE_URL": f"sqlite:///{done['database']}", "PYTHONPATH": ":".join(sys.path)},
    )
    counted = {
        row["topic"]: (row["accepted"], row["overridden"]) for row in json.loads(report.stdout)["topics"]
    }
    assert counted == {"twitching-tests": (1, 0), "twitching-contributors": (0, 1)}
