"""The FHIR artifacts to download, one by one or all in one file. That each is valid FHIR is proved by the tests."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cds_hooks.knowledge_pages.fhir_export import unchecked
from mappings.knowledge import Knowledge

SAME_DATE = (2026, 1, 1, 0, 0, 0)
"""Of every file in the archive, so that the same rules give the same bytes."""


@lru_cache(maxsize=1)
def artifacts(knowledge: Knowledge) -> Mapping[str, Mapping[str, Any]]:
    """Every artifact by its file name, `PlanDefinition-twitching.json`."""
    return {f"{found['resourceType']}-{found['id']}.json": found for found in unchecked(knowledge)}


def as_json(resource: Mapping[str, Any]) -> str:
    """The artifact as the command line writes it."""
    return json.dumps(resource, ensure_ascii=False, indent=1) + "\n"


@lru_cache(maxsize=1)
def archive(knowledge: Knowledge) -> bytes:
    """All of them as one ZIP file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, resource in artifacts(knowledge).items():
            folder.writestr(zipfile.ZipInfo(name, SAME_DATE), as_json(resource), zipfile.ZIP_DEFLATED)
    return made.getvalue()
