"""Each resource once, the later of two versions, and what was obtained at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import pytest

from mappings.facts import PatientFacts, Problem
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.read import READERS, Source, read_patient_facts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]


def source(key: str, value: Any, *expects: str, draft: bool = False) -> Source:
    return Source(key, None if value is None else json.dumps(value).encode(), expects, draft)


def facts_of(*sources: Source) -> PatientFacts:
    return read_patient_facts("p", sources)


def gaps(facts: PatientFacts) -> set[tuple[str, str, str]]:
    return {(gap.what, gap.reason, gap.resource) for gap in facts.gaps}


def test_a_resource_under_several_keys_counts_once(lab: Make, bundle: Make) -> None:
    facts = facts_of(source("a", bundle(lab(), lab())), source("b", lab()), source("item3", [lab()]))
    assert len(facts.labs) == 1


def test_without_id_the_full_url_or_the_content_tells_them_apart(lab: Make) -> None:
    same = {"fullUrl": "urn:uuid:1", "resource": lab(id=None)}
    other = {"fullUrl": "urn:uuid:2", "resource": lab(id=None)}
    assert len(facts_of(source("a", {"entry": [same, same, other]})).labs) == 2
    assert (
        len(facts_of(source("a", [lab(id=None), lab(id=None), lab(id=None, issued="2026-02-26")])).labs) == 2
    )


def test_a_resource_without_id_is_named_by_its_full_url(lab: Make) -> None:
    facts = facts_of(source("a", {"entry": [{"fullUrl": "urn:uuid:1", "resource": lab(id=None)}]}))
    assert facts.labs[0].resource == "urn:uuid:1"


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"versionId": "9"}, {"versionId": "10"}),
        ({"lastUpdated": "2026-02-25T10:00:00Z"}, {"lastUpdated": "2026-02-25T10:30:00+00:15"}),
        ({"lastUpdated": "2026-02-24"}, {"lastUpdated": "2026-02-25T00:00:00Z"}),
        ({}, {"versionId": "1"}),
        ({"versionId": "1"}, {"versionId": "1", "lastUpdated": "2026-02-25"}),
    ],
)
def test_of_two_versions_the_later_one_counts_in_any_order(
    earlier: Json, later: Json, lab: Make, bundle: Make
) -> None:
    final, withdrawn = lab(meta=earlier), lab(meta=later, status="entered-in-error")
    for versions in permutations([final, withdrawn]):
        assert facts_of(source("a", bundle(*versions))).labs == ()


def test_copies_without_version_give_the_same_answer_in_any_order(lab: Make, bundle: Make) -> None:
    copies = [lab(), lab(valueQuantity={"value": 3.9, "unit": "mmol/L"}), lab(status="preliminary")]
    answers = {facts_of(source("a", bundle(*order))).labs for order in permutations(copies)}
    assert len(answers) == 1


@pytest.mark.parametrize(
    "value",
    [
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": []},
        {"resourceType": "Condition", "id": "c"},
    ],
)
def test_an_answered_query_was_read_even_if_it_found_nothing(value: Json) -> None:
    assert "Condition" in facts_of(source("conditions", value, "Condition")).read


def test_resources_under_any_key_were_read(lab: Make, bundle: Make) -> None:
    facts = facts_of(source("item7", bundle(lab(), {"resourceType": "Claim"})))
    assert facts.read == {"Observation", "Claim"}


def test_null_was_not_read_and_is_named_per_key() -> None:
    facts = facts_of(source("labs", None, "Observation"), source("item4", None))
    assert facts.read == frozenset()
    assert gaps(facts) == {("Observation", "not-provided", "labs"), ("item4", "not-provided", "item4")}


def test_null_for_one_key_is_named_although_another_brought_the_type(lab: Make) -> None:
    facts = facts_of(source("labs", lab(), "Observation"), source("magnesium", None, "Observation"))
    assert "Observation" in facts.read
    assert gaps(facts) == {("Observation", "not-provided", "magnesium")}


def test_an_error_in_place_of_data_was_not_read() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "security"}]}
    for value in (outcome, {"resourceType": "Bundle", "entry": [{"resource": outcome}]}):
        facts = facts_of(source("conditions", value, "Condition"))
        assert facts.read == frozenset()
        assert gaps(facts) == {("Condition", "not-readable", "conditions")}


def test_an_error_beside_data_leaves_the_data_and_a_gap(lab: Make, bundle: Make) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "fatal"}]}
    facts = facts_of(source("labs", bundle(lab(), outcome), "Observation"))
    assert len(facts.labs) == 1
    assert "Observation" in facts.read
    assert gaps(facts) == {("Observation", "not-readable", "labs")}


def test_an_expected_type_that_never_came_is_named() -> None:
    facts = facts_of(source("patient", {"resourceType": "Practitioner", "id": "x"}, "Patient"))
    assert gaps(facts) == {("Patient", "not-provided", "patient")}


def test_more_pages_make_it_incomplete(lab: Make, bundle: Make) -> None:
    paged = bundle(lab(), link=[{"relation": "next", "url": "https://ehr.example/2"}])
    assert gaps(facts_of(source("labs", paged, "Observation"))) == {("Observation", "incomplete", "labs")}
    assert gaps(facts_of(source("item1", paged))) == {("Observation", "incomplete", "item1")}
    assert gaps(facts_of(source("x", {"resourceType": "Bundle", "total": 2}))) == {("x", "incomplete", "x")}


def test_drafts_do_not_say_that_the_record_was_read(order: Make, bundle: Make) -> None:
    facts = facts_of(source("draftOrders", bundle(order()), draft=True))
    assert facts.medications[0].status == "draft"
    assert facts.read == frozenset()


def test_what_the_record_holds_is_no_draft_although_the_hook_names_it_too(order: Make, bundle: Make) -> None:
    draft, stored = source("draftOrders", bundle(order()), draft=True), source("medications", bundle(order()))
    for sources in permutations([draft, stored]):
        facts = facts_of(*sources)
        assert [m.status for m in facts.medications] == ["active"]


def test_one_unreadable_resource_is_one_gap(lab: Make, bundle: Make) -> None:
    broken = [lab(id="b", status={"code": "final"}), {"resourceType": "Condition", "code": 5, "subject": [1]}]
    facts = facts_of(source("record", bundle(lab(), *broken)))
    assert len(facts.labs) == 1
    assert gaps(facts) == {
        ("Observation", "not-readable", "Observation/b"),
        ("Condition", "not-readable", "record"),
    }
    assert facts.read == {"Observation", "Condition"}


def test_former_type_names_count_as_todays(order: Make, bundle: Make) -> None:
    dstu2 = order(resourceType="MedicationOrder", intent=None, authoredOn=None, dateWritten="2025-11-01")
    facts = facts_of(source("m", bundle(dstu2), "MedicationRequest"))
    assert facts.read == {"MedicationRequest"}
    assert facts.medications[0].start is not None
    assert facts.gaps == ()


def test_no_sources_give_no_facts() -> None:
    assert facts_of() == PatientFacts(facts_of().patient)


def test_data_that_no_reader_expected_costs_its_resource_only(
    monkeypatch: pytest.MonkeyPatch, lab: Make, condition: Make, bundle: Make
) -> None:
    def surprised(item: Item, chart: Chart) -> Iterator[Problem]:
        yield Problem(("fasciculation",), item.key)
        raise OverflowError(chart)

    monkeypatch.setitem(READERS, "Condition", surprised)
    facts = facts_of(source("record", bundle(condition(), lab())))
    assert len(facts.labs) == 1
    assert gaps(facts) == {("Condition", "not-readable", "Condition/c")}
