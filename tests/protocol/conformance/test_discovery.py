"""Discovery and prefetch templates of the running service. `test_NNN_…` is requirement NNN of CDS Hooks 2.0."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

TOKENS = re.compile(r"\{\{(.*?)\}\}")
Site = Any
Json = dict[str, Any]
SERVED = {"patient-view", "encounter-start", "problem-list-item-create", "order-select", "order-sign"}


def templates(site: Site) -> list[str]:
    return [template for service in site.services for template in service["prefetch"].values()]


def test_004_005_013_at_its_fixed_address_with_200(site: Site) -> None:
    assert str(site.discovery.url).endswith("/cds-services")
    assert site.discovery.status_code == 200


def test_006_an_object_with_a_list_of_services(site: Site) -> None:
    assert list(site.discovery.json()) == ["services"]
    assert all(isinstance(service, dict) for service in site.services)


@pytest.mark.parametrize("attribute", ["hook", "title", "description", "id", "usageRequirements"])
def test_007_008_009_010_012_every_attribute_is_a_sentence_or_a_name(site: Site, attribute: str) -> None:
    assert all(service[attribute].strip() for service in site.services)
    assert {service["hook"] for service in site.services} == SERVED


def test_the_release_of_cds_hooks_is_said_as_the_next_one_recommends(site: Site) -> None:
    assert {service["version"] for service in site.services} == {"2.0.0"}


def test_016_every_service_answers_at_its_address(site: Site, chart: Any) -> None:
    resources = {"conditions": chart.bundle(), "draftOrders": chart.bundle(type="collection")}
    for service in site.services:
        call = chart.call(service["hook"], resources | {"encounterId": "e-1", "selections": []})
        assert site.http.post(f"/cds-services/{service['id']}", json=call).status_code == 200


def test_211_each_hook_has_an_id_of_its_own_because_no_guidance_replaces_another(site: Site) -> None:
    ids = [service["id"] for service in site.services]
    assert len(set(ids)) == len(ids)


def test_011_029_036_prefetch_is_keys_with_templates(site: Site) -> None:
    for service in site.services:
        assert service["prefetch"]
        for key, template in service["prefetch"].items():
            assert re.fullmatch(r"[A-Za-z]+", key)
            assert isinstance(template, str)


def test_035_055_056_057_059_tokens_are_root_fields_of_the_context(site: Site) -> None:
    for template in templates(site):
        assert TOKENS.findall(template) in (["context.patientId"], ["context.encounterId"])
        assert not {"{", "}"} & set(TOKENS.sub("", template))


def test_library_016_089_093_no_token_names_a_resource_of_the_context(site: Site) -> None:
    named = {token for template in templates(site) for token in TOKENS.findall(template)}
    assert not named & {"context.draftOrders", "context.selections", "context.conditions"}


def test_library_008_012_040_044_081_085_patient_and_encounter_are_tokens(site: Site) -> None:
    for service in site.services:
        named = {token for template in service["prefetch"].values() for token in TOKENS.findall(template)}
        assert named == {"context.patientId", "context.encounterId"}


def test_058_templates_are_reads_and_searches_by_reference_and_token(site: Site) -> None:
    for template in templates(site):
        path, _, query = template.partition("?")
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.\w+\}\})?", path)
        assert {pair.partition("=")[0] for pair in query.split("&") if pair} <= {"patient", "category"}


def test_014_an_address_that_does_not_exist_is_an_operation_outcome(
    site: Site, refusal: Callable[[Any], list[str]]
) -> None:
    for method, path in (("GET", "/cds-service"), ("POST", "/cds-services"), ("DELETE", "/cds-services")):
        refusal(site.http.request(method, path))


def test_001_all_is_json(site: Site, chart: Any) -> None:
    answers = [
        site.discovery,
        *site.answers.values(),
        site.http.post("/cds-services/none", json=chart.call()),
    ]
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}


def test_003_nothing_is_null_or_empty_but_a_list_of_cards(
    site: Site, leaves: Callable[[Any], list[tuple[str, Any]]]
) -> None:
    for answer in (site.discovery, *site.answers.values()):
        found = [name for name, value in leaves(answer.json()) if value is None or value in ("", [], {})]
        assert set(found) <= {"cards"}


def test_214_215_no_extension_is_sent_and_any_is_accepted(
    site: Site, chart: Any, leaves: Callable[[Any], list[tuple[str, Any]]]
) -> None:
    for answer in (site.discovery, *site.answers.values()):
        assert "extension" not in dict(leaves(answer.json()))
    call = chart.call(extension={"org.example.x": {"deep": [1, None]}}, **{"org.example.y": {}})
    assert site.http.post("/cds-services/twitching-patient-view", json=call).json()["cards"]
