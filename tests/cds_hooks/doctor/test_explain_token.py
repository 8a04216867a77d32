"""Why a token would be refused: all of what is wrong with it, and nothing that is secret about it."""

from __future__ import annotations

import asyncio
import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from cds_hooks.doctor.check import Case
from cds_hooks.doctor.explain_token import token_check
from cds_hooks.settings import Settings
from cds_hooks.storage.database import Database
from cds_hooks.trust.replay import DatabaseReplayStore

ISSUER = "https://ehr.example.org/api/FHIR/R4"
BASE = "https://cds.example.org"
ENDPOINT = f"{BASE}/cds-services/twitching-patient-view"
Explain = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def explain(client_key: ECKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Explain:
    for name in [name for name in os.environ if name.startswith("TWITCHING_CDS_")]:
        monkeypatch.delenv(name)

    def findings(token: bytes, base_url: str | None = BASE, **client: Any) -> list[tuple[str, str]]:
        keys = {} if "jku" in client else {"jwks": {"keys": [client_key.as_dict(private=False)]}}
        trust = {"clients": [{"issuer": ISSUER} | keys | client], "allow_private_addresses": True}
        settings = Settings(
            base_url=base_url, trust=trust, database_url=f"sqlite:///{tmp_path / 'used.sqlite3'}"
        )
        found = asyncio.run(token_check(Case(settings, token)))
        signature = token.strip().rpartition(b".")[2].decode("latin-1")
        assert len(signature) < 40 or signature not in str(found)
        return [(finding.status, f"{finding.found} | {finding.fix}") for finding in found]

    return findings


def not_well(found: list[tuple[str, str]]) -> str:
    ((_, text),) = [entry for entry in found if entry[0] != "ok"]
    return text


def test_a_good_one(explain: Explain, token: Callable[..., bytes]) -> None:
    assert [status for status, _ in explain(token(ENDPOINT))] == ["ok"] * 5


@pytest.mark.parametrize("before", [b"", b"Bearer ", b"bearer ", b"Authorization: Bearer ", b" \n"])
@pytest.mark.parametrize("after", [b"", b"\n", b" \r\n"])
def test_it_may_be_copied_with_its_header(
    explain: Explain, token: Callable[..., bytes], before: bytes, after: bytes
) -> None:
    assert {status for status, _ in explain(before + token(ENDPOINT) + after)} == {"ok"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "not three parts"),
        (b"abc.def.ghi", "not three parts"),
        (b"\xff\xfe", "not three parts"),
        (b"a" * 20_000, "longer than a token may be"),
    ],
)
def test_what_is_no_token(explain: Explain, text: bytes, says: str) -> None:
    assert says in not_well(explain(text))


def unsigned(header: bytes, claims: bytes = b"{}") -> bytes:
    return b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims, b"x" * 96))


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b'{"alg": "HS256", "typ": "JWT", "kid": "1"}', "its `alg` is HS256"),
        (b'{"alg": "none", "typ": "JWT", "kid": "1"}', "its `alg` is none"),
        (b'{"alg": "RS256\\u001b[31m", "typ": "JWT", "kid": "1"}', "its `alg` is RS256 [31m |"),
        (b'{"alg": "RS384", "typ": "at+jwt", "kid": "1"}', "its header has typ at+jwt and kid 1"),
        (b'{"alg": "RS384", "typ": "JWT"}', "its header has typ JWT and kid missing"),
        (b'{"alg": "RS384", "typ": "JWT", "kid": "1", "jwk": {}}', "brings a key of its own"),
        (b'{"alg": "RS384", "typ": "JWT", "kid": "1"}', "there are none"),
    ],
)
def test_a_header_that_is_not_accepted(explain: Explain, header: bytes, says: str) -> None:
    assert says in not_well(explain(unsigned(header)))


def test_a_claim_that_is_missing(explain: Explain, token: Callable[..., bytes]) -> None:
    assert "there are iss, aud, iat, exp |" in not_well(explain(token(ENDPOINT, jti=...)))


@pytest.mark.parametrize(
    ("claims", "client", "says"),
    [
        (
            {"iss": "https://who.example.org"},
            {},
            f"Register it under `trust.clients` if it is your EHR; registered: {ISSUER}",
        ),
        ({"iss": f"{ISSUER}/"}, {}, "differs by a slash or a capital"),
        (
            {"tenant": "south"},
            {"tenant": "north"},
            "its tenant south is not registered | Registered for this issuer: north",
        ),
        ({}, {"tenant": "north"}, "its tenant is missing is not registered"),
    ],
)
def test_a_client_that_is_not_registered(
    explain: Explain, token: Callable[..., bytes], claims: Any, client: Any, says: str
) -> None:
    assert says in not_well(explain(token(ENDPOINT, **claims), **client))


def test_a_key_set_elsewhere(explain: Explain, token: Callable[..., bytes], web: Callable[..., Any]) -> None:
    jku = web().url + "/keys"
    found = explain(token(ENDPOINT, header={"jku": "https://ehr.example.org/other"}), jku=jku)
    assert (
        f"its `jku` https://ehr.example.org/other is not the registered one | Registered: {jku}"
        in not_well(found)
    )


@pytest.mark.parametrize(
    "audience",
    ["https://cds.example.org", "http://cds.example.org/cds-services", f"{BASE}/cds-services/", "urn:x"],
)
def test_another_audience(explain: Explain, token: Callable[..., bytes], audience: str) -> None:
    text = not_well(explain(token(audience)))
    assert f"its audience {audience} is no endpoint of this service" in text
    assert ENDPOINT in text


def test_an_audience_that_is_typed_in_by_hand(explain: Explain, token: Callable[..., bytes]) -> None:
    found = explain(token(["urn:x", "urn:y"]), audience=["urn:y"])
    assert ("ok", "its audience urn:y is accepted for every endpoint | ") in found


def test_without_an_address_the_audience_is_not_known(explain: Explain, token: Callable[..., bytes]) -> None:
    assert "its audience is not checked" in not_well(explain(token(ENDPOINT), base_url=None))


def test_times(explain: Explain, token: Callable[..., bytes]) -> None:
    now = int(time.time())
    assert "it expired" in not_well(explain(token(ENDPOINT, iat=now - 900, exp=now - 600)))
    assert "it becomes valid" in not_well(explain(token(ENDPOINT, iat=now + 600, exp=now + 900)))
    assert "it becomes valid" in not_well(explain(token(ENDPOINT, nbf=now + 600)))
    assert "it is valid for 86400 seconds" in not_well(explain(token(ENDPOINT, iat=now, exp=now + 86_400)))
    assert "it is valid for 0 seconds" in not_well(explain(token(ENDPOINT, iat=now, exp=now)))


def test_all_that_is_wrong_is_told_at_once(explain: Explain, token: Callable[..., bytes]) -> None:
    now = int(time.time())
    stranger = ECKey.generate_key("P-384", {"kid": "ehr-1"})
    found = explain(token("urn:x", stranger, iat=now - 900, exp=now - 600))
    assert [status for status, _ in found] == ["ok", "ok", "failed", "warning", "failed"]
    assert "its signature is not by the key that it names" in found[-1][1]


def test_a_key_that_is_not_published(explain: Explain, token: Callable[..., bytes]) -> None:
    text = not_well(explain(token(ENDPOINT, header={"kid": "ehr-2"})))
    assert "no usable key ehr-2 for ES384" in text
    assert "Usable are: ehr-1 (ES384)" in text


def test_a_key_set_that_cannot_be_read(
    explain: Explain, token: Callable[..., bytes], web: Callable[..., Any]
) -> None:
    server = web()
    assert "answers with status 404" in not_well(explain(token(ENDPOINT), jku=f"{server.url}/keys"))
    server.publish("/none", [])
    assert "no key set is read" in not_well(explain(token(ENDPOINT), jku=f"{server.url}/none"))


def test_one_that_was_used_before(explain: Explain, token: Callable[..., bytes], tmp_path: Path) -> None:
    async def use(jti: str) -> None:
        database = Database(f"sqlite:///{tmp_path / 'used.sqlite3'}")
        await DatabaseReplayStore(database).seen(ISSUER, jti, time.time() + 300)
        await database.close()

    asyncio.run(use("used"))
    assert "it was used before" in not_well(explain(token(ENDPOINT, jti="used")))
    assert {status for status, _ in explain(token(ENDPOINT, jti="fresh"))} == {"ok"}
