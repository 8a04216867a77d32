"""Advice overridden as not applying stays quiet for that patient, unless the situation has become worse."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cds_hooks.app import create_app
from cds_hooks.quiet import rules
from cds_hooks.settings import Settings
from mappings.knowledge import load_knowledge

PATH = "/cds-services/twitching-patient-view"
CONTRIBUTORS, TESTS = "twitching-contributors", "twitching-tests"
Json = dict[str, Any]
Call = Callable[..., Json]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may need longer than a live call would wait."""
    monkeypatch.setattr(rules, "PATIENCE_SECONDS", 30)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "f.sqlite3"


@pytest.fixture
def site(tmp_path: Path, database: Path) -> Iterator[Callable[..., TestClient]]:
    running: list[TestClient] = []

    def start(quiet: str = "quiet: {days: 30}", secret: str = "s" * 32) -> TestClient:
        profile = tmp_path / "profile.yaml"
        profile.write_text(f"name: X\n{quiet}\n", encoding="utf-8")
        settings = Settings(database_url=f"sqlite:///{database}", site=profile, site_secret=secret)
        app = create_app(settings, knowledge=load_knowledge(), today=lambda: date(2026, 3, 1))
        client = TestClient(app)
        client.__enter__()
        running.append(client)
        return client

    yield start
    for client in running:
        client.__exit__(None, None, None)


@pytest.fixture
def record(
    call: Callable[..., bytes],
    bundle: Callable[..., Any],
    condition: Callable[..., Any],
    patient: Callable[..., Any],
    potassium: Callable[..., Any],
) -> Call:
    def make(
        value: float = 2.8,
        *more: Json,
        labs: Any = None,
        user: str = "Practitioner/a",
        who: str = "p-1",
        **fields: Any,
    ) -> Json:
        empty = ("examination", "history", "medications", "statements", "orders", "procedures", "answers")
        prefetch = {
            "patient": patient(),
            "conditions": bundle(condition(), *more),
            "labs": labs or bundle(potassium(value)),
            **{key: bundle() for key in empty},
        }
        text = call(prefetch=prefetch, context={"userId": user, "patientId": "p-1"}, **fields).decode()
        made: Json = json.loads(text.replace("Patient/p-1", f"Patient/{who}").replace('"p-1"', f'"{who}"'))
        return made

    return make


def cards(client: TestClient, call: Json) -> dict[str, Json]:
    answer = client.post(PATH, json=call)
    assert answer.status_code == 200, answer.text
    return {card["source"]["topic"]["code"]: card for card in answer.json()["cards"]}


def override(client: TestClient, card: Json, reason: str = "not-fasciculation", **more: Any) -> None:
    (said,) = [one for one in card["overrideReasons"] if one["code"] == reason]
    item = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2026-03-01T09:30:00Z",
        "overrideReason": {"reason": {"code": said["code"], "system": said["system"]}},
    }
    answer = client.post(f"{PATH}/feedback", json={"feedback": [item | more]})
    assert answer.status_code == 200, answer.text


def test_it_is_off_by_default(site: Callable[..., TestClient], record: Call, database: Path) -> None:
    client = site("")
    override(client, cards(client, record())[CONTRIBUTORS])
    assert CONTRIBUTORS in cards(client, record())
    rows = sqlite3.connect(database).execute("SELECT count(*) FROM overridden_advice").fetchone()
    assert rows == (0,)


def test_overridden_advice_stays_quiet(site: Callable[..., TestClient], record: Call) -> None:
    client = site()
    override(client, cards(client, record())[CONTRIBUTORS])
    assert set(cards(client, record())) == {TESTS}


def test_what_could_not_be_read_moves_to_the_next_card(site: Callable[..., TestClient], record: Call) -> None:
    client = site()
    override(client, cards(client, record())[CONTRIBUTORS])
    assert "for health professionals" in cards(client, record())[TESTS]["detail"].lower()


@pytest.mark.parametrize("reason", ["wrong-time-workflow", "treatment-under-way"])
def test_another_reason_quiets_nothing(site: Callable[..., TestClient], record: Call, reason: str) -> None:
    client = site()
    override(client, cards(client, record())[CONTRIBUTORS], reason)
    assert CONTRIBUTORS in cards(client, record())


def test_reasons_are_the_sites_to_choose(site: Callable[..., TestClient], record: Call) -> None:
    client = site("quiet: {days: 30, reasons: [treatment-under-way]}")
    override(client, cards(client, record())[CONTRIBUTORS], "treatment-under-way")
    assert CONTRIBUTORS not in cards(client, record())


def test_an_accepted_card_is_not_quiet(site: Callable[..., TestClient], record: Call) -> None:
    client = site()
    card = cards(client, record())[TESTS]
    accepted = [{"id": card["suggestions"][0]["uuid"]}]
    override(client, card, outcome="accepted", acceptedSuggestions=accepted)
    assert TESTS in cards(client, record())


@pytest.mark.parametrize(
    ("scope", "user", "who", "quiet"),
    [
        ("user", "Practitioner/a", "p-1", True),
        ("user", "Practitioner/b", "p-1", False),
        ("site", "Practitioner/b", "p-1", True),
        ("site", "Practitioner/a", "p-2", False),
    ],
)
def test_for_whom(
    site: Callable[..., TestClient], record: Call, scope: str, user: str, who: str, quiet: bool
) -> None:
    client = site(f"quiet: {{days: 30, scope: {scope}}}")
    override(client, cards(client, record())[CONTRIBUTORS])
    assert (CONTRIBUTORS not in cards(client, record(user=user, who=who))) is quiet


def test_another_fhir_server_is_another_patient(site: Callable[..., TestClient], record: Call) -> None:
    client = site()
    override(client, cards(client, record(fhirServer="https://a.example/fhir"))[CONTRIBUTORS])
    assert CONTRIBUTORS in cards(client, record(fhirServer="https://b.example/fhir"))


def test_for_how_long(site: Callable[..., TestClient], record: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site()
    override(client, cards(client, record())[CONTRIBUTORS])
    before = rules.QuietRules.oldest
    monkeypatch.setattr(rules.QuietRules, "oldest", lambda self: before(self) + timedelta(days=29))
    assert CONTRIBUTORS not in cards(client, record())
    monkeypatch.setattr(rules.QuietRules, "oldest", lambda self: before(self) + timedelta(days=31))
    assert CONTRIBUTORS in cards(client, record())


class TestWorse:
    """Each makes quiet advice speak again."""

    def test_a_critical_result(self, site: Callable[..., TestClient], record: Call) -> None:
        client = site()
        override(client, cards(client, record(2.8))[CONTRIBUTORS])
        assert cards(client, record(2.3))[CONTRIBUTORS]["indicator"] == "critical"

    def test_a_higher_tier(self, site: Callable[..., TestClient], record: Call) -> None:
        client = site()
        override(client, cards(client, record(3.2))[CONTRIBUTORS])
        assert CONTRIBUTORS in cards(client, record(2.8))

    def test_a_new_red_flag(
        self, site: Callable[..., TestClient], record: Call, condition: Callable[..., Any]
    ) -> None:
        dysphagia = condition(
            id="d-1",
            code={
                "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R13.10"}],
                "text": "Dysphagia",
            },
        )
        client = site()
        override(client, cards(client, record())[CONTRIBUTORS])
        found = cards(client, record(2.8, dysphagia))
        assert {"twitching-red-flags", CONTRIBUTORS} <= set(found)

    def test_results_that_can_no_longer_be_read(self, site: Callable[..., TestClient], record: Call) -> None:
        client = site()
        override(client, cards(client, record(4.1))[TESTS])
        failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
        assert TESTS in cards(client, record(labs=failed))


def test_an_improvement_keeps_it_quiet(site: Callable[..., TestClient], record: Call) -> None:
    client = site()
    override(client, cards(client, record(2.8))[CONTRIBUTORS])
    assert CONTRIBUTORS not in cards(client, record(3.3))


def test_a_critical_card_is_never_quiet(site: Callable[..., TestClient], record: Call) -> None:
    client = site()
    override(client, cards(client, record(2.3))[CONTRIBUTORS], "goals-of-care")
    assert CONTRIBUTORS in cards(client, record(2.3))
    assert CONTRIBUTORS in cards(client, record(2.8))


def test_a_red_flag_card_is_never_quiet(
    site: Callable[..., TestClient], record: Call, condition: Callable[..., Any]
) -> None:
    dysphagia = condition(
        id="d-1",
        code={
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R13.10"}],
            "text": "Dysphagia",
        },
    )
    client = site()
    override(client, cards(client, record(2.8, dysphagia))["twitching-red-flags"])
    assert "twitching-red-flags" in cards(client, record(2.8, dysphagia))


def test_quiet_advice_is_counted_and_explained(site: Callable[..., TestClient], record: Call) -> None:
    client = site()
    override(client, cards(client, record())[CONTRIBUTORS])
    cards(client, record())
    line = f'what="{CONTRIBUTORS}",why="overridden"}} 1.0'
    assert line in client.get("/metrics").text
    told = client.post(f"{PATH}/explain", json=record()).json()
    assert [item["id"] for item in told["contributors"]] == ["hypokalaemia"]
    assert told["withheld"] == [{"what": CONTRIBUTORS, "indicator": "warning", "why": "overridden"}]


def test_no_patient_is_stored(site: Callable[..., TestClient], record: Call, database: Path) -> None:
    client = site()
    call = record(
        user="Practitioner/canary-user", who="canary-patient", fhirServer="https://canary.example/fhir"
    )
    override(client, cards(client, call)[CONTRIBUTORS])
    client.__exit__(None, None, None)
    client.__enter__()
    kept = b"".join(path.read_bytes() for path in database.parent.glob("f.sqlite3*"))
    assert b"canary" not in kept
    ((patient,),) = sqlite3.connect(database).execute("SELECT patient FROM overridden_advice").fetchall()
    assert len(patient) == 11


def test_two_cards_of_one_patient_look_unrelated(site: Callable[..., TestClient], record: Call) -> None:
    client = site()
    first, second = (cards(client, record())[CONTRIBUTORS]["uuid"] for _ in range(2))
    same = sum(a == b for a, b in zip(first[6:], second[6:], strict=True) if a != "-")
    assert same < 12


def test_with_another_secret_nobody_is_the_same(site: Callable[..., TestClient], record: Call) -> None:
    client = site()
    override(client, cards(client, record())[CONTRIBUTORS])
    assert CONTRIBUTORS in cards(site(secret="t" * 32), record())


def test_without_its_database_everything_is_shown(
    site: Callable[..., TestClient], record: Call, database: Path
) -> None:
    client = site()
    override(client, cards(client, record())[CONTRIBUTORS])
    with sqlite3.connect(database) as lock:
        lock.execute("DROP TABLE overridden_advice")
    assert CONTRIBUTORS in cards(client, record())


def test_feedback_sent_again_does_not_prolong_it(
    site: Callable[..., TestClient], record: Call, database: Path
) -> None:
    client = site()
    card = cards(client, record())[CONTRIBUTORS]
    override(client, card)
    with sqlite3.connect(database) as rows:
        rows.execute("UPDATE overridden_advice SET since = '2001-01-01 00:00:00.000000'")
    override(client, card)
    assert CONTRIBUTORS in cards(client, record())
