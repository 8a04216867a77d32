"""As of a day only what was known on that day counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.replay.dated import dated
from cds_hooks.replay.patient import Setup
from cds_hooks.replay.run import days_of
from cds_hooks.replay.sides import Side

Json = dict[str, Any]
JUNE = date(2026, 6, 15)
SUBJECT = {"reference": "Patient/p1"}


def encounter(name: str, start: str, status: str = "finished", **more: Any) -> Json:
    period = {"start": start, "end": start}
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": status,
        "subject": SUBJECT,
        "period": period,
    } | more


@pytest.mark.parametrize(
    "change",
    [
        {"recordedDate": "2026-06-16"},
        {"recordedDate": "2026-06-16", "onsetDateTime": "2026-01-01"},
        {"recordedDate": None, "onsetDateTime": "2026-07"},
        {"recordedDate": None, "meta": {"lastUpdated": "2026-07-01T00:00:00Z"}},
    ],
    ids=str,
)
def test_twitching_recorded_later_gives_no_card(
    told: Callable[..., Json],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    change: Json,
) -> None:
    resources = [{k: v for k, v in r.items() if v is not None} for r in twitching(**change)]
    assert told(export(*resources), day=JUNE)["patientsWithCards"] == 0
    assert told(export(*resources), day=date(2026, 8, 1))["patientsWithCards"] == 1


def test_an_encounter_that_starts_later_is_not_under_way(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    reason = [{"text": "Fasciculation"}]
    visit = encounter("e", "2026-07-01", "in-progress", period={"start": "2026-07-01"}, reasonCode=reason)
    resources = [*twitching(code={"text": "Hypertension"}), visit]
    assert told(export(*resources), day=JUNE)["patientsWithCards"] == 0
    assert told(export(*resources), day=date(2026, 7, 1))["patientsWithCards"] == 1


def test_twitching_that_was_resolved_later_was_active(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    resolved = {
        "clinicalStatus": {"coding": [{"code": "resolved"}]},
        "abatementDateTime": "2026-07-01",
    }
    folder = export(*twitching(**resolved))
    assert told(folder, day=JUNE)["patientsWithCards"] == 1
    assert told(folder, day=date(2026, 8, 1))["patientsWithCards"] == 0


@pytest.mark.parametrize(
    ("later", "known"),
    [
        ({}, True),
        ({"effectiveDateTime": "2026-06-16"}, False),
        ({"issued": "2026-06-16T08:00:00Z"}, False),
        ({"effectiveDateTime": None, "issued": "2026-06-14T08:00:00Z"}, True),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-06-01", "end": "2026-06-20"}}, False),
    ],
    ids=str,
)
def test_a_result_counts_from_the_day_it_was_issued(
    told: Callable[..., Json],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    result: Callable[..., Json],
    later: Json,
    known: bool,
) -> None:
    low = {k: v for k, v in (result("k", 2.9, "2026-06-14") | later).items() if v is not None}
    causes = told(export(*twitching(), low), day=JUNE)["contributors"]
    assert ("hypokalaemia" in causes) is known


def test_a_medicine_that_was_stopped_later_was_taken(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    medicine = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "stopped",
        "intent": "order",
        "subject": SUBJECT,
        "authoredOn": "2026-02-01",
        "medicationCodeableConcept": {"text": "albuterol 90 mcg inhaler"},
        "dispenseRequest": {"validityPeriod": {"end": "2026-07-01"}},
    }
    folder = export(*twitching(), medicine)
    assert "drug:beta2_agonist" in told(folder, day=JUNE)["contributors"]
    assert "drug:beta2_agonist" not in told(folder, day=date(2026, 9, 1))["contributors"]
    later = export(*twitching(), medicine | {"status": "active", "authoredOn": "2026-06-16"})
    assert "drug:beta2_agonist" not in told(later, day=JUNE)["contributors"]


def test_who_died_later_was_alive(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    patient, condition = twitching()
    folder = export(patient | {"deceasedDateTime": "2026-07-01"}, condition)
    assert told(folder, day=JUNE)["patientsWithCards"] == 1
    assert told(folder, day=date(2026, 8, 1))["silent"] == {"deceased": 1}


def test_each_encounter_is_asked_about_as_it_began(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    patient, condition = twitching()
    folder = export(
        patient | {"deceasedBoolean": True},
        condition,
        encounter("e1", "2026-04-01"),
        encounter("e2", "2026-05-10"),
        encounter("e2", "2026-05-10"),
        encounter("e3", "2026-06-10"),
        encounter("e4", "2026-06-11", "cancelled"),
        encounter("e5", "2026-06-30"),
    )
    summary = told(folder, day=JUNE, mode="each-encounter")
    assert (summary["moments"], summary["momentsWithCards"], summary["patientsWithCards"]) == (3, 2, 1)
    since = told(folder, day=JUNE, mode="each-encounter", since=date(2026, 6, 1))
    assert since["moments"] == 1


def test_the_reason_of_an_encounter_counts_for_that_encounter_only(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    patient, _ = twitching()
    other = {"resourceType": "Condition", "id": "x", "subject": SUBJECT, "code": {"text": "Hypertension"}}
    twitches = encounter("e1", "2026-05-10", reasonCode=[{"text": "Fasciculation"}])
    folder = export(patient, other, twitches, encounter("e2", "2026-06-10"))
    assert told(folder, day=JUNE, mode="each-encounter")["momentsWithCards"] == 1
    assert told(folder, day=JUNE)["patientsWithCards"] == 0


def test_months(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    summary = told(export(*twitching()), day=JUNE, mode="monthly", since=date(2026, 3, 1))
    with_cards = {m["month"]: m["patients"] for m in summary["months"] if m["cards"]}
    assert with_cards == {"2026-05": 1, "2026-06": 1}
    assert summary["moments"] == 4


def test_a_year_of_months_by_default() -> None:
    days = days_of(Setup("monthly", date(2026, 2, 28), None, "documented", (Side(),)))
    assert days[0] == date(2025, 2, 28)
    assert days[-1] == date(2026, 2, 28)
    assert len(days) == 13


def test_if_everybody_presented_with_twitching(
    told: Callable[..., Json],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    result: Callable[..., Json],
) -> None:
    patient, _ = twitching()
    folder = export(patient, result("k", 2.9, "2026-06-14"))
    summary = told(folder, day=JUNE, gate="assume-twitching")
    assert summary["contributors"]["hypokalaemia"] == 1


def test_of_a_partial_date_the_last_day_counts_in_the_past() -> None:
    found = dated(b"C", b'{"recordedDate": "2026-06"}')
    assert found.on(JUNE, exactly=False)
    assert found.on(JUNE, exactly=True) is None
    undated = dated(b"C", b"{}")
    assert undated.on(JUNE, exactly=False)
    assert undated.on(JUNE, exactly=True) is None
