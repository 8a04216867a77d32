"""`docs/knowledge.md` is current, complete and readable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from cds_hooks.knowledge_pages.document import document
from cds_hooks.knowledge_pages.pages import SOURCE_ATTRIBUTES, known_ids
from mappings.knowledge import load_knowledge

ROWS = yaml.safe_load((Path(__file__).parent / "knowledge_rows.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "knowledge.md").read_text(encoding="utf-8")


def headings(page: str) -> set[str]:
    return set(re.findall(r"^#+ .*\(`([^`]+)`\)$", page, re.MULTILINE))


def test_the_page_is_current(page: str) -> None:
    assert page == document(load_knowledge()), "run: twitching-cds knowledge document > docs/knowledge.md"


def test_every_rule_is_on_the_page(page: str) -> None:
    known = load_knowledge()
    tables = {*known.analytes, known.calcium.id, *known.references, SOURCE_ATTRIBUTES} - {*known.orders}
    assert set(known_ids(known)) - tables <= headings(page)
    assert all(f"| {rule.title} |" in page for rule in known.analytes.values())
    assert all(f"**{name}** " in page for name in known.references)


@pytest.mark.parametrize("table", ["1a", "1b"])
def test_a_reader_finds_every_row_of_the_knowledge_tables(table: str, shared: Path, page: str) -> None:
    text = (shared / "clinical" / "knowledge.md").read_text(encoding="utf-8")
    section = re.split(r"^##+ ", text.split(f"### {table}.")[1], flags=re.MULTILINE)[0]
    lines = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")][2:]
    column = 1 if table == "1a" else 0
    assert [cells[column].strip() for cells in lines] == list(ROWS[table])
    found = headings(page)
    missing = {row: set(ids) - found for row, ids in ROWS[table].items() if set(ids) - found}
    assert missing == {}


def test_no_markup_leaks_and_no_table_is_broken(page: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(page)
    assert not any(token.type in ("html_block", "html_inline") for token in tokens)
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) > 50
    assert "{" not in re.sub(r"mL/min/\{1\.73_m2\}", "", page)


def test_every_rule_says_when_not_to_trust_it_its_sources_and_its_review(page: str) -> None:
    rules = re.findall(r"^#### .*?(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    assert len(rules) == len(load_knowledge().contributors)
    for rule in rules:
        for words in ("**Strength:**", "**When not to trust it:**", "**Sources:**", "**Review:** version"):
            assert words in rule, f"{rule.splitlines()[0]} has no {words}"
