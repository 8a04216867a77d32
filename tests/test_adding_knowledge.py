"""The page docs/adding-knowledge.md, followed word for word in a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PARTS = ("terminology", "mappings", "cds_hooks", "tests/vignettes")
STEP = re.compile(
    r"(?:(?P<new>[Nn]ew\s+file)|In)\s+`(?P<file>[^`]+)`(?:, after the line\s+`(?P<line>[^`]+)`)?:"
)
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
NEW = ["hypochloraemia", "drug:tricyclic", "cond:vomiting"]
CARDS = """
import sys
from datetime import date
from cds_hooks.calls import answer
from cds_hooks.card_kit import card_kit
from cds_hooks.services import SERVICES
from mappings.knowledge import load_knowledge
rules = load_knowledge()
body = sys.stdin.buffer.read()
sys.stdout.buffer.write(answer(SERVICES[0], body, rules, date(2026, 11, 22), card_kit(rules)))
"""


@pytest.fixture(scope="module")
def followed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project after every block of the page."""
    copy = tmp_path_factory.mktemp("project")
    for part in PARTS:
        shutil.copytree(root / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "docs").mkdir()
    page = (root / "docs" / "adding-knowledge.md").read_text(encoding="utf-8")
    end = 0
    for block in BLOCK.finditer(page):
        steps = list(STEP.finditer(page, end, block.start()))
        end = block.end()
        if steps:
            apply(steps[-1], block[2], copy)
        elif block[1] == "yaml":
            shown = (copy / "terminology" / "analytes.yaml").read_text(encoding="utf-8")
            assert block[2] in shown, "the page shows what the tables no longer say"
    return copy


def apply(step: re.Match[str], text: str, copy: Path) -> None:
    path = copy / step["file"]
    if step["new"]:
        assert not path.exists(), f"{step['file']} is not new"
        path.write_text(text, encoding="utf-8")
        return
    before = path.read_text(encoding="utf-8")
    anchor = f"{step['line']}\n"
    assert before.count(anchor) == 1, f"{step['file']} does not have the line {step['line']!r} once"
    path.write_text(before.replace(anchor, anchor + text), encoding="utf-8")


def run(copy: Path, *arguments: str, given: bytes = b"") -> bytes:
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "COLUMNS": "100", "NO_COLOR": "1"},
        input=given,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr).decode()
    return ran.stdout


def cli(copy: Path, *arguments: str) -> str:
    return run(copy, "-m", "cds_hooks.cli", *arguments).decode()


def test_the_check_finds_no_defect(followed: Path) -> None:
    assert "no defects" in cli(followed, "knowledge", "check", "--as-of", "2026-11-22")


def test_the_new_vignettes_pass_and_those_of_their_neighbours(followed: Path) -> None:
    options = ("-q", "-p", "no:cacheprovider", "--import-mode=importlib", "tests/vignettes")
    rules = "hypochloraemia or tricyclic or vomiting or serotonergic or alkalosis or diarrhoea"
    said = run(followed, "-m", "pytest", *options, "-k", rules).decode()
    assert re.search(r"\b[2-9]\d passed", said)


def test_the_rule_can_be_read_alone_and_in_the_document(followed: Path) -> None:
    assert "Vomiting" in cli(followed, "knowledge", "show", "cond:vomiting")
    document = cli(followed, "knowledge", "document")
    assert all(f"(`{name}`)" in document for name in NEW)
    assert "| chloride |" in document


def test_the_new_contributors_are_listed_and_on_the_card(followed: Path) -> None:
    assessed = cli(followed, "assess", "request.json", "--as-of", "2026-11-22", "--json")
    answer = json.loads(assessed)
    assert [item["id"] for item in answer["contributors"]] == [
        "drug:tricyclic",
        "hypochloraemia",
        "cond:vomiting",
    ]
    cards = json.loads(run(followed, "-c", CARDS, given=(followed / "request.json").read_bytes()))["cards"]
    detail = cards[0]["detail"]
    for words in (
        "Tricyclic antidepressant",
        "Vomiting",
        "Low chloride",
        "chloride 90 mmol/L",
        "lower limit 98",
    ):
        assert words in detail
    assert "Chloride" not in cards[1]["summary"], "it is known already"
    assert "Other serotonergic medicine" not in detail


def test_the_terminal_shows_them(followed: Path) -> None:
    said = cli(followed, "assess", "request.json", "--as-of", "2026-11-22")
    assert all(title in said for title in ("Tricyclic antidepressant", "Vomiting", "Low chloride"))
