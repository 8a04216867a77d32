"""The threat model and the safety case name files and tests that exist, and leave no row without proof."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PAGES = ("docs/safety-case.md", "docs/threat-model.md")
NAMED = re.compile(
    r"`((?:cds_hooks|mappings|terminology|tests|deploy|benchmarks)/[\w./-]+|requirements\.lock)((?:::\w+)*)`"
)


def rows(page: Path) -> list[list[str]]:
    """The cells of every row of the page's table, without its head."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def names(file: Path) -> set[str]:
    """`::test_x` and `::Class`, `::Class::test_x` of a test file."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(f"::{node.name}")
        if isinstance(node, ast.ClassDef):
            found |= {
                f"::{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)
            }
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_row_names_a_control_and_a_proof_that_exist(root: Path, page: str) -> None:
    table = rows(root / page)
    assert len(table) > 15
    for row in table:
        *_, control, proof = row
        assert NAMED.findall(control), f"no file in `{control}`"
        assert [path for path, _ in NAMED.findall(proof) if path.startswith("tests/")], (
            f"no test in `{proof}`"
        )
    found = NAMED.findall(" ".join(cell for row in table for cell in row))
    assert [path for path, _ in found if not (root / path).is_file()] == []
    assert [path + inside for path, inside in found if inside and inside not in names(root / path)] == []


@pytest.mark.parametrize("page", [*PAGES, "docs/reliability.md", "SECURITY.md"])
def test_every_link_and_command_exists(root: Path, page: str) -> None:
    text = (root / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((root / page).parent / link).exists(), link
    verbs = set(
        re.findall(r"^([a-z][a-z-]*):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert set(re.findall(r"make ([a-z]+)", text)) <= verbs
