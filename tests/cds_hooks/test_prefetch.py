"""What was sent, what was not, and when that is too little."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from cds_hooks.errors import Refused
from cds_hooks.prefetch import Completion, name_gaps, require, sources
from cds_hooks.request import HookRequest, read_request
from cds_hooks.services import SERVICE_BY_ID
from mappings.assessment import Assessment, Gate
from mappings.facts import DataGap, LabResult, Patient, PatientFacts
from mappings.from_fhir.bundle import unwrap

SERVICE = SERVICE_BY_ID["twitching-patient-view"]
Read = Callable[[Any], HookRequest]


@pytest.fixture
def request_with(call: Callable[..., bytes]) -> Read:
    return lambda prefetch: read_request(call(prefetch=prefetch), SERVICE)


def facts(*read: str, deceased: bool = False) -> PatientFacts:
    return PatientFacts(Patient("p-1", deceased=deceased), read=frozenset(read))


def test_our_keys_expect_their_type_and_other_keys_are_read_too(request_with: Read) -> None:
    sent = sources(
        SERVICE, request_with({"labs": {"resourceType": "Bundle"}, "mine": [1], "conditions": None})
    )
    assert [(s.key, s.expects, unwrap(s.content).null, s.draft) for s in sent] == [
        ("labs", ("Observation",), False, False),
        ("mine", (), False, False),
        ("conditions", ("Condition",), True, False),
    ]


def test_a_key_that_was_not_sent_is_a_gap(request_with: Read) -> None:
    keys = {key: {} for key in SERVICE.prefetch if key not in ("labs", "statements")}
    gaps = name_gaps(SERVICE, request_with(keys), facts("Observation", "Condition")).gaps
    assert [(gap.what, gap.reason, gap.text, gap.resource) for gap in gaps] == [
        ("Observation", "not-provided", "laboratory results", "labs"),
        ("MedicationStatement", "not-provided", "other medicines taken", "statements"),
    ]


def test_a_site_with_keys_of_its_own_may_send_the_same_data(request_with: Read) -> None:
    mine = [{"resourceType": "Observation"}, {"resourceType": "Condition"}]
    lab = LabResult("potassium", Decimal(4), "mmol/L", date(2026, 2, 1))
    found = structs.replace(facts("Observation", "Condition"), labs=(lab,))
    gaps = name_gaps(SERVICE, request_with({"mine": mine}), found).gaps
    assert {"labs", "examination", "history", "conditions"} & {gap.resource for gap in gaps} == set()
    assert "medications" in {gap.resource for gap in gaps}


def test_a_patient_who_came_among_the_conditions_is_not_missed(request_with: Read) -> None:
    request = request_with({"conditions": {"resourceType": "Bundle"}})
    birth = date(1960, 1, 1), date(1960, 12, 31)
    found = structs.replace(facts("Condition", "Patient"), patient=Patient("p-1", birth_date=birth))
    assert "patient" not in {gap.resource for gap in name_gaps(SERVICE, request, found).gaps}
    assert "patient" in {gap.resource for gap in name_gaps(SERVICE, request, facts("Condition")).gaps}


@pytest.mark.parametrize(
    "mine",
    [None, {"resourceType": "Practitioner", "id": "1"}, {"resourceType": "Observation", "id": "weight"}],
    ids=["nothing", "the user", "other observations"],
)
def test_another_key_does_not_stand_for_results_that_were_not_sent(request_with: Read, mine: Any) -> None:
    """`Observation` was read, but for the examination: results are not known, and must not be called not measured."""
    request = request_with({"examination": {"resourceType": "Bundle"}, "mine": mine})
    gaps = name_gaps(SERVICE, request, facts("Observation", "Condition")).gaps
    assert ("labs", "laboratory results") in {(gap.resource, gap.text) for gap in gaps}


def test_nothing_under_a_key_that_nobody_asked_for_is_not_missed(request_with: Read) -> None:
    keys = {key: {} for key in SERVICE.prefetch} | {"mine": None}
    gap = DataGap("mine", "not-provided", "mine", "mine")
    found = structs.replace(facts("Observation", "Condition"), gaps=(gap,))
    assert name_gaps(SERVICE, request_with(keys), found).gaps == ()


def test_gaps_about_a_whole_key_say_what_it_held(request_with: Read) -> None:
    found = (
        DataGap("Observation", "not-provided", "nothing for Observation", "labs"),
        DataGap("Observation", "not-readable", "an error for Observation", "examination"),
        DataGap("potassium", "no-unit", "potassium 2.9 has no unit", "Observation/k"),
    )
    known = structs.replace(facts(), gaps=found)
    gaps = name_gaps(SERVICE, request_with({key: {} for key in SERVICE.prefetch}), known).gaps
    assert [gap.text for gap in gaps] == [
        "laboratory results",
        "examination findings: an error for Observation",
        "potassium 2.9 has no unit",
    ]


def test_a_next_page_that_was_read_is_no_gap(request_with: Read) -> None:
    record = PatientFacts(Patient("p-1"), gaps=(DataGap("Observation", "incomplete", "a part", "labs"),))
    request = request_with({key: {} for key in SERVICE.prefetch})
    assert name_gaps(SERVICE, request, record, Completion(whole=frozenset({"labs"}))).gaps == ()
    assert [gap.reason for gap in name_gaps(SERVICE, request, record).gaps] == ["incomplete"]


def test_without_gaps_the_facts_stay_as_they_are(request_with: Read) -> None:
    known = facts("Condition")
    assert name_gaps(SERVICE, request_with({key: {} for key in SERVICE.prefetch}), known) is known


@pytest.mark.parametrize(
    ("known", "gate", "refused"),
    [
        (facts(), False, True),
        (facts("Observation", "Patient"), False, True),
        (facts("Condition"), False, False),
        (facts("Encounter"), True, False),
        (facts(deceased=True), False, False),
    ],
)
def test_not_knowing_whether_twitching_is_documented_is_a_412(
    assessment: Callable[..., Assessment], known: PatientFacts, gate: bool, refused: bool
) -> None:
    assessed = assessment(gate=Gate(gate), silent_reason=None if gate else "twitching-not-documented")
    if not refused:
        require(SERVICE, known, assessed)
        return
    with pytest.raises(Refused) as caught:
        require(SERVICE, known, assessed)
    assert caught.value.status == 412
    (issue,) = json.loads(caught.value.body())["issue"]
    assert issue["expression"] == ["prefetch.conditions"]
    assert "Condition?patient=" in issue["diagnostics"]
