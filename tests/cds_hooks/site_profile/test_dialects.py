"""A request as each vendor sends it gets the right cards, in the vendor's own dialect; with the examples of deploy/sites."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.site_profile.load import read_profile
from cds_hooks.site_profile.tailor import tailor
from cds_hooks.validation.validate import validate
from mappings.knowledge import load_knowledge

PATH = "/cds-services/twitching-patient-view"
SITES = Path(__file__).parents[3] / "deploy" / "sites"
EXAMPLES = sorted(path.stem for path in SITES.glob("*.yaml"))
PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
Json = dict[str, Any]
Call = Callable[..., Json]
Site = Callable[..., Any]


@pytest.fixture
def epic_call(low_potassium_call: Call) -> Json:
    """A patient-view for a problem being entered: names of the site's own, absolute references, an OperationOutcome
    among the entries, a scope that is no SMART scope, an extension."""
    call = low_potassium_call(
        extension={
            "com.epic.cdshooks.request.bpa-trigger-action": "6",
            "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1",
            "com.epic.cdshooks.request.fhir-version": "R4",
            "com.epic.cdshooks.request.criteria-id": "1126",
        },
        fhirServer="https://ehr.example.org/api/FHIR/R4",
        fhirAuthorization={
            "access_token": "t",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "Observation.Read (Labs) (R4) Condition.Read (Problems) (R4)",
            "subject": "client-1",
        },
    )
    nothing = {
        "fullUrl": "urn:uuid:1d5a3cd6-0a3b-4a3b-9b0b-0a3b4a3b9b0b",
        "resource": {
            "resourceType": "OperationOutcome",
            "issue": [
                {
                    "severity": "warning",
                    "code": "processing",
                    "details": {"coding": [{"code": "4101"}], "text": "Resource request returns no results."},
                }
            ],
        },
        "search": {"mode": "outcome"},
    }
    prefetch = call["prefetch"]
    prefetch["statements"] = {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [nothing]}
    for entry in (*prefetch["conditions"]["entry"], *prefetch["labs"]["entry"]):
        entry["resource"]["subject"]["reference"] = "https://ehr.example.org/api/FHIR/R4/Patient/p-1"
    prefetch["problems"] = prefetch.pop("conditions")
    prefetch["lab-results"] = prefetch.pop("labs")
    return call


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_a_profile_without_a_problem(name: str) -> None:
    tailor(read_profile(SITES / f"{name}.yaml"), load_knowledge())


def test_there_is_an_example_for_each_vendor() -> None:
    assert {"athenahealth", "epic", "generic", "oracle-health"} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_published_is_as_cds_hooks_has_it(site: Site, name: str) -> None:
    published = site(SITES / f"{name}.yaml").get("/cds-services").content
    assert [finding.problem for finding in validate(published).findings if finding.severity == "error"] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_answered_is_as_cds_hooks_has_it(site: Site, low_potassium_call: Call, name: str) -> None:
    answer = site(SITES / f"{name}.yaml").post(PATH, content=json.dumps(low_potassium_call()))
    assert answer.json()["cards"]
    assert [
        finding.problem for finding in validate(answer.content).findings if finding.severity == "error"
    ] == []


class TestEpic:
    def test_keys_by_other_names_are_ours(self, site: Site, epic_call: Json) -> None:
        told = site(SITES / "epic.yaml").post(f"{PATH}/explain", json=epic_call).json()
        assert {item["id"] for item in told["contributors"]} == {"hypokalaemia"}
        assert {gap["what"] for gap in told["gaps"]} <= {"Encounter"}

    def test_without_the_profile_its_keys_are_read_all_the_same(self, site: Site, epic_call: Json) -> None:
        assert site("").post(PATH, json=epic_call).json()["cards"]

    def test_a_key_sent_twice_loses_nothing(
        self, site: Site, epic_call: Json, bundle: Callable[..., Any]
    ) -> None:
        epic_call["prefetch"]["labs"] = bundle()
        told = site(SITES / "epic.yaml").post(f"{PATH}/explain", json=epic_call).json()
        assert {item["id"] for item in told["contributors"]} == {"hypokalaemia"}

    def test_a_required_key_is_missing_under_either_name(self, site: Site, epic_call: Json) -> None:
        del epic_call["prefetch"]["problems"]
        assert site(SITES / "epic.yaml").post(PATH, json=epic_call).status_code == 412

    def test_detail_is_html_and_says_so(self, site: Site, epic_call: Json) -> None:
        for card in site(SITES / "epic.yaml").post(PATH, json=epic_call).json()["cards"]:
            assert card["extension"] == {"com.epic.cdshooks.card.detail.content-type": "text/html"}
            assert card["detail"].startswith("<")
            assert "**" not in card["detail"]

    def test_topic_codes_are_letters_and_digits_and_are_counted_under_ours(
        self, site: Site, epic_call: Json
    ) -> None:
        client = site(SITES / "epic.yaml")
        codes = [c["source"]["topic"]["code"] for c in client.post(PATH, json=epic_call).json()["cards"]]
        assert codes == ["twitchingcontributors", "twitchingtests"]
        assert 'topic="twitching-contributors"' in client.get("/metrics").text

    def test_a_text_that_looks_like_a_topic_is_left_alone(self, site: Site, epic_call: Json) -> None:
        text = 'Fasciculation "topic":{"code":"a-b"}'
        epic_call["prefetch"]["problems"]["entry"][0]["resource"]["code"]["text"] = text
        assert "a-b" in site(SITES / "epic.yaml").post(PATH, json=epic_call).text

    def test_text_of_the_record_stays_text_in_html(self, site: Site, epic_call: Json) -> None:
        evil = '<img src=x onerror="a()"> [x](https://evil.example) <script>'
        epic_call["prefetch"]["problems"]["entry"][0]["resource"]["code"]["text"] = evil
        for card in site(SITES / "epic.yaml").post(PATH, json=epic_call).json()["cards"]:
            assert not {"<img", "<script", "<a "} & {
                part for part in ("<img", "<script", "<a ") if part in card["detail"]
            }

    def test_orders_carry_the_sites_code_and_only_it(self, site: Site, epic_call: Json) -> None:
        cards = site(SITES / "epic.yaml").post(PATH, json=epic_call).json()["cards"]
        suggestions = [suggestion for card in cards for suggestion in card.get("suggestions", ())]
        codings = [s["actions"][0]["resource"]["code"]["coding"] for s in suggestions]
        assert {coding["system"] for group in codings for coding in group} == {
            PREFERENCE_LIST,
            "urn:com.epic.cdshooks.action.code.system.orderset-item",
        }
        assert all(len(s["actions"]) == 1 for s in suggestions)
        assert {card["selectionBehavior"] for card in cards if "suggestions" in card} == {"any"}

    def test_a_test_without_a_code_of_the_site_is_still_named(self, site: Site, epic_call: Json) -> None:
        cards = site(SITES / "epic.yaml").post(PATH, json=epic_call).json()["cards"]
        tests = next(card for card in cards if card["source"]["topic"]["code"] == "twitchingtests")
        assert "<strong>TSH</strong>" in tests["detail"]
        assert not any("TSH" in s["label"] for s in tests["suggestions"])

    def test_an_order_with_the_sites_code_is_not_suggested_again(self, site: Site, epic_call: Json) -> None:
        ordered = {
            "resourceType": "ServiceRequest",
            "id": "o-1",
            "status": "active",
            "intent": "order",
            "code": {"coding": [{"system": PREFERENCE_LIST, "code": "your-item-for-magnesium"}]},
            "subject": {"reference": "Patient/p-1"},
            "authoredOn": "2026-02-27",
        }
        epic_call["prefetch"]["orders"]["entry"] = [{"resource": ordered}]
        told = site(SITES / "epic.yaml").post(f"{PATH}/explain", json=epic_call).json()
        status = {test["id"]: test["status"] for test in told["tests"]}
        assert (status["magnesium"], status["calcium_albumin"]) == ("already-ordered", "suggested")

    def test_the_opening_of_a_chart_brings_no_cards(self, site: Site, epic_call: Json) -> None:
        epic_call["extension"]["com.epic.cdshooks.request.bpa-trigger-action"] = "60"
        assert site(SITES / "epic.yaml").post(PATH, json=epic_call).json() == {"cards": []}

    def test_its_override_reason_is_stored_as_ours(
        self, site: Site, epic_call: Json, counted: Callable[..., float]
    ) -> None:
        client = site(SITES / "epic.yaml")
        card = client.post(PATH, json=epic_call).json()["cards"][0]
        reasons = {reason["code"]: reason for reason in card["overrideReasons"]}
        assert "not-fasciculation" not in reasons
        item = {
            "card": card["uuid"],
            "outcome": "overridden",
            "outcomeTimestamp": "2026-03-01T09:30:00Z",
            "overrideReasons": {
                "reason": {name: reasons["your-code-1"][name] for name in ("code", "system")}
            },
        }
        assert client.post(f"{PATH}/feedback", json={"feedback": [item]}).status_code == 200
        assert counted(client, "twitching_cds_feedback_total", reason="not-fasciculation") == 1

    def test_an_order_as_it_drafts_it_is_named(self, site: Site, epic_call: Json) -> None:
        """The medicine is a reference with a display, the Medication an entry of its own, the category an object."""
        drafts = [
            {
                "resourceType": "MedicationRequest",
                "id": "m-1",
                "status": "draft",
                "intent": "order",
                "category": {"coding": [{"code": "outpatient"}]},
                "medicationReference": {
                    "reference": "https://ehr.example.org/api/FHIR/R4/Medication/md-1",
                    "display": "HYDROCHLOROTHIAZIDE 25 MG TABLET",
                },
                "subject": {"reference": "https://ehr.example.org/api/FHIR/R4/Patient/p-1"},
            },
            {
                "resourceType": "Medication",
                "id": "md-1",
                "code": {"text": "hydroCHLOROthiazide 25 mg tablet"},
            },
            {
                "resourceType": "ProcedureRequest",
                "id": "pr-1",
                "status": "draft",
                "intent": "order",
                "code": {"coding": [{"system": PREFERENCE_LIST, "code": "your-item-for-magnesium"}]},
                "subject": {"reference": "https://ehr.example.org/api/FHIR/R4/Patient/p-1"},
            },
        ]
        epic_call |= {"hook": "order-sign"}
        epic_call["context"]["draftOrders"] = {"entry": [{"resource": resource} for resource in drafts]}
        epic_call["extension"]["com.epic.cdshooks.request.bpa-trigger-action"] = "23"
        client = site(SITES / "epic.yaml")
        answer = client.post("/cds-services/twitching-order-sign", json=epic_call).json()
        assert answer["cards"][0]["summary"].lower().startswith("check before ordering hydrochlorothiazide")
        told = client.post("/cds-services/twitching-order-sign/explain", json=epic_call).json()
        assert {t["id"]: t["status"] for t in told["tests"]}["magnesium"] == "already-ordered"


class TestOracleHealth:
    def test_only_patient_view_is_published_without_sorting(self, site: Site) -> None:
        (service,) = site(SITES / "oracle-health.yaml").get("/cds-services").json()["services"]
        assert service["hook"] == "patient-view"
        assert not any(
            "_sort" in template or "today" in template for template in service["prefetch"].values()
        )

    def test_a_test_not_found_in_the_period_is_not_said_to_be_never_measured(
        self, site: Site, low_potassium_call: Call
    ) -> None:
        told = site(SITES / "oracle-health.yaml").post(f"{PATH}/explain", json=low_potassium_call()).json()
        reasons = {test["id"]: test["reason"] for test in told["tests"]}
        assert reasons["tsh"] == "not measured in the last 400 days"


class TestAthenahealth:
    def test_detail_is_plain_text(self, site: Site, low_potassium_call: Call) -> None:
        for card in site(SITES / "athenahealth.yaml").post(PATH, json=low_potassium_call()).json()["cards"]:
            assert "**" not in card["detail"]
            assert "\\" not in card["detail"]

    def test_an_order_is_answered_with_what_it_would_change(
        self, site: Site, low_potassium_call: Call
    ) -> None:
        medicine = {
            "resourceType": "MedicationRequest",
            "id": "m-1",
            "status": "draft",
            "intent": "order",
            "medicationCodeableConcept": {"text": "hydrochlorothiazide 25 mg tablet"},
            "subject": {"reference": "Patient/p-1"},
        }
        call = low_potassium_call() | {"hook": "order-select"}
        call["context"] |= {
            "selections": ["MedicationRequest/m-1"],
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": medicine}]},
        }
        (card, *_) = (
            site(SITES / "athenahealth.yaml")
            .post("/cds-services/twitching-order-select", json=call)
            .json()["cards"]
        )
        assert card["summary"].startswith("Check before ordering hydrochlorothiazide 25 mg tablet")


class TestGeneric:
    def test_the_cards_are_those_without_a_profile(self, site: Site, low_potassium_call: Call) -> None:
        def without_ids(answer: Any) -> str:
            cards = answer.json()["cards"]
            for card in cards:
                del card["uuid"]
                for suggestion in card.get("suggestions", ()):
                    del suggestion["uuid"]
            return json.dumps(cards)

        ours = site("").post(PATH, json=low_potassium_call())
        assert without_ids(site(SITES / "generic.yaml").post(PATH, json=low_potassium_call())) == without_ids(
            ours
        )

    def test_null_for_what_it_could_not_resolve_is_named_and_not_taken_for_nothing(
        self, site: Site, low_potassium_call: Call
    ) -> None:
        """As the Medplum client sends it: `null`, and no `fhirServer`."""
        call = low_potassium_call(prefetch={"encounter": None, "medications": None})
        detail = site(SITES / "generic.yaml").post(PATH, json=call).json()["cards"][0]["detail"]
        assert "prescribed medicines" in detail
