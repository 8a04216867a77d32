"""The discovery document against the numbered requirements of CDS Hooks 2.0 (`cds-hooks_2.0@…`)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cds_hooks.discovery import discovery
from cds_hooks.services import SERVICE_BY_HOOK, SERVICE_BY_ID, SERVICES

DOCUMENT = json.loads(discovery(SERVICES))
SUBSET = {"patient", "category"}
"""The search parameters used: a reference and a token, both of the recommended subset."""


@pytest.mark.parametrize("service", DOCUMENT["services"], ids=lambda service: service["id"])
class TestEachService:
    def test_006_is_an_object_of_a_list(self, service: dict[str, Any]) -> None:
        assert set(DOCUMENT) == {"services"}
        assert isinstance(service, dict)

    def test_007_008_009_010_has_its_attributes_as_strings(self, service: dict[str, Any]) -> None:
        for attribute in ("hook", "title", "description", "id", "usageRequirements"):
            assert isinstance(service[attribute], str)
            assert service[attribute]

    def test_010_its_id_fits_into_a_url(self, service: dict[str, Any]) -> None:
        assert re.fullmatch(r"[a-z0-9-]+", service["id"])

    def test_036_prefetch_is_keys_and_templates(self, service: dict[str, Any]) -> None:
        assert service["prefetch"]
        assert all(
            re.fullmatch(r"[a-z]+", key) and isinstance(text, str)
            for key, text in service["prefetch"].items()
        )

    def test_055_056_057_059_tokens_are_root_fields_of_the_context(self, service: dict[str, Any]) -> None:
        for template in service["prefetch"].values():
            assert re.findall(r"{{(.*?)}}", template) in (["context.patientId"], ["context.encounterId"])
            assert "{" not in re.sub(r"{{.*?}}", "", template)

    def test_058_queries_stay_in_the_recommended_subset(self, service: dict[str, Any]) -> None:
        for template in service["prefetch"].values():
            path, _, query = template.partition("?")
            assert re.fullmatch(r"[A-Z][A-Za-z]+(/{{context\.\w+}})?", path)
            assert {parameter.split("=")[0] for parameter in query.split("&") if parameter} <= SUBSET

    def test_the_gate_is_required(self, service: dict[str, Any]) -> None:
        required = [
            key for key, prefetch in SERVICE_BY_ID[service["id"]].prefetch.items() if prefetch.required
        ]
        assert required == ["conditions"]


def test_ids_and_hooks_are_unique() -> None:
    assert len(SERVICE_BY_ID) == len(SERVICE_BY_HOOK) == len(SERVICES)


def test_a_template_tells_the_type_it_asks_for() -> None:
    types = {key: prefetch.resource_type for key, prefetch in SERVICES[0].prefetch.items()}
    assert types["patient"] == "Patient"
    assert types["labs"] == types["history"] == "Observation"


def test_003_nothing_is_empty() -> None:
    assert "null" not in discovery(SERVICES).decode()
    assert '""' not in discovery(SERVICES).decode()
