"""Clients without a key set URL: their keys were handed over in person and stand in the settings or in a file."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from cds_hooks.app import create_app
from cds_hooks.settings import Settings, SettingsError, load_settings
from cds_hooks.trust.fetch import read_source
from cds_hooks.trust.key_sets import COOLDOWN_SECONDS, FRESH_SECONDS, KeySets
from cds_hooks.trust.key_source import MAX_BYTES
from cds_hooks.trust.keys import KeyId

ISSUER = "https://ehr.example/fhir/R4"
BASE = "https://cds.example/twitching"
PATH = "/cds-services"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """The settings of a file with one client, as `load_settings` reads them."""
    for name in [name for name in os.environ if name.startswith("TWITCHING_CDS_")]:
        monkeypatch.delenv(name)

    def read(**client: Any) -> Settings:
        trust = {"mode": "required", "base": BASE, "clients": [{"issuer": ISSUER} | client]}
        text = yaml.safe_dump({"trust": trust, "database_url": f"sqlite:///{tmp_path / 'used.sqlite3'}"})
        (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
        return load_settings(tmp_path / "site.yaml")

    return read


def status(settings: Settings, token: bytes) -> int:
    with TestClient(create_app(settings)) as http:
        headers = {"Authorization": b"Bearer " + token}
        return http.get(PATH, headers=headers).status_code


@pytest.mark.parametrize("where", ["in the settings", "in a file", "in a file named by its whole path"])
def test_a_token_of_a_key_that_was_handed_over_is_accepted(
    load: Callable[..., Settings], keys: Any, forge: Any, tmp_path: Path, where: str
) -> None:
    document = keys.public(keys.ec, keys.rsa)
    (tmp_path / "ehr-keys.json").write_text(json.dumps(document), encoding="utf-8")
    jwks = {
        "in the settings": document,
        "in a file": "ehr-keys.json",
        "in a file named by its whole path": str(tmp_path / "ehr-keys.json"),
    }[where]
    forge.aud = BASE + PATH
    settings = load(jwks=jwks)
    assert status(settings, forge.token()) == 200
    assert status(settings, forge.token(keys.rsa)) == 200
    assert status(settings, forge.token(keys.stranger)) == 401
    assert status(settings, forge.token(keys.other)) == 401


def test_where_such_a_token_says_its_keys_are_is_not_looked_at(
    load: Callable[..., Settings], keys: Any, forge: Any, key_server: Any
) -> None:
    forge.aud = BASE + PATH
    theirs = key_server.publish("/evil", keys.public(keys.stranger))
    settings = load(jwks=keys.public(keys.ec))
    assert status(settings, forge.token(header={"jku": theirs})) == 200
    assert status(settings, forge.token(keys.stranger, header={"jku": theirs})) == 401
    assert "/evil" not in key_server.asked


def test_new_keys_in_the_file_count_without_a_restart(tmp_path: Path, keys: Any) -> None:
    now = [1_000.0]
    cache = KeySets(partial(read_source, private=False), clock=lambda: now[0])
    file = tmp_path / "keys.json"

    async def found(key: Any) -> bool:
        return await cache.find(file, KeyId(key.kid, "ES384")) is not None

    async def rotate() -> None:
        file.write_text(json.dumps(keys.public(keys.ec)), encoding="utf-8")
        assert await found(keys.ec)
        file.write_text(json.dumps(keys.public(keys.other)), encoding="utf-8")
        now[0] += COOLDOWN_SECONDS
        assert await found(keys.other)
        assert not await found(keys.ec)
        file.unlink()
        now[0] += FRESH_SECONDS
        assert await found(keys.other)  # as long as for a server that is away
        assert not await found(keys.ec)

    asyncio.run(rotate())


def test_a_missing_file_is_logged_by_its_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = KeySets(partial(read_source, private=False))
    assert asyncio.run(cache.find(tmp_path / "gone.json", KeyId("1", "ES384"))) is None
    assert "the key set of gone.json could not be read: No such file or directory" in caplog.text


@pytest.mark.parametrize(
    ("jwks", "problem"),
    [
        ("nowhere.json", "client 1: `jwks`: the file cannot be read, No such file or directory"),
        ("no.json", "client 1: `jwks` is not a JSON Web Key Set"),
        ("large.json", f"more than {MAX_BYTES} bytes"),
        ({}, "client 1: `jwks` is not a JSON Web Key Set"),
        ({"kty": "EC"}, "client 1: `jwks` is not a JSON Web Key Set"),
        ({"keys": []}, "client 1: `jwks` holds no usable key"),
        ({"keys": [{"kty": "EC", "crv": "P-384"}]}, "(key 1: it has no `kid`, so no token can name it)"),
        ({"keys": [{"kty": "EC", "kid": "1", "crv": "P-256"}]}, "key 1: its curve is not P-384"),
        ({"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256"}]}, "key 1: its `alg` is neither ES384"),
        ({"keys": [{"kty": "OKP", "kid": "1"}]}, "key 1: its `kty` is neither EC nor RSA"),
        ({"keys": [{"kty": "EC", "kid": "1", "crv": "P-384", "use": "enc"}]}, "its `use` is not `sig`"),
        ({"keys": [{"kid": "1", "kty": "EC", "d": "secret-7f3a"}]}, "a private or symmetric key"),
        ({"keys": [{"kid": "1", "kty": "RSA", "n": "AQAB", "e": "AQAB"}]}, "its modulus is not between"),
        ({"keys": [{"kid": "1", "kty": "RSA", "n": "secret-7f3a !", "e": "AQAB"}]}, "not a well-formed"),
        ({"keys": [{"kid": "1", "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}]}, "not a well-formed"),
        (["secret-7f3a"], "trust.clients.0.jwks"),
        (7, "trust.clients.0.jwks"),
    ],
)
def test_keys_that_cannot_be_used_are_explained(
    load: Callable[..., Settings], tmp_path: Path, jwks: Any, problem: str
) -> None:
    (tmp_path / "no.json").write_text("secret-7f3a", encoding="utf-8")
    (tmp_path / "large.json").write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(SettingsError) as caught:
        load(jwks=jwks)
    assert problem in str(caught.value)
    assert "secret-7f3a" not in str(caught.value)


def test_either_a_url_or_the_keys(load: Callable[..., Settings], keys: Any) -> None:
    with pytest.raises(SettingsError, match="client 1: write either `jku`"):
        load(jku="https://ehr.example/keys", jwks=keys.public(keys.ec))


def test_published_keys_are_no_keys(load: Callable[..., Settings], keys: Any) -> None:
    with pytest.raises(SettingsError, match="the private key of this issuer is published"):
        load(issuer="https://sandbox.cds-hooks.org", jwks=keys.public(keys.ec))


def test_keys_are_not_printed_with_the_settings(load: Callable[..., Settings], keys: Any) -> None:
    assert keys.ec.as_dict(private=False)["x"] not in repr(load(jwks=keys.public(keys.ec)))
