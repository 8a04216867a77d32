"""The examples are golden pairs: each request still gets the response that stands beside it."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_hooks import calls
from cds_hooks.card_kit import card_kit
from cds_hooks.services import SERVICE_BY_HOOK
from mappings.knowledge import load_knowledge

EXAMPLES = sorted(path.parent for path in (Path(__file__).parents[1] / "examples").glob("*/request.json"))
AS_OF = date(2026, 11, 22)


def without_chance(answer: Any) -> Any:
    """The answer without what is new in every call (uuids) and in every edit of a rule file (the version)."""
    rules = load_knowledge()
    if isinstance(answer, dict):
        return {key: without_chance(value) for key, value in answer.items() if key != "uuid"}
    if isinstance(answer, list):
        return [without_chance(item) for item in answer]
    return answer.replace(rules.version, rules.release.version) if isinstance(answer, str) else answer


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_example(folder: Path) -> None:
    body = (folder / "request.json").read_bytes()
    service, rules = SERVICE_BY_HOOK[json.loads(body)["hook"]], load_knowledge()
    answer = without_chance(json.loads(calls.answer(service, body, rules, AS_OF, card_kit(rules, ""))))
    golden = folder / "response.json"
    if os.environ.get("UPDATE_EXAMPLES"):
        golden.write_text(json.dumps(answer, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert answer == json.loads(golden.read_text(encoding="utf-8"))


def test_at_least_eight_situations() -> None:
    assert len(EXAMPLES) >= 8
