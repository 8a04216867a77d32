"""What docs/clinical-review.md promises a reviewer."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cds_hooks.cli import app
from mappings.knowledge import COMPANIONS, FOLDER, FOLDERS, Knowledge
from mappings.rules import ContributorRule

BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "clinical-review.md").read_text(encoding="utf-8")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    for name in FOLDERS:
        shutil.copytree(FOLDER / name, tmp_path / name)
    for name in COMPANIONS:
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def test_the_review_it_shows_can_be_recorded(page: str, rules: Path) -> None:
    _, before, after = BLOCK.findall(page)
    rule = rules / "contributors" / "hypokalaemia.yaml"
    text = rule.read_text(encoding="utf-8")
    assert before in text
    rule.write_text(text.replace(before, after), encoding="utf-8")
    review = Knowledge(rules).contributors["hypokalaemia"].review
    assert (str(review.date), review.status) == (
        "2027-02-01",
        "reviewed by a nephrologist, not by the author",
    )

    def check(day: str) -> str:
        return CliRunner().invoke(app, ["knowledge", "check", str(rules), "--as-of", day]).output

    assert "no defects" in check("2027-02-01")
    assert "contributors/hypokalaemia.yaml" not in check("2027-12-01")
    assert "contributors/hyponatraemia.yaml: was due for review on 2027-11-22" in check("2027-12-01")


def test_the_vignette_it_shows_is_right(page: str, assessed: Callable[[dict[str, Any]], Any]) -> None:
    (case,) = yaml.safe_load(BLOCK.findall(page)[0])
    answer = assessed(case)
    assert [item.id for item in answer.contributors] == case["expect"]["contributors"]
    assert answer.indicator == case["expect"]["indicator"]


def test_it_names_only_fields_that_rules_have(page: str) -> None:
    fields = {*ContributorRule.__struct_fields__, "says", "reason", "when"}
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE)))
    assert "mechanism" in named
    assert set(named) <= {*fields, "version", "date", "due", "status"}
