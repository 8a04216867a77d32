"""The doctor's look at the site profile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import worst
from cds_hooks.doctor.site_check import site_check
from cds_hooks.settings import Settings

LIMIT = (
    "limits: [{analyte: potassium, side: low, band: critical, value: 2.8, unit: mmol/L, source: P, approved_by: H,"
    " reviewed: 2025-01-01, review_due: 2026-01-01}]"
)


@pytest.mark.parametrize(
    ("profile", "status", "says"),
    [
        (None, "ok", "there is no site profile"),
        ("", "ok", "the profile `X` can be used (0 limits)"),
        ("silent: {everything: true}", "warning", "critical results included"),
        (LIMIT, "warning", "was due for review on 2026-01-01"),
        ("hooks: {x: off}", "failed", "hooks.x: Input should be"),
        ("quiet: {days: 30}", "failed", "TWITCHING_CDS_SITE_SECRET"),
    ],
    ids=["none", "empty", "silent", "overdue", "mistake", "no secret"],
)
def test_what_it_finds(tmp_path: Path, profile: str | None, status: str, says: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"name: X\n{profile}\n", encoding="utf-8")
    settings = Settings(site=None if profile is None else path)
    found = asyncio.run(site_check(Case(settings, now=datetime(2026, 11, 22, tzinfo=UTC))))
    assert worst(finding.status for finding in found) == status
    assert says in " ".join(finding.found for finding in found)
    assert all(finding.fix for finding in found if finding.status != "ok")
