"""Good tokens of registered clients are taken, once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

PATH = "/cds-services/twitching-patient-view"
BASE = "https://cds.example/twitching"
OTHER = "https://other.example"
World = Any


def flipped(token: bytes) -> bytes:
    """The token with another signature."""
    middle = len(token) - 40
    return token[:middle] + (b"A" if token[middle : middle + 1] != b"A" else b"B") + token[middle + 1 :]


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_176_199_205_both_algorithms_with_the_key_set_that_was_registered(world: World, key: str) -> None:
    response = world.post(b"Bearer " + world.forge.token(getattr(world.keys, key)))
    assert (response.status_code, response.json()) == (200, {"cards": []})


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"aud": [f"{BASE}{PATH}", "https://a.example"]}, id="an array of audiences"),
        pytest.param({"aud": "urn:typed-in-by-hand"}, id="the audience of this client"),
        pytest.param({"tenant": "any"}, id="a tenant of a client without one"),
        pytest.param({"sub": "client-1", "x": {"deep": [1, None]}}, id="claims nobody asked for"),
        pytest.param({"jti": "\x00'; DROP TABLE seen_token; --"}, id="a jti that is no UUID"),
        pytest.param({"jti": "x" * 255}, id="a jti of 255 characters"),
        pytest.param({"header": {"jku": "…", "x5t": "abc", "cty": "x", "x": 1}}, id="more in the header"),
    ],
)
def test_variants(world: World, parts: dict[str, Any]) -> None:
    if "header" in parts:
        parts["header"]["jku"] = world.jku
    assert world.post(b"Bearer " + world.forge.token(**parts)).status_code == 200


def test_the_address_that_was_called_counts_with_the_slash_at_its_end(world: World) -> None:
    meant = world.forge.token(aud=f"{BASE}{PATH}/")
    assert world.post(b"Bearer " + meant, path=f"{PATH}/").status_code == 200
    world.refuses(b"Bearer " + world.forge.token(aud=f"{BASE}{PATH}/"))


def test_as_epic_says_its_tokens_are(world: World) -> None:
    token = world.forge.token(
        world.keys.rsa, nbf=int(time.time()) - 300, exp=int(time.time()) + 900, sub="client-1"
    )
    assert world.post(b"Bearer " + token).status_code == 200


def test_times_may_have_fractions(world: World) -> None:
    token = world.forge.token(iat=time.time(), exp=time.time() + 299.5)
    assert world.post(b"bearer " + token).status_code == 200


def test_a_client_with_a_tenant(world: World) -> None:
    token = world.forge.token(world.keys.other, iss=OTHER, tenant="north")
    assert world.post(b"Bearer " + token).status_code == 200


def test_a_token_counts_once(world: World) -> None:
    token = b"Bearer " + world.forge.token(aud=[f"{BASE}{PATH}", f"{BASE}{PATH}/explain"])
    assert world.post(token).status_code == 200
    world.refuses(token)
    assert world.post(token, path=f"{PATH}/explain").status_code == 401


def test_another_token_with_the_same_jti_is_a_replay(world: World) -> None:
    first, second = world.forge.token(jti="same"), world.forge.token(jti="same", exp=int(time.time()) + 200)
    assert world.post(b"Bearer " + first).status_code == 200
    world.refuses(b"Bearer " + second)
    other = world.forge.token(world.keys.other, iss=OTHER, tenant="north", jti="same")
    assert world.post(b"Bearer " + other).status_code == 200


def test_a_refused_token_is_not_used_up(world: World) -> None:
    token = world.forge.token(jti="once")
    assert world.post(b"Bearer " + flipped(token)).status_code == 401
    assert world.post(b"Bearer " + token).status_code == 200


def test_nothing_of_a_token_is_stored(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert (
        world.post(b"Bearer " + world.forge.token(jti="canary-7f3a", tenant="canary-8e4b")).status_code == 200
    )
    stored = b"".join(
        path.read_bytes() for path in Path(tmp_path_factory.getbasetemp()).glob("trust*/service.sqlite3*")
    )
    assert b"seen_token" in stored
    assert b"canary" not in stored
    assert b"ehr.example" not in stored
