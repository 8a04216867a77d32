"""The counters: what was sent, to which service, what became of it; no label is a caller's."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from cds_hooks.advice_id import new_id
from cds_hooks.app import create_app
from cds_hooks.monitoring.metrics import Metrics
from cds_hooks.monitoring.shared_counters import SHARED_FOLDER, shared_counters
from cds_hooks.settings import Settings
from mappings.knowledge import load_knowledge

SERVICE = "/cds-services/twitching-patient-view"
CANARY = "canary-7f3a"
Counted = Callable[..., float]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TestClient]:
    """A service that has counted nothing yet, on 22 November 2026."""
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'f.sqlite3'}")
    with TestClient(
        create_app(settings, knowledge=load_knowledge(), today=lambda: date(2026, 11, 22))
    ) as running:
        yield running


@pytest.fixture
def counted(site: TestClient) -> Counted:
    """The value of one series."""

    def value(name: str, **labels: str) -> float:
        found = [
            sample.value
            for family in text_string_to_metric_families(site.get("/metrics").text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found)

    return value


def test_calls_by_service_operation_and_status(site: TestClient, counted: Counted, record: bytes) -> None:
    site.post(SERVICE, content=record)
    site.post(SERVICE, content=record)
    site.post(SERVICE, content=b"{")
    site.post(f"{SERVICE}/explain", content=record)
    site.post(f"/cds-services/{CANARY}", content=record)
    site.post(f"{SERVICE}/feedback", content=b"[]")
    calls = "twitching_cds_calls_total"
    name = "twitching-patient-view"
    assert counted(calls, service=name, operation="cards", status="200") == 2
    assert counted(calls, service=name, operation="cards", status="400") == 1
    assert counted(calls, service=name, operation="explain", status="200") == 1
    assert counted(calls, service=name, operation="feedback", status="400") == 1
    assert counted(calls, service="unknown", operation="cards", status="404") == 1
    assert counted(calls) == 6


def test_what_is_no_call_is_not_counted(site: TestClient, counted: Counted) -> None:
    for path in ("/cds-services", "/health/live", "/health/ready", "/metrics", SERVICE, f"/{CANARY}"):
        site.get(path)
    site.post(f"{SERVICE}/{CANARY}")
    site.post(f"{SERVICE}/cards")
    site.options(SERVICE, headers={"Origin": "https://x.example", "Access-Control-Request-Method": "POST"})
    assert counted("twitching_cds_calls_total") == 0


def test_cards_by_topic_and_indicator(site: TestClient, counted: Counted, record: bytes) -> None:
    cards = site.post(SERVICE, content=record).json()["cards"]
    site.post(f"{SERVICE}/explain", content=record)
    for card in cards:
        labels = {"topic": card["source"]["topic"]["code"], "indicator": card["indicator"]}
        assert counted("twitching_cds_cards_total", service="twitching-patient-view", **labels) == 1
    assert counted("twitching_cds_cards_total") == len(cards) > 0


def test_gaps_by_reason(site: TestClient, counted: Counted, record: bytes) -> None:
    call = json.loads(record)
    for key in ("medications", "answers"):
        call["prefetch"].pop(key, None)
    call["prefetch"]["labs"]["entry"][0]["resource"]["valueQuantity"].pop("unit")
    call["prefetch"]["labs"]["entry"][0]["resource"]["valueQuantity"].pop("code", None)
    told = site.post(f"{SERVICE}/explain", content=json.dumps(call)).json()["gaps"]
    reasons = {gap["reason"] for gap in told}
    assert {"not-provided", "no-unit"} <= reasons
    site.post(SERVICE, content=json.dumps(call))
    for reason in reasons:
        assert counted("twitching_cds_gaps_total", reason=reason) == sum(
            gap["reason"] == reason for gap in told
        )


def test_latency(site: TestClient, counted: Counted, record: bytes) -> None:
    site.post(SERVICE, content=record)
    assert counted("twitching_cds_call_seconds_count", operation="cards") == 1
    assert 0 < counted("twitching_cds_call_seconds_sum", operation="cards") < 5
    assert counted("twitching_cds_call_seconds_bucket", le="0.5") + counted(
        "twitching_cds_call_seconds_bucket", le="+Inf"
    ) in (1, 2)


def test_feedback_once_each_by_topic_outcome_and_reason(site: TestClient, counted: Counted) -> None:
    at = {"outcomeTimestamp": "2026-03-01T09:30:00Z"}

    def dismissed(code: str) -> dict[str, Any]:
        reason = {"reason": {"code": code, "system": "urn:x"}}
        return at | {
            "card": new_id("topic:twitching-tests"),
            "outcome": "overridden",
            "overrideReason": reason,
        }

    items = [
        dismissed("wrong-time-workflow"),
        dismissed(CANARY),
        at | {"card": CANARY, "outcome": "overridden"},
    ]
    for _ in range(2):
        site.post(f"{SERVICE}/feedback", content=json.dumps({"feedback": items}))
    feedback = "twitching_cds_feedback_total"
    tests = {"topic": "twitching-tests", "outcome": "overridden"}
    assert counted(feedback, reason="wrong-time-workflow", **tests) == 1
    assert counted(feedback, reason="other", **tests) == 1
    assert counted(feedback, reason="none", topic="unknown") == 1
    assert counted(feedback) == 3


def test_no_label_is_a_callers(site: TestClient, record: bytes) -> None:
    call = json.loads(record)
    call |= {"hookInstance": CANARY, CANARY: CANARY}
    call["context"]["patientId"] = CANARY
    for path in (
        SERVICE,
        f"{SERVICE}/{CANARY}",
        f"/cds-services/{CANARY}",
        f"/cds-services/{CANARY}/feedback",
    ):
        site.post(path, content=json.dumps(call), headers={"X-Request-Id": CANARY})
    assert CANARY not in site.get("/metrics").text


def test_the_process_is_measured_too(counted: Counted) -> None:
    assert counted("process_resident_memory_bytes") > 1_000_000


def test_the_page_is_prometheus_text(site: TestClient) -> None:
    assert site.get("/metrics").headers["content-type"].startswith("text/plain; version=")


def test_with_several_workers_the_page_is_read_from_their_folder(
    site: TestClient, counted: Counted, tmp_path: Path, record: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.post(SERVICE, content=record)
    assert counted("twitching_cds_calls_total") == 1
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv(SHARED_FOLDER, str(tmp_path / "shared"))
    assert counted("twitching_cds_calls_total") == 0  # no worker has written there
    assert b"process_" not in Metrics().page()


def test_the_folder_of_an_operator_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARED_FOLDER, str(tmp_path))
    with shared_counters(2):
        assert os.environ[SHARED_FOLDER] == str(tmp_path)
    assert tmp_path.is_dir()
    monkeypatch.delenv(SHARED_FOLDER)
    with shared_counters(2):
        folder = Path(os.environ[SHARED_FOLDER])
        assert folder.is_dir()
    assert not folder.exists()
    assert SHARED_FOLDER not in os.environ
    with shared_counters(1):
        assert SHARED_FOLDER not in os.environ
