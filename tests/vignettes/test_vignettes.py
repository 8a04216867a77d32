"""Every vignette: those of each contributor, and whole patients in whom several things come together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mappings.assessment import Assessment

HERE = Path(__file__).parent


def vignettes() -> list[Any]:
    found = []
    for path in sorted(HERE.rglob("*.yaml")):
        cases = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        found += [pytest.param(case, id=f"{path.stem}: {case['name']}") for case in cases]
    return found


@pytest.mark.parametrize("vignette", vignettes())
def test_vignette(vignette: dict[str, Any], assessed: Callable[[dict[str, Any]], Assessment]) -> None:
    answer = assessed(vignette)
    expect, story = vignette["expect"], vignette["name"]
    ranked = {c.id: c for c in answer.contributors}
    if "silent" in expect:
        assert answer.silent_reason == expect["silent"], story
    if "contributors" in expect:
        assert [f"{c.id} {c.tier}" for c in answer.contributors] == expect["contributors"], story
    for name, causes in expect.get("explained_by", {}).items():
        assert set(causes) <= set(ranked[name].explained_by), story
    assert not set(expect.get("not_contributors", [])) & set(ranked), story
    suggested = {test.id for test in answer.tests if test.status == "suggested"}
    assert set(expect.get("tests", [])) <= suggested, story
    assert not set(expect.get("no_tests", [])) & suggested, story
    if "indicator" in expect:
        assert answer.indicator == expect["indicator"], story
    assert set(expect.get("considered", [])) <= {c.id for c in answer.considered}, story
    if "red_flags" in expect:
        assert {f.id for f in answer.red_flags} == set(expect["red_flags"]), story
    if "safety" in expect:
        assert {s.id for s in answer.safety} == set(expect["safety"]), story
    said = json.dumps(
        [
            [c.says for c in answer.contributors],
            [e.text for c in answer.contributors for e in c.evidence],
            [c.why for c in answer.considered],
            [s.says for s in answer.safety],
            [(f.says, f.also) for f in answer.red_flags],
            [t.reason for t in answer.tests],
            [g.text for g in answer.gaps],
            answer.notes,
            answer.out_of_scope,
        ],
        ensure_ascii=False,
    ).lower()
    for words in expect.get("says", []):
        assert words.lower() in said, f"{story}: {words!r} is not said"
    for words in expect.get("never_says", []):
        assert words.lower() not in said, f"{story}: {words!r} is said"
