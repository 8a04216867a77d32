"""A changed profile is in force without a restart; one that cannot be used changes nothing and is said."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.front import Front
from cds_hooks.settings import Settings
from mappings.knowledge import load_knowledge

PATH = "/cds-services/twitching-patient-view"
SECONDS = 60


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "profile.yaml"
    path.write_text("name: X\n", encoding="utf-8")
    return path


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_a_running_service_follows_its_profile(
    start: Callable[..., Any], profile: Path, low_potassium_call: Callable[..., Any]
) -> None:
    call = low_potassium_call()
    with start(site=str(profile)) as service:

        def cards() -> int:
            return len(service.http.post(PATH, json=call).json()["cards"])

        def state() -> Any:
            return service.http.get("/health/ready").json()

        assert cards()
        assert state()["checks"]["siteProfile"] == "ok"
        profile.write_text("name: X\nsilent: {everything: true}\n", encoding="utf-8")
        assert until(lambda: cards() == 0)
        profile.write_text("name: X\nsilent: {everythin: true}\n", encoding="utf-8")
        assert until(lambda: state()["status"] == "degraded")
        assert cards() == 0
        assert "silent.everythin: there is no such field" in service.written
        profile.write_text("name: X\nhooks: {order-sign: off}\n", encoding="utf-8")
        assert until(lambda: cards() > 0)
        assert state()["status"] == "ready"
        assert len(service.http.get("/cds-services").json()["services"]) == 4


def test_rules_are_not_compiled_again_for_a_change_that_is_not_about_limits(profile: Path) -> None:
    limits = (
        "limits: [{analyte: potassium, side: low, band: critical, value: 2.8, unit: mmol/L, source: P,"
        " approved_by: H, reviewed: 2026-01-01, review_due: 2027-01-01}]\n"
    )
    profile.write_text(f"name: X\n{limits}", encoding="utf-8")
    front = Front(Settings(site=profile), load_knowledge())
    before = front.now
    profile.write_text(f"name: Y\n{limits}hooks: {{order-sign: off}}\n", encoding="utf-8")
    front.reload()
    assert front.now is not before
    assert front.now.knowledge is before.knowledge


def test_a_profile_named_in_the_settings_file_is_beside_it(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cds_hooks.settings import load_settings

    monkeypatch.delenv("TWITCHING_CDS_SITE", raising=False)
    settings = profile.with_name("settings.yaml")
    settings.write_text("site: profile.yaml\n", encoding="utf-8")
    assert load_settings(settings).site == profile


def test_a_profile_that_is_not_there_is_explained(tmp_path: Path) -> None:
    from cds_hooks.settings import SettingsError, load_settings

    settings = tmp_path / "settings.yaml"
    settings.write_text("site: nowhere.yaml\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"site \(or TWITCHING_CDS_SITE\): there is no file of this name"):
        load_settings(settings)
