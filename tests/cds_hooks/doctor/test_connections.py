"""Checks that look at other servers: what they find when something is not in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from joserfc.jwk import ECKey

from cds_hooks.doctor import visits
from cds_hooks.doctor.address_check import address_check
from cds_hooks.doctor.check import Case
from cds_hooks.doctor.clients_check import clients_check
from cds_hooks.doctor.clock_check import clock_check
from cds_hooks.doctor.fhir_check import fhir_check
from cds_hooks.doctor.tls_check import tls_check
from cds_hooks.settings import Settings

BASE = "https://cds.example.org"
Find = Callable[..., list[tuple[str, str]]]
One = Callable[..., tuple[str, str]]


class TestClients:
    def test_none(self, one: One) -> None:
        assert one(clients_check)[0] == "warning"

    def test_keys_that_can_and_cannot_be_used(
        self, client: Callable[..., dict[str, Any]], find: Find, web: Callable[..., Any], client_key: ECKey
    ) -> None:
        weak = {"kty": "EC", "kid": "weak\x1b[31m", "crv": "P-256", "x": "AA", "y": "AA"}
        jku = web().publish("/keys", {"keys": [client_key.as_dict(private=False), weak]})
        found = find(clients_check, **client(jku))
        assert [status for status, _ in found] == ["ok", "warning"]
        assert "key 2: its curve is not P-384" in found[1][1]
        assert "\x1b" not in str(found)

    def test_keys_handed_over(
        self, client: Callable[..., dict[str, Any]], one: One, client_key: ECKey
    ) -> None:
        status, text = one(clients_check, **client(jwks={"keys": [client_key.as_dict(private=False)]}))
        assert (status, "1 usable key: ehr-1 (ES384)" in text) == ("ok", True)

    def test_a_file_that_went_away(
        self, client: Callable[..., dict[str, Any]], client_key: ECKey, tmp_path: Path
    ) -> None:
        file = tmp_path / "keys.json"
        file.write_text(json.dumps({"keys": [client_key.as_dict(private=False)]}), encoding="utf-8")
        case = Case(Settings(**client(jwks=str(file))))
        file.unlink()
        (found,) = asyncio.run(clients_check(case))
        assert found.status == "failed"
        assert "No such file or directory" in found.found

    @pytest.mark.parametrize(
        ("answer", "says"),
        [
            ((404, {}, b""), "answers with status 404"),
            ((302, {"Location": "https://new.example.org/keys"}, b""), "https://new.example.org/keys"),
            ((200, {}, b"<html>"), "is no JSON Web Key Set"),
            ((200, {}, b'{"keys": []}'), "none of its keys can be used"),
            ((200, {}, b'{"keys": [' + b" " * 1_000_001), "it has more than 1000000 bytes"),
            ((200, {}, b'{"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256"}]}'), "its `alg` is neither"),
        ],
    )
    def test_a_key_server_that_does_not_do(
        self, client: Callable[..., dict[str, Any]], one: One, web: Callable[..., Any], answer: Any, says: str
    ) -> None:
        server = web()
        server.answers["/keys"] = answer
        status, text = one(clients_check, **client(f"{server.url}/keys"))
        assert (status, says in text) == ("failed", True), text

    def test_nobody_there(self, client: Callable[..., dict[str, Any]], one: One, free_port: int) -> None:
        status, text = one(clients_check, **client(f"http://127.0.0.1:{free_port}/keys"))
        assert (status, "nothing listens at that port" in text) == ("failed", True)

    def test_a_server_that_hangs_is_given_up(
        self,
        client: Callable[..., dict[str, Any]],
        one: One,
        web: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        server, waited = web(), Event()
        server.answers["/keys"] = lambda: (waited.wait(20) and 200, {}, b"")
        monkeypatch.setattr(visits, "SECONDS", 0.2)
        status, text = one(clients_check, **client(f"{server.url}/keys"))
        waited.set()
        assert (status, "did not answer within 0.2 seconds" in text) == ("failed", True)

    def test_a_private_address_is_not_asked(
        self, client: Callable[..., dict[str, Any]], one: One, web: Callable[..., Any]
    ) -> None:
        settings = client(web().url.replace("http:", "https:") + "/keys")
        settings["trust"]["allow_private_addresses"] = False
        status, text = one(clients_check, **settings)
        assert (status, "private address, to which the service does not connect" in text) == ("failed", True)

    def test_plain_http_where_tls_is_expected(
        self, client: Callable[..., dict[str, Any]], one: One, web: Callable[..., Any]
    ) -> None:
        status, text = one(clients_check, **client(web().url.replace("http:", "https:") + "/keys"))
        assert (status, "does not answer with TLS" in text) == ("failed", True)

    def test_a_name_that_nobody_has(self, client: Callable[..., dict[str, Any]], one: One) -> None:
        status, text = one(clients_check, **client("https://nobody.invalid/keys"))
        assert (status, "has a name that is not known" in text) == ("failed", True)


class TestAddress:
    @pytest.mark.parametrize(
        "case",
        [
            ((200, {}, b'{"services": [{"id": "twitching-patient-view"}]}'), "off", "ok", "answers at"),
            (
                (200, {}, b'{"services": [{"id": "twitching-patient-view"}]}'),
                "required",
                "failed",
                "without asking",
            ),
            (
                (401, {}, b'{"resourceType": "OperationOutcome"}'),
                "off",
                "failed",
                "but these settings do not",
            ),
            ((401, {}, b"<html>"), "required", "failed", "something else answers"),
            ((200, {}, b'{"services": [{"id": "other"}]}'), "off", "failed", "something else answers"),
            ((200, {}, b"<html>"), "off", "failed", "something else answers"),
            ((404, {}, b""), "off", "failed", "something else answers"),
            (
                (301, {"Location": "https://x.example.org"}, b""),
                "off",
                "failed",
                "redirects to https://x.example.org",
            ),
            ((502, {}, b""), "off", "warning", "a proxy is there"),
        ],
    )
    def test_what_answers_there(
        self,
        client: Callable[..., dict[str, Any]],
        one: One,
        web: Callable[..., Any],
        client_key: ECKey,
        case: tuple[Any, str, str, str],
    ) -> None:
        answer, mode, status, says = case
        server = web()
        server.answers["/cds/cds-services"] = answer
        settings = client(jwks={"keys": [client_key.as_dict(private=False)]})
        settings["trust"]["mode"] = mode
        found = one(address_check, base_url=f"{server.url}/cds", **settings)
        assert (found[0], says in found[1]) == (status, True), found

    def test_nobody_there_may_be_because_it_is_not_started(self, one: One, free_port: int) -> None:
        found = one(address_check, base_url=f"http://127.0.0.1:{free_port}")
        assert found[0] == "warning"

    def test_no_address(self, one: One) -> None:
        assert one(address_check)[0] == "warning"


class TestClock:
    @pytest.mark.parametrize(
        "case",
        [
            (0, "ok", "agree within 5 seconds"),
            (-20, "warning", "20 seconds ahead of that of 127.0.0.1"),
            (30, "warning", "behind that of 127.0.0.1"),
            (120, "failed", "refused as expired or not yet valid"),
            (-7200, "failed", "refused as expired or not yet valid"),
        ],
    )
    def test_is_held_against_a_server(
        self,
        client: Callable[..., dict[str, Any]],
        one: One,
        web: Callable[..., Any],
        client_key: ECKey,
        case: tuple[int, str, str],
    ) -> None:
        off, status, says = case
        server = web()
        keys = {"keys": [client_key.as_dict(private=False)]}

        def answer() -> tuple[int, dict[str, str], bytes]:
            told = datetime.now(UTC) + timedelta(seconds=off)
            return 200, {"Date": format_datetime(told, usegmt=True)}, json.dumps(keys).encode()

        server.answers["/keys"] = answer
        found = one(clock_check, **client(f"{server.url}/keys"))
        assert (found[0], says in found[1]) == (status, True), found

    @pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 2026 00:00:00 GMT"])
    def test_a_server_that_does_not_say(self, one: One, web: Callable[..., Any], date: str) -> None:
        server = web()
        server.answers["/fhir/metadata"] = (200, {"Date": date}, b"{}")
        fhir = {"servers": [f"{server.url}/fhir"], "allow_private_addresses": True}
        assert one(clock_check, fhir=fhir)[0] == "warning"


class TestTls:
    def test_nothing_to_check(self, one: One) -> None:
        assert one(tls_check, base_url="http://127.0.0.1:8080")[0] == "warning"

    def test_one_server_is_looked_at_once(self, one: One, free_port: int) -> None:
        base = f"https://127.0.0.1:{free_port}"
        found = one(tls_check, base_url=base, fhir={"servers": [f"{base}/fhir"]})
        assert (found[0], "nothing listens" in found[1]) == ("warning", True)

    def test_a_private_server_of_others(self, one: One) -> None:
        found = one(tls_check, fhir={"servers": ["https://127.0.0.1/fhir"]})
        assert (found[0], "is at a private address" in found[1]) == ("failed", True)


class TestFhir:
    def fhir(self, url: str, **parts: Any) -> dict[str, Any]:
        return {"fhir": {"servers": [url], "allow_private_addresses": True} | parts}

    def test_a_server_that_can_do_all(
        self, find: Find, web: Callable[..., Any], capability: Callable[..., Any]
    ) -> None:
        server = web()
        server.publish("/fhir/metadata", capability())
        found = find(fhir_check, **self.fhir(f"{server.url}/fhir"))
        assert [status for status, _ in found] == ["ok", "ok"]
        assert "speaks FHIR 4.0.1" in found[0][1]

    def test_what_is_not_claimed_is_named(
        self, find: Find, web: Callable[..., Any], capability: Callable[..., Any]
    ) -> None:
        server = web()
        statement = capability("QuestionnaireResponse")
        by_type = {resource["type"]: resource for resource in statement["rest"][0]["resource"]}
        by_type["Observation"]["searchParam"] = [{"name": "patient"}]
        by_type["Procedure"]["interaction"] = [{"code": "read"}]
        server.publish("/fhir/metadata", statement)
        text = " ".join(
            text
            for status, text in find(fhir_check, **self.fhir(f"{server.url}/fhir"))
            if status == "warning"
        )
        assert "does not claim to have any QuestionnaireResponse" in text
        assert "does not claim to search Observation by category: laboratory results may be missing" in text
        assert "does not claim to answer search-type of Procedure" in text

    @pytest.mark.parametrize(
        ("answer", "status", "says"),
        [
            ((401, {}, b""), "warning", "without a token"),
            ((404, {}, b""), "failed", "gives no CapabilityStatement"),
            ((200, {}, b"<html>"), "failed", "gives no CapabilityStatement"),
            ((200, {}, b'{"resourceType": "Bundle"}'), "failed", "gives no CapabilityStatement"),
            ((200, {}, b'{"resourceType": "CapabilityStatement"}'), "failed", "of no version that it names"),
            (
                (200, {}, b'{"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}'),
                "failed",
                "not R4",
            ),
        ],
    )
    def test_a_server_that_does_not_do(
        self, one: One, web: Callable[..., Any], answer: Any, status: str, says: str
    ) -> None:
        server = web()
        server.answers["/fhir/metadata"] = answer
        found = one(fhir_check, **self.fhir(f"{server.url}/fhir"))
        assert (found[0], says in found[1]) == (status, True), found

    @pytest.mark.parametrize("rest", [None, "x", [None], [{"mode": "server"}], [{"mode": "client"}]])
    def test_a_statement_that_says_nothing(self, find: Find, web: Callable[..., Any], rest: Any) -> None:
        server = web()
        statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.3.0", "rest": rest}
        server.publish("/fhir/metadata", statement)
        assert {status for status, _ in find(fhir_check, **self.fhir(f"{server.url}/fhir"))} == {
            "ok",
            "warning",
        }

    def test_http_is_not_read(self, one: One) -> None:
        found = one(fhir_check, **self.fhir("http://ehr.example.org/fhir", allow_private_addresses=False))
        assert (found[0], "never read" in found[1]) == ("failed", True)
