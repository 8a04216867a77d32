"""Hooks and triggers that a site has switched off."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

PATH = "/cds-services/twitching-patient-view"
EPIC = "com.epic.cdshooks.request.bpa-trigger-action"
Call = Callable[..., dict[str, Any]]
Site = Callable[..., Any]


def test_a_hook_that_is_off_is_not_published(site: Site) -> None:
    services = site("hooks: {patient-view: off}").get("/cds-services").json()["services"]
    assert "patient-view" not in {service["hook"] for service in services}
    assert len(services) == 4


@pytest.mark.parametrize("below", ["", "/explain"])
def test_a_hook_that_is_off_answers_404(site: Site, low_potassium_call: Call, below: str) -> None:
    assert site("hooks: {patient-view: off}").post(PATH + below, json=low_potassium_call()).status_code == 404


def test_late_feedback_about_a_hook_that_is_off_is_taken(site: Site) -> None:
    assert (
        site("hooks: {patient-view: off}").post(f"{PATH}/feedback", json={"feedback": []}).status_code == 200
    )


@pytest.mark.parametrize("number", ["60", 60], ids=["text", "number"])
def test_a_trigger_that_is_off_brings_no_cards(site: Site, low_potassium_call: Call, number: object) -> None:
    client = site('triggers: {"60": off}')
    assert client.post(PATH, json=low_potassium_call(extension={EPIC: number})).json() == {"cards": []}


@pytest.mark.parametrize("extension", [{EPIC: "6"}, {}, {EPIC: {"a": 1}}, {EPIC: None}, {EPIC: "sixty"}])
def test_any_other_call_brings_them(site: Site, low_potassium_call: Call, extension: dict[str, Any]) -> None:
    client = site('triggers: {"60": off}')
    assert client.post(PATH, json=low_potassium_call(extension=extension)).json()["cards"]


def test_a_bad_call_is_refused_whatever_set_it_off(site: Site, low_potassium_call: Call) -> None:
    call = low_potassium_call(extension={EPIC: "60"}, context={})
    assert site('triggers: {"60": off}').post(PATH, json=call).status_code == 400


def test_the_explanation_says_what_a_trigger_keeps_back(site: Site, low_potassium_call: Call) -> None:
    call = low_potassium_call(extension={EPIC: "60"})
    told = site('triggers: {"60": off}').post(f"{PATH}/explain", json=call).json()
    assert told["silentReason"] == "mode-silent"
    assert told["contributors"]
    assert told["withheld"] == [{"what": "answer", "indicator": "warning", "why": "trigger-off"}]


@pytest.mark.parametrize(("number", "label"), [("6", "6"), ("60", "60"), ("5077", "other")])
def test_what_set_a_hook_off_is_counted(
    site: Site, low_potassium_call: Call, counted: Callable[..., float], number: str, label: str
) -> None:
    client = site("")
    client.post(PATH, json=low_potassium_call(extension={EPIC: number}))
    name = "twitching_cds_triggers_total"
    assert (
        counted(client, name, service="twitching-patient-view", trigger=label) == counted(client, name) == 1
    )


def test_what_set_a_hook_off_is_logged(
    site: Site, low_potassium_call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "twitching_cds"):
        site("").post(PATH, json=low_potassium_call(extension={EPIC: "7"}))
    (record,) = [record for record in caplog.records if record.message == "call"]
    assert vars(record)["trigger"] == "7"


def test_a_site_without_a_profile_answers_as_the_specification_has_it(client: Any) -> None:
    published = client.get("/cds-services").json()["services"]
    assert len(published) == 5
    assert json.dumps(published).count("today()") == 0
