"""`twitching-cds config check`: what a profile changes, and every problem."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cds_hooks.cli import app

PROFILE = """
name: Example Hospital
hooks: {encounter-start: off}
triggers: {60: off}
prefetch_keys: {labs: [lab-results]}
orders: {codes: {magnesium: {system: urn:x, code: "17", display: Mg}}}
fhir: {leave_out: [statements], dates: closed, look_back_days: 400}
cards: {detail: html, links: []}
gate: {only_if_abnormal: [eyelid_myokymia]}
silent: {contributors: [hypokalaemia], red_flags: [breathlessness_at_rest]}
quiet: {days: 30}
limits:
  - {analyte: potassium, side: low, band: critical, value: 2.2, unit: mmol/L, source: Policy 12.3,
     approved_by: Head of biochemistry, reviewed: 2026-01-01, review_due: 2027-01-01}
"""


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Result]:
    def run(profile: str, *options: str) -> Result:
        path = tmp_path / "p.yaml"
        path.write_text(profile, encoding="utf-8")
        return CliRunner().invoke(app, ["config", "check", str(path), "--as-of", "2026-11-22", *options])

    return run


def test_nothing_is_changed_by_a_name_alone(check: Callable[..., Result]) -> None:
    found = check("name: X")
    assert found.exit_code == 0
    assert "Nothing is changed." in found.stdout


@pytest.mark.parametrize(
    "line",
    [
        "potassium low critical: 2.2 mmol/L (2.5 in the rules: FEWER results count as critical); Policy 12.3;",
        "; Policy 12.3; approved by Head of biochemistry, reviewed 2026-01-01, due 2027-01-01",
        "encounter-start: off",
        "60 (Open patient chart): off, no cards",
        "labs: also as lab-results",
        "magnesium: 17 Mg (urn:x), no LOINC",
        "statements: neither published nor read",
        "&date=ge{{today() - 400 days}}&date=le{{today()}}",
        "detail as html",
        "no links",
        "eyelid_myokymia: alone brings no card unless something is abnormal",
        "contributor hypokalaemia, unless critical",
        "red flag breathlessness_at_rest: is always critical, so it is shown all the same",
        "30 days for the user who overrode it, after: not-fasciculation, goals-of-care",
        "no code of the site, suggested with our own code: ",
    ],
)
def test_every_change_is_told(check: Callable[..., Result], line: str) -> None:
    found = check(PROFILE)
    assert found.exit_code == 0, found.output
    assert line in found.stdout


def test_problems_are_told_and_end_with_code_2(check: Callable[..., Result]) -> None:
    found = check("name: X\nhooks: {x: off}\ntypo: 1\n")
    assert found.exit_code == 2
    assert "hooks.x: " in found.stderr
    assert "typo: there is no such field" in found.stderr


def test_a_limit_whose_review_is_overdue_is_a_problem(check: Callable[..., Result]) -> None:
    found = check(PROFILE.replace("review_due: 2027-01-01", "review_due: 2026-06-01"))
    assert found.exit_code == 2
    assert "limits.0.review_due: potassium low critical was due for review on 2026-06-01" in found.stderr


def test_a_limit_reviewed_in_the_future_is_a_problem(check: Callable[..., Result]) -> None:
    found = check(PROFILE.replace("reviewed: 2026-01-01", "reviewed: 2026-12-01"))
    assert found.exit_code == 2
    assert "limits.0.reviewed: 2026-12-01 is in the future" in found.stderr


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["config", "check", str(tmp_path / "nowhere.yaml")])
    assert found.exit_code == 2
    assert "nowhere.yaml: cannot be read" in found.stderr
