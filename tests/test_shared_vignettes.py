"""The development vignettes, called through the public interface of the real service, as its EHR would."""

from __future__ import annotations

import importlib.util
import json
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

CLINICAL = Path(__file__).parents[2] / "shared" / "clinical"
RANK = ["none", "info", "warning", "critical"]
CALCIUM = "calcium_albumin"


def load_vignettes() -> list[Any]:
    path = CLINICAL / "vignettes.json"
    if not path.is_file():
        return []
    cases = json.loads(path.read_text(encoding="utf-8"))["vignettes"]
    return [pytest.param(case, id=f"{case['id']} {case['title']}") for case in cases]


@pytest.fixture(scope="module")
def renderer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("render_vignette", CLINICAL / "render_vignette.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", load_vignettes())
def test_development_vignette(case: dict[str, Any], renderer: ModuleType, http: httpx2.Client) -> None:
    discovery = http.get("/cds-services").json()
    called = renderer.service_for(case, discovery)
    request = renderer.hook_request(case, called, datetime.now().astimezone().date())
    explained = http.post(f"/cds-services/{called['id']}/explain", json=request)
    answered = http.post(f"/cds-services/{called['id']}", json=request)
    assert explained.status_code == answered.status_code == 200, explained.text + answered.text
    assessment, cards = explained.json(), answered.json()["cards"]
    candidates = [case["expect"]] + [case["expect"] | other for other in case.get("acceptAlternatives", [])]
    problems = [mismatches(expect, assessment, cards) for expect in candidates]
    assert [] in problems, f"{problems}\n{json.dumps(assessment, indent=1)}"


def mismatches(expect: dict[str, Any], assessment: dict[str, Any], cards: list[dict[str, Any]]) -> list[str]:
    """What differs from the expectation, by the matching rules of the vignettes."""
    found = []
    if expect["silent"] != (cards == []):
        found.append(f"silent: {cards != []}")
    highest = max((RANK.index(card["indicator"]) for card in cards), default=0)
    if RANK[highest] != expect["maxIndicator"] or assessment["indicator"] != RANK[highest]:
        found.append(f"indicator {RANK[highest]}, assessment {assessment['indicator']}")
    if not expect["silent"]:
        found += contributor_mismatches(expect, assessment) + advice_mismatches(expect, assessment, cards)
        if "redFlagCard" in expect and expect["redFlagCard"] != bool(assessment["redFlags"]):
            found.append("red flags")
    if "cardCount" in expect and len(cards) != expect["cardCount"]:
        found.append(f"{len(cards)} cards")
    return found


def contributor_mismatches(expect: dict[str, Any], assessment: dict[str, Any]) -> list[str]:
    ranked = [(item["id"], item["tier"]) for item in [*assessment["safety"], *assessment["contributors"]]]
    ranked = [item for item in ranked if item[0] != "safety:spurious_result"]
    wanted = [(item["id"], item["tier"]) for item in expect["contributors"]]
    found = [] if sorted(ranked) == sorted(wanted) else [f"ranked {ranked}, wanted {wanted}"]
    tiers = ["A", "B", "C1", "D1", "C2", "D2", "E", "F", "G", "H"]
    order = [tiers.index(item["tier"]) for item in assessment["contributors"]]
    if order != sorted(order):
        found.append(f"order {ranked}")
    if expect.get("orderWithinTier") and ranked != wanted:
        found.append(f"order {ranked}")
    by_id = {item["id"]: item for item in assessment["contributors"]}
    for item in expect["contributors"]:
        explained = by_id.get(item["id"], {"explainedBy": []})["explainedBy"]
        found += [
            f"{item['id']} is not explained by {c}"
            for c in item.get("explained_by", [])
            if c not in explained
        ]
    return found + [
        f"{name} is ranked" for name in expect.get("contributorsMustNotInclude", []) if name in by_id
    ]


def advice_mismatches(
    expect: dict[str, Any], assessment: dict[str, Any], cards: list[dict[str, Any]]
) -> list[str]:
    suggested = {test["id"] for test in assessment["tests"] if test["status"] == "suggested"}
    found = [f"{name} is not suggested" for name in expect["testsMustInclude"] if name not in suggested]
    found += [f"{name} is suggested" for name in expect["testsMustNotInclude"] if name in suggested]
    offered = sum(len(card.get("suggestions", [])) for card in cards)
    if bool(suggested) != bool(offered):
        found.append(f"{len(suggested)} tests suggested but {offered} offered on cards")
    return found
