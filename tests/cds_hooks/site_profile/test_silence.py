"""Silent mode: assessed, counted, explained, not shown; what is critical is shown unless the whole site is silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PATH = "/cds-services/twitching-patient-view"
SILENT_RULE = "silent: {contributors: [hypokalaemia]}"
SITE = "silent: {everything: true}"
Call = Callable[..., dict[str, Any]]
Site = Callable[..., Any]


def finding(concept: str, display: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "f-1",
        "status": "final",
        "category": [{"coding": [{"code": "exam"}]}],
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": concept, "display": display}]},
        "subject": {"reference": "Patient/p-1"},
        "effectiveDateTime": "2026-02-25",
        "valueBoolean": True,
    }


@pytest.fixture
def with_weakness(
    low_potassium_call: Call, bundle: Callable[..., Any], condition: Callable[..., Any]
) -> Call:
    """A red flag beside a low potassium: a dysphagia on the problem list."""

    def make(value: float = 2.8) -> dict[str, Any]:
        swallowing = condition(
            id="d-1",
            code={
                "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R13.10"}],
                "text": "Dysphagia",
            },
        )
        return low_potassium_call(value, {"conditions": bundle(condition(), swallowing)})

    return make


def text(answer: Any) -> str:
    return "\n".join(card["summary"] + "\n" + card["detail"] for card in answer.json()["cards"])


@pytest.mark.parametrize("value", [2.8, 2.3])
def test_a_silent_site_shows_nothing_not_even_what_is_critical(
    site: Site, low_potassium_call: Call, value: float
) -> None:
    assert site(SITE).post(PATH, json=low_potassium_call(value)).json() == {"cards": []}


def test_a_silent_site_counts_the_cards_it_would_have_shown(
    site: Site, low_potassium_call: Call, counted: Callable[..., float]
) -> None:
    shown = site("").post(PATH, json=low_potassium_call()).json()["cards"]
    client = site(SITE)
    client.post(PATH, json=low_potassium_call())
    assert counted(client, "twitching_cds_cards_total") == 0
    for card in shown:
        labels = {
            "what": card["source"]["topic"]["code"],
            "indicator": card["indicator"],
            "why": "silent-site",
        }
        assert counted(client, "twitching_cds_withheld_total", **labels) == 1


def test_a_silent_site_explains_everything(site: Site, low_potassium_call: Call) -> None:
    told = site(SITE).post(f"{PATH}/explain", json=low_potassium_call()).json()
    assert told["silentReason"] == "mode-silent"
    assert "hypokalaemia" in {item["id"] for item in told["contributors"]}


def test_a_silent_site_still_refuses_what_cannot_be_answered(site: Site, low_potassium_call: Call) -> None:
    assert site(SITE).post(PATH, json=low_potassium_call(prefetch={"conditions": ...})).status_code == 412


def test_a_silent_rule_is_not_shown(site: Site, low_potassium_call: Call) -> None:
    assert "Low potassium" in text(site("").post(PATH, json=low_potassium_call()))
    said = text(site(SILENT_RULE).post(PATH, json=low_potassium_call()))
    assert "potassium 2.8" not in said


def test_a_silent_rule_gives_no_false_all_clear(site: Site, low_potassium_call: Call) -> None:
    """Every card says which rules are not shown, the same for every patient."""
    said = text(site(SILENT_RULE).post(PATH, json=low_potassium_call()))
    assert "No likely contributor" not in said
    assert "In silent mode at this site, assessed but not shown unless critical:** Low potassium." in said


def test_without_anything_else_to_say_the_summary_claims_nothing(
    site: Site, low_potassium_call: Call
) -> None:
    tests = ["magnesium", "potassium", "sodium", "calcium_albumin", "renal_function", "tsh"]
    client = site(SILENT_RULE)
    call = low_potassium_call()
    call["prefetch"]["orders"]["entry"] = [
        {
            "resource": {
                "resourceType": "ServiceRequest",
                "id": f"o-{test}",
                "status": "active",
                "intent": "order",
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "subject": {"reference": "Patient/p-1"},
                "authoredOn": "2026-02-27",
            }
        }
        for test, code in zip(
            tests, ["19123-9", "2823-3", "2951-2", "17861-6", "2160-0", "3016-3"], strict=True
        )
    ]
    for card in client.post(PATH, json=call).json()["cards"]:
        assert "No likely contributor" not in card["summary"]


def test_what_is_critical_is_shown_although_its_rule_is_silent(site: Site, low_potassium_call: Call) -> None:
    card = site(SILENT_RULE).post(PATH, json=low_potassium_call(2.3)).json()["cards"][0]
    assert card["indicator"] == "critical"
    assert "Low potassium" in card["detail"]


def test_a_silent_red_flag_is_not_shown(site: Site, with_weakness: Call) -> None:
    call = with_weakness()
    first = site("").post(PATH, json=call).json()["cards"][0]
    assert first["source"]["topic"]["code"] == "twitching-red-flags"
    topics = [
        card["source"]["topic"]["code"]
        for card in site("silent: {red_flags: [dysphagia]}").post(PATH, json=call).json()["cards"]
    ]
    assert "twitching-red-flags" not in topics


def test_what_a_silent_rule_found_is_counted_and_explained(
    site: Site, low_potassium_call: Call, counted: Callable[..., float]
) -> None:
    client = site(SILENT_RULE)
    client.post(PATH, json=low_potassium_call())
    labels = {"what": "hypokalaemia", "indicator": "warning", "why": "silent-rule"}
    assert counted(client, "twitching_cds_withheld_total", **labels) == 1
    told = client.post(f"{PATH}/explain", json=low_potassium_call()).json()
    assert "hypokalaemia" in {item["id"] for item in told["contributors"]}
    assert told["withheld"] == [labels]


EYELID = {
    "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G51.4"}],
    "text": "Facial myokymia",
}
GATE = "gate: {only_if_abnormal: [facial_myokymia]}"


@pytest.mark.parametrize(
    ("code", "value", "shown"), [(EYELID, 4.1, False), (EYELID, 2.8, True), (None, 4.1, True)]
)
def test_documentation_that_alone_brings_no_card(
    site: Site,
    low_potassium_call: Call,
    bundle: Callable[..., Any],
    condition: Callable[..., Any],
    code: Any,
    value: float,
    shown: bool,
) -> None:
    documented = condition(**({"code": code} if code else {}))
    call = low_potassium_call(value, {"conditions": bundle(documented)})
    client = site(GATE)
    assert bool(client.post(PATH, json=call).json()["cards"]) is shown
    if not shown:
        assert client.post(f"{PATH}/explain", json=call).json()["withheld"][0]["why"] == "only-if-abnormal"


def test_what_could_not_be_read_is_never_kept_back_by_the_gate(
    site: Site, low_potassium_call: Call, bundle: Callable[..., Any], condition: Callable[..., Any]
) -> None:
    call = low_potassium_call(4.1, {"conditions": bundle(condition(code=EYELID)), "labs": None})
    assert site(GATE).post(PATH, json=call).json()["cards"]
