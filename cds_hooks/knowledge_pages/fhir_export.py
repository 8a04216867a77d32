"""The knowledge as FHIR R4 artifacts, each checked with fhir.resources before it is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from fhir.resources.R4B import get_fhir_model_class

from cds_hooks.knowledge_pages.fhir_rules import activities, library, plan
from cds_hooks.knowledge_pages.fhir_vocabulary import (
    Resource,
    answer_codes,
    drug_class_value_sets,
    questionnaire,
    value_sets,
)
from mappings.knowledge import Knowledge


class ArtifactError(ValueError):
    """An artifact that is not valid FHIR R4B: which, and what the library says about it."""


def artifacts(knowledge: Knowledge) -> Iterator[Resource]:
    """All of them, valid. Raises `ArtifactError`."""
    for resource in unchecked(knowledge):
        name = f"{resource['resourceType']}/{resource['id']}"
        try:
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        except Exception as error:  # fhir.resources also leaks KeyError and TypeError
            raise ArtifactError(f"{name} is not valid FHIR R4: {error}") from error
        yield resource


def unchecked(knowledge: Knowledge) -> Iterator[Resource]:
    """All of them, as they are made."""
    yield library(knowledge)
    yield plan(knowledge)
    yield from activities(knowledge)
    yield questionnaire(knowledge)
    yield answer_codes(knowledge)
    yield from value_sets()
    yield from drug_class_value_sets(knowledge)


def export(knowledge: Knowledge, folder: Path) -> int:
    """Write `<Type>-<id>.json` for each and answer how many. Raises `ArtifactError` or OSError."""
    found = list(artifacts(knowledge))
    folder.mkdir(parents=True, exist_ok=True)
    for resource in found:
        text = json.dumps(resource, ensure_ascii=False, indent=1) + "\n"
        path = folder / f"{resource['resourceType']}-{resource['id']}.json"
        path.write_text(text, encoding="utf-8")
    return len(found)
