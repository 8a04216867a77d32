"""Where the data come from: prefetch, the FHIR server, and what is refused. `test_NNN_…` as in CDS Hooks 2.0."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.fhir_access.client import FhirClient
from cds_hooks.fhir_access.settings import FhirSettings
from cds_hooks.trust.settings import TrustSettings

PATH = "/cds-services/twitching-patient-view"
Json = dict[str, Any]
Site = Any
Told = Callable[[list[Json]], str]
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "forbidden", "diagnostics": "no"}],
}


def test_028_each_template_can_be_sent_under_its_key(site: Site, chart: Any, told: Told) -> None:
    keys = site.services[0]["prefetch"]
    assert set(chart.prefetch()) == set(keys) - {"encounter"}
    labs = chart.bundle(chart.potassium(2.9))
    answer = site.http.post(PATH, json=chart.call(prefetch=chart.prefetch(labs=labs)))
    assert "potassium 2.9 mmol/L" in told(answer.json()["cards"])


@pytest.mark.parametrize("value", [OUTCOME, {"resourceType": "Bundle", "entry": [{"resource": OUTCOME}]}])
def test_052_an_operation_outcome_in_the_prefetch_is_a_gap_on_a_card(
    site: Site, chart: Any, told: Told, value: Json
) -> None:
    answer = site.http.post(PATH, json=chart.call(prefetch=chart.prefetch(labs=value)))
    assert "laboratory results" in told(answer.json()["cards"])


def test_054_required_data_that_is_missing_is_a_412_that_names_its_key(
    site: Site, chart: Any, refusal: Callable[[Any], list[str]]
) -> None:
    calls = (
        chart.call(prefetch=...),
        chart.call(prefetch=None),
        chart.call(prefetch={}),
        chart.call(prefetch=chart.prefetch(conditions=...)),
        chart.call(prefetch=chart.prefetch(conditions=None)),
        chart.call(prefetch=chart.prefetch(conditions=OUTCOME)),
    )
    for call in calls:
        answer = site.http.post(PATH, json=call)
        assert (answer.status_code, refusal(answer)) == (412, ["prefetch.conditions"])


def test_054_no_412_when_the_query_succeeded_and_found_nothing(site: Site, chart: Any) -> None:
    answer = site.http.post(PATH, json=chart.call(prefetch=chart.prefetch(conditions=chart.bundle())))
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


def test_027_an_answer_takes_less_than_500_ms(site: Site) -> None:
    """Of the processor: how long that takes on a busy machine says nothing of the service."""

    def seconds() -> float:
        numbers = Path(f"/proc/{site.process}/stat").read_text(encoding="ascii").rpartition(")")[2]
        user, system = numbers.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    before = seconds()
    for _ in range(5):
        site.http.post(PATH, json=site.calls["contributors"])
    assert (seconds() - before) / 5 < 0.5


def test_002_168_what_the_service_itself_calls_is_https_unless_a_closed_network_is_allowed() -> None:
    server = "http://ehr.example/fhir"
    assert not FhirClient(FhirSettings(servers=(server,))).may_read(server)
    assert FhirClient(FhirSettings(servers=(server,), allow_private_addresses=True)).may_read(server)
    clients = [{"issuer": "https://ehr.example", "jku": "http://ehr.example/keys"}]
    with pytest.raises(ValueError, match="https"):
        TrustSettings.model_validate({"mode": "required", "clients": clients})
