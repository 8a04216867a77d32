"""Limits of the site: they decide, and every card says whose they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PATH = "/cds-services/twitching-patient-view"
LIMIT = (
    "limits: [{{analyte: potassium, side: {side}, band: {band}, value: {value}, unit: {unit}, source: Policy 12.3,"
    " approved_by: Head of biochemistry, reviewed: 2026-01-01, review_due: 2027-06-01}}]"
)
Call = Callable[..., dict[str, Any]]
Site = Callable[..., Any]


def limit(value: str, *, side: str = "low", band: str = "critical", unit: str = "mmol/L") -> str:
    return LIMIT.format(value=value, side=side, band=band, unit=unit)


def hypokalaemia(told: dict[str, Any]) -> dict[str, Any]:
    (found,) = [item for item in told["contributors"] if item["id"] == "hypokalaemia"]
    return found


@pytest.mark.parametrize(
    ("profile", "value", "tier"),
    [
        ("", 2.8, "C1"),
        (limit("2.8"), 2.8, "A"),
        (limit("2.8"), 2.81, "C1"),
        (limit("2.2"), 2.4, "C1"),
        (limit("11", unit="mg/dL"), 2.8, "A"),
    ],
)
def test_a_critical_limit_of_the_site_decides(
    site: Site, low_potassium_call: Call, profile: str, value: float, tier: str
) -> None:
    told = site(profile).post(f"{PATH}/explain", json=low_potassium_call(value)).json()
    assert hypokalaemia(told)["tier"] == tier


def test_the_card_says_whose_limit_it_is(site: Site, low_potassium_call: Call) -> None:
    answer = site(limit("2.8")).post(PATH, json=low_potassium_call())
    card = answer.json()["cards"][0]
    assert card["indicator"] == "critical"
    assert "critical limit 2.8, this site's limit (Policy 12.3; review due 2027-06-01)" in card["detail"]
    assert "guideline limit" not in card["detail"]


def test_the_explanation_says_whose_limit_it_is(site: Site, low_potassium_call: Call) -> None:
    told = site(limit("2.8")).post(f"{PATH}/explain", json=low_potassium_call()).json()
    evidence = hypokalaemia(told)["evidence"][0]
    assert (evidence["limit"], evidence["limitSource"]) == ("2.8 mmol/L", "site")


def test_a_limit_of_the_rules_is_not_called_the_sites(site: Site, low_potassium_call: Call) -> None:
    told = site(limit("6.3", side="high")).post(f"{PATH}/explain", json=low_potassium_call(2.4)).json()
    evidence = hypokalaemia(told)["evidence"][0]
    assert (evidence["limit"], evidence["limitSource"]) == ("2.5 mmol/L", "guideline")


def test_the_laboratorys_own_interval_goes_before_the_sites(site: Site, low_potassium_call: Call) -> None:
    told = site(limit("3.9", band="reference")).post(f"{PATH}/explain", json=low_potassium_call(3.7)).json()
    assert not any(item["id"] == "hypokalaemia" for item in told["contributors"])


def test_without_an_interval_of_the_laboratory_the_sites_decides(
    site: Site, low_potassium_call: Call
) -> None:
    call = low_potassium_call(3.7)
    del call["prefetch"]["labs"]["entry"][0]["resource"]["referenceRange"]
    told = site(limit("3.9", band="reference")).post(f"{PATH}/explain", json=call).json()
    evidence = hypokalaemia(told)["evidence"][0]
    assert (evidence["limit"], evidence["limitSource"]) == ("3.9 mmol/L", "site")


def test_the_version_of_the_rules_tells_that_they_have_limits_of_a_site(
    site: Site, low_potassium_call: Call
) -> None:
    client = site(limit("2.8"))
    told = client.post(f"{PATH}/explain", json=low_potassium_call()).json()
    assert ".site-" in told["knowledgeVersion"]
    assert client.get("/health/ready").json()["knowledgeVersion"] == told["knowledgeVersion"]


def test_a_converted_limit_is_shown_with_few_digits(site: Site, low_potassium_call: Call) -> None:
    told = site(limit("11", unit="mg/dL")).post(f"{PATH}/explain", json=low_potassium_call(2.4)).json()
    assert hypokalaemia(told)["evidence"][0]["limit"] == "2.8134 mmol/L"
