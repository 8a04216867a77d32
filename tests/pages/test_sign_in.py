"""Signing in as an operator, with a real browser and a real service."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Page, expect

KEY = "0k3e-random-letters-of-a-test"


def test_an_operator_sees_the_dashboard_until_signing_out(
    visitor_of: Callable[[str], Any], start: Any, tmp_path: Path, assert_accessible: Callable[[Page], None]
) -> None:
    settings = {
        "trust": {
            "mode": "required",
            "base": "http://cds.example",
            "allow_private_addresses": True,
            "clients": [{"issuer": "https://ehr.example", "jku": "http://127.0.0.1:9/keys"}],
        },
        "pages": {"operators": [{"name": "test", "key_sha256": hashlib.sha256(KEY.encode()).hexdigest()}]},
    }
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(settings))
    with start("--config", "site.yaml") as service:
        visit = visitor_of(service.base)
        visit.expect("403")
        page: Page = visit("/dashboard")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.get_by_label("Operator key").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("This is not the key of an operator.")
        assert_accessible(page)
        page.get_by_label("Operator key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.reload()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.goto("/dashboard")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        assert KEY not in service.written
