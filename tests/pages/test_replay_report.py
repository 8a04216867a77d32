"""The report of a replay, as a browser shows the file: for everybody, on a phone too, without anything to load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from typer.testing import CliRunner

from cds_hooks.cli import app

DAY = "2026-11-01"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`plain`, `monthly` and `compared`: the reports of one small export."""
    where = tmp_path_factory.mktemp("replay")

    def run(*words: str) -> None:
        finished = CliRunner().invoke(app, list(words))
        assert finished.exit_code == 0, finished.output

    run("replay-example", str(where), "--patients", "30", "--export-only")
    run("knowledge", "copy", str(where / "rules"))
    rule = where / "rules" / "analytes" / "potassium.yaml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("low: {mmol/L: 3.5}", "low: {mmol/L: 3.8}"))
    for name, more in (
        ("plain", ()),
        ("monthly", ("--monthly",)),
        ("compared", ("--compare", str(where / "rules"))),
    ):
        options = ("--as-of", DAY, "--workers", "1", "--min-cell", "1", *more)
        run("replay", str(where / "export"), "--out", str(where / name), *options)
    return where


@pytest.mark.parametrize("name", ["plain", "monthly", "compared"])
def test_it_is_accessible_and_fits_a_phone(
    folder: Path, name: str, visitor_of: Callable[[str], Any], assert_accessible: Callable[[Page], None]
) -> None:
    visit = visitor_of(folder.as_uri())
    # axe needs a script; the report's own policy allows none
    page = visit(f"{folder.as_uri()}/{name}/report.html", bypass_csp=True)
    assert page.get_by_role("heading", level=1).inner_text() == "How often would the cards have fired?"
    assert_accessible(page)
