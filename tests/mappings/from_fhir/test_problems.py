from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mappings.facts import PatientFacts, Problem
from mappings.from_fhir.read import Source, read_patient_facts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]
TWITCHING = {
    "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}],
    "text": "Fasciculation",
}


def only(facts: PatientFacts) -> Problem:
    assert facts.gaps == ()
    (problem,) = facts.problems
    return problem


def test_a_condition_is_read(read: Read, condition: Make) -> None:
    full = condition(
        onsetDateTime="2026-01-25",
        recordedDate="2026-02-01T10:00:00Z",
        bodySite=[{"text": "calves"}, {"coding": [{"display": "Thigh"}]}],
    )
    assert only(read(full)) == Problem(
        concepts=("fasciculation",),
        text="Fasciculation",
        onset=date(2026, 1, 25),
        recorded=date(2026, 2, 1),
        site="calves, Thigh",
        resource="Condition/c",
    )


@pytest.mark.parametrize("status", ["unconfirmed", "provisional", "differential"])
def test_of_a_suspected_condition_only_the_symptom_is_there(status: str, read: Read, condition: Make) -> None:
    suspected = {"verificationStatus": {"coding": [{"code": status}]}}
    als = only(read(condition(code={"text": "Amyotrophic lateral sclerosis"}, **suspected)))
    assert als.concepts == ()
    assert "als" in als.suspected
    assert only(read(condition(**suspected))).concepts == ("fasciculation",)
    benign = only(read(condition(code={"text": "Benign fasciculation syndrome"}, **suspected)))
    assert (benign.concepts, benign.text) == (("fasciculation",), "Benign fasciculation syndrome")


def test_a_code_without_text_is_named_by_its_concept(read: Read, condition: Make) -> None:
    assert only(read(condition(code={"coding": TWITCHING["coding"]}))).text == "fasciculation"


def test_text_alone_is_enough_at_lower_trust(read: Read, condition: Make) -> None:
    problem = only(read(condition(code={"text": "muscle twitching"})))
    assert problem.concepts == ("fasciculation",)
    assert problem.by_text


def test_what_no_rule_knows_is_left_out(read: Read, condition: Make) -> None:
    facts = read(condition(code={"text": "Ingrown toenail"}))
    assert facts.problems == ()
    assert facts.gaps == ()


@pytest.mark.parametrize("code", [None, {}, {"coding": []}])
def test_a_condition_of_nothing_is_a_gap(code: Json | None, read: Read, condition: Make) -> None:
    facts = read(condition(code=code))
    assert [(gap.what, gap.reason) for gap in facts.gaps] == [("Condition", "not-readable")]


@pytest.mark.parametrize(
    "status",
    [
        {"coding": [{"code": "refuted"}]},
        {"coding": [{"code": "entered-in-error"}]},
        {"coding": [{"system": "http://ehr.example", "code": "7"}, {"code": "refuted"}]},
        {"text": "Entered in Error"},
        "refuted",
    ],
)
def test_refuted_is_not_a_problem(status: Any, read: Read, condition: Make) -> None:
    facts = read(condition(verificationStatus=status))
    assert facts.problems == ()
    assert facts.gaps == ()


@pytest.mark.parametrize("status", [None, "provisional", {"coding": [{"code": "unconfirmed"}]}])
def test_verification_may_be_absent_or_pending(status: Any, read: Read, condition: Make) -> None:
    only(read(condition(verificationStatus=status)))


@pytest.mark.parametrize(
    ("status", "active"),
    [
        ("active", True),
        ("recurrence", True),
        ("relapse", True),
        ("inactive", False),
        ("remission", False),
        ("resolved", False),
        ("unknown", True),
        (None, True),
    ],
)
def test_clinical_status_says_whether_it_is_active(
    status: str | None, active: bool, read: Read, condition: Make
) -> None:
    coded = {"coding": [{"code": status}]} if status else None
    assert only(read(condition(clinicalStatus=coded))).active is active
    assert only(read(condition(clinicalStatus=status))).active is active


@pytest.mark.parametrize(
    "abatement",
    [
        {"abatementDateTime": "2026-02-01"},
        {"abatementPeriod": {"end": "2026-02-01"}},
        {"abatementString": "last year"},
        {"abatementBoolean": True},
        {"abatementAge": {"value": 40, "unit": "a"}},
    ],
)
def test_without_clinical_status_an_abated_condition_is_past(
    abatement: Json, read: Read, condition: Make
) -> None:
    assert not only(read(condition(clinicalStatus=None, **abatement))).active


def test_the_end_is_the_last_day_it_may_have_lasted(read: Read, condition: Make) -> None:
    assert only(read(condition(abatementDateTime="2026-02"))).ended == date(2026, 2, 28)


@pytest.mark.parametrize(
    "onset",
    [{"onsetDateTime": "2026-01"}, {"onsetPeriod": {"start": "2026-01-01"}}, {"onsetString": "2026-01-01"}],
)
def test_the_onset_is_the_first_day_it_may_have_begun(onset: Json, read: Read, condition: Make) -> None:
    assert only(read(condition(**onset))).onset == date(2026, 1, 1)


def test_an_onset_in_words_is_unknown(read: Read, condition: Make) -> None:
    assert only(read(condition(onsetString="some weeks ago"))).onset is None


def test_stu3_dates_are_read(read: Read, condition: Make) -> None:
    assert only(read(condition(assertedDate="2026-01-01"))).recorded == date(2026, 1, 1)


def test_a_condition_about_to_be_added_is_a_draft(condition: Make) -> None:
    content = json.dumps({"entry": [{"resource": condition()}]}).encode()
    assert only(read_patient_facts("p", [Source("conditions", content, draft=True)])).draft


def procedure(**elements: Any) -> Json:
    usual = {
        "resourceType": "Procedure",
        "id": "op",
        "status": "completed",
        "code": {"text": "Total thyroidectomy"},
    }
    return usual | elements


@pytest.mark.parametrize(
    "time",
    [
        {"performedDateTime": "2026-02-14"},
        {"performedPeriod": {"start": "2026-02-13", "end": "2026-02-14"}},
        {"occurrenceDateTime": "2026-02-14"},
        {"occurrencePeriod": {"end": "2026-02-14"}},
        {"performedString": "2026-02-14"},
    ],
)
def test_an_operation_is_a_problem_of_its_day(time: Json, read: Read) -> None:
    problem = only(read(procedure(**time)))
    assert (problem.kind, problem.concepts, problem.onset) == (
        "Procedure",
        ("post_thyroidectomy",),
        date(2026, 2, 14),
    )


@pytest.mark.parametrize("elements", [{"status": "completed"}, {"status": ""}, {"status": "in-progress"}])
def test_an_operation_done_or_under_way_counts(elements: Json, read: Read) -> None:
    only(read(procedure(**elements)))


@pytest.mark.parametrize(
    "elements",
    [
        {"status": "not-done"},
        {"status": "entered-in-error"},
        {"status": "preparation"},
        {"notDone": True},
        {"code": {}},
    ],
)
def test_an_operation_not_done_does_not_count(elements: Json, read: Read) -> None:
    assert read(procedure(**elements)).problems == ()


def encounter(**elements: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "e",
        "status": "in-progress",
        "period": {"start": "2026-03-01"},
    } | elements


@pytest.mark.parametrize(
    "reason",
    [
        {"reasonCode": [{"text": "headache"}, TWITCHING]},
        {"reasonReference": [{"reference": "Condition/unsent", "display": "Fasciculation"}]},
        {
            "reasonReference": [{"reference": "#c"}],
            "contained": [{"resourceType": "Condition", "id": "c", "code": TWITCHING}],
        },
        {"reason": [TWITCHING]},
        {"reason": [{"value": [{"concept": TWITCHING}]}]},
        {
            "reason": [
                {"value": [{"reference": {"reference": "Condition/unsent", "display": "Fasciculation"}}]}
            ]
        },
        {"reasonCode": TWITCHING},
    ],
)
def test_the_reason_of_an_encounter_is_a_problem(reason: Json, read: Read) -> None:
    problem = only(read(encounter(**reason)))
    assert (problem.kind, problem.concepts, problem.active) == ("Encounter", ("fasciculation",), True)
    assert problem.recorded == date(2026, 3, 1)


def test_a_condition_that_was_sent_speaks_for_itself(read: Read, condition: Make) -> None:
    reason = {"reasonReference": [{"reference": "Condition/c", "display": "Fasciculation"}]}
    assert only(read(encounter(**reason), condition())).kind == "Condition"
    refuted = condition(verificationStatus={"coding": [{"code": "refuted"}]})
    assert read(encounter(**reason), refuted).problems == ()


def test_a_refuted_contained_reason_is_none(read: Read) -> None:
    contained = [
        {
            "resourceType": "Condition",
            "id": "c",
            "code": TWITCHING,
            "verificationStatus": {"coding": [{"code": "refuted"}]},
        }
    ]
    assert read(encounter(reasonReference=[{"reference": "#c"}], contained=contained)).problems == ()


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_an_encounter_that_never_was_has_no_reason(status: str, read: Read) -> None:
    assert read(encounter(status=status, reasonCode=[TWITCHING])).problems == ()


@pytest.mark.parametrize(
    ("status", "active"),
    [
        ("in-progress", True),
        ("arrived", True),
        ("triaged", True),
        ("onleave", True),
        ("finished", False),
        ("planned", False),
    ],
)
def test_of_a_whole_chart_only_encounters_under_way_are_active(status: str, active: bool, read: Read) -> None:
    assert only(read(encounter(status=status, reasonCode=[TWITCHING]))).active is active


def test_the_encounter_that_was_asked_for_is_active_whatever_its_status(bundle: Make) -> None:
    one = encounter(status="finished", reasonCode=[TWITCHING])
    for value in (one, bundle(one)):
        facts = read_patient_facts("p", [Source("encounter", json.dumps(value).encode(), ("Encounter",))])
        assert only(facts).active
    several = json.dumps(bundle(one, encounter(id="f"))).encode()
    assert not only(read_patient_facts("p", [Source("encounter", several, ("Encounter",))])).active
