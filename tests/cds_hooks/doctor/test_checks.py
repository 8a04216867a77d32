"""Checks that need no other machine, and the examination as a whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import column, table, update
from typer.testing import CliRunner

from cds_hooks.cli import app
from cds_hooks.doctor import examine as examination
from cds_hooks.doctor import knowledge_check as rules
from cds_hooks.doctor import signing_check as signing
from cds_hooks.doctor.check import Case
from cds_hooks.doctor.clients_check import clients_check
from cds_hooks.doctor.database_check import database_check
from cds_hooks.doctor.examine import examine
from cds_hooks.doctor.finding import Finding, shown
from cds_hooks.doctor.settings_check import settings_check
from cds_hooks.doctor.signing_check import signing_check
from cds_hooks.settings import Settings
from cds_hooks.storage.database import Database
from cds_hooks.storage.migrate import VERSIONS
from mappings.knowledge import KnowledgeError, load_knowledge

BASE = "https://cds.example.org"
Find = Callable[..., list[tuple[str, str]]]
One = Callable[..., tuple[str, str]]


class TestSettings:
    def test_defaults_are_for_trying_out(self, find: Find) -> None:
        assert [status for status, _ in find(settings_check)] == ["warning", "warning"]

    def test_a_variable_that_sets_nothing(self, find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TWITCHING_CDS_TRUST_MODE", "required")
        assert ("warning", "the variable `TWITCHING_CDS_TRUST_MODE` sets nothing") in [
            (status, text.partition(" nothing")[0] + " nothing") for status, text in find(settings_check)
        ]

    @pytest.mark.parametrize(
        ("settings", "status", "says"),
        [
            ({"base_url": BASE}, "ok", f"`base_url` is {BASE}"),
            ({"base_url": "http://127.0.0.1:8080"}, "ok", "`base_url` is"),
            ({"base_url": "http://localhost:8080"}, "ok", "`base_url` is"),
            ({"base_url": "http://cds.example.org"}, "failed", "CDS Hooks requires TLS"),
            ({"base_url": f"{BASE}/cds-services"}, "failed", "which clients add themselves"),
            ({"base_url": f"{BASE}/a%2fb"}, "failed", "the path of the address is ambiguous"),
        ],
    )
    def test_the_address(self, find: Find, settings: Any, status: str, says: str) -> None:
        found = find(settings_check, **settings)
        assert (status, True) in [(s, says in text) for s, text in found]

    def test_what_is_for_trying_out_only(self, find: Find) -> None:
        trust = {"allow_public_test_keys": True, "allow_private_addresses": True}
        found = find(settings_check, base_url=BASE, trust=trust, fhir={"allow_private_addresses": True})
        assert [text.partition(" ")[0] for status, text in found if status == "warning"][1:] == [
            "`trust.allow_public_test_keys`",
            "`trust.allow_private_addresses`",
            "`fhir.allow_private_addresses`",
        ]


class TestTokens:
    def test_are_judged_by_the_real_verifier(self, find: Find) -> None:
        found = find(signing_check, base_url=f"{BASE}/twitching")
        assert [status for status, _ in found] == ["ok", "ok"]
        assert f"{BASE}/twitching/cds-services" in found[0][1]

    def test_need_an_address(self, one: One) -> None:
        assert one(signing_check)[0] == "warning"

    def test_a_verifier_that_accepts_everything_is_found_out(
        self, find: Find, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def accept(*_: object) -> str:
            return ""

        monkeypatch.setattr(signing, "_verifier", lambda *_: accept)
        found = find(signing_check, base_url=BASE)
        assert [status for status, _ in found] == ["ok", "failed"]
        assert "replayed, audience, expired, signature, issuer" in found[1][1]

    def test_a_verifier_that_refuses_everything_is_found_out(
        self, find: Find, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refuse(*_: object) -> str:
            return "signature"

        monkeypatch.setattr(signing, "_verifier", lambda *_: refuse)
        assert find(signing_check, base_url=BASE)[0][0] == "failed"


class TestKnowledge:
    def test_reviews_that_are_overdue(self) -> None:
        late = load_knowledge().gate.review.due + timedelta(days=400)
        found = rules.installed_rules(late)
        assert [finding.status for finding in found] == ["ok", "warning", "warning"]
        assert "was due for review on" in found[1].found

    def test_rules_that_cannot_be_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> None:
            raise KnowledgeError("potassium.yaml", "no limit")

        monkeypatch.setattr(rules, "load_knowledge", fail)
        (found,) = rules.installed_rules(datetime.now(UTC).date())
        assert (found.status, "potassium.yaml: no limit" in found.found) == ("failed", True)


class TestDatabase:
    def test_a_file_that_is_not_there_yet_is_not_made(self, one: One, tmp_path: Path) -> None:
        status, text = one(database_check)
        assert (status, "made at the first start" in text) == ("ok", True)
        assert list(tmp_path.iterdir()) == []

    def test_a_database_in_use(self, find: Find, database_url: str) -> None:
        async def use() -> None:
            database = Database(database_url)
            await database.upgrade()
            await database.close()

        before = find(database_check, database_url=database_url)
        assert {status for status, _ in before} == {"ok"}
        assert "at the first start" in before[-1][1]
        asyncio.run(use())
        found = find(database_check, database_url=database_url)
        assert [status for status, _ in found] == ["ok", "ok"]
        assert "its tables are this version's" in found[1][1]
        assert find(database_check, database_url=database_url) == found  # it leaves nothing behind

    @pytest.mark.parametrize(("revision", "status"), [("0001", "warning"), ("9999", "ok")])
    def test_tables_of_another_version(
        self, find: Find, database_url: str, revision: str, status: str
    ) -> None:
        async def change() -> None:
            database = Database(database_url)
            async with database.transaction() as connection:
                await connection.execute(
                    update(table(VERSIONS, column("version_num"))).values(version_num=revision)
                )
            await database.close()

        asyncio.run(change())
        assert find(database_check, database_url=database_url)[1][0] == status

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("mysql://u:secret-7f3a@h/n", "begin it with sqlite:/// or postgresql://"),
            ("sqlite:///nowhere/x.sqlite3", "there is no folder"),
            ("sqlite:///text.txt", "not a database"),
            ("postgresql://u:secret-7f3a@127.0.0.1:1/n", "Start the database server"),
            ("postgresql://u:secret-7f3a@nobody.invalid/n", "Correct the host in the URL"),
            ("postgresql://u:secret-7f3a@/n?host=/nowhere", "Correct the folder of the socket"),
        ],
    )
    def test_one_that_cannot_be_used(self, one: One, tmp_path: Path, url: str, says: str) -> None:
        (tmp_path / "text.txt").write_text("this is a text, and no database at all" * 40, encoding="utf-8")
        status, text = one(database_check, database_url=url)
        assert (status, says in text) == ("failed", True), text
        assert "secret-7f3a" not in text

    def test_one_that_does_not_exist(self, one: One, postgres: Any) -> None:
        url = postgres.new_database()
        name = url.partition("/test_")[2].partition("?")[0]
        status, text = one(database_check, database_url=url.replace(f"/test_{name}?", "/nobody_made_it?"))
        assert (status, "createdb" in text) == ("failed", True), text


class TestExamination:
    def test_a_check_that_breaks_or_hangs_does_not_stop_the_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def breaks(_: Case) -> list[Finding]:
            raise ValueError("secret-7f3a")

        async def hangs(_: Case) -> list[Finding]:
            await asyncio.sleep(60)
            return []

        monkeypatch.setattr(examination, "SECONDS", 0.5)
        monkeypatch.setattr(examination, "CHECKS", {"one": breaks, "two": hangs, "three": clients_check})
        ended: list[str] = []
        found = asyncio.run(examine(Case(Settings()), ended.append))
        assert [(entry.check, entry.status) for entry in found] == [
            ("one", "failed"),
            ("two", "warning"),
            ("three", "warning"),
        ]
        assert "ValueError at test_checks.py:" in found[0].findings[0].found
        assert "secret-7f3a" not in str(found)
        assert sorted(ended) == ["one", "three", "two"]

    def test_what_others_sent_is_shown_on_one_line(self) -> None:
        assert shown("a\x1b[31m\nb\u202ec\t" + "d" * 300) == ("a [31m b c " + "d" * 300)[:199] + "…"

    def test_settings_that_cannot_be_used_are_a_finding(self, tmp_path: Path) -> None:
        (tmp_path / "site.yaml").write_text("lgo_level: secret-7f3a\nmax_body_bytes: 0\n", encoding="utf-8")
        finished = CliRunner().invoke(app, ["doctor", "--json", "--config", str(tmp_path / "site.yaml")])
        assert finished.exit_code == 1
        settings, knowledge = json.loads(finished.stdout)["checks"]
        assert [finding["status"] for finding in settings["findings"]] == ["failed", "failed", "warning"]
        assert "lgo_level: there is no such setting" in finished.stdout
        assert "max_body_bytes" in finished.stdout
        assert "secret-7f3a" not in finished.stdout
        assert knowledge["check"] == "knowledge"
