"""Reading key sets: what is a usable key, and what is left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from cds_hooks.trust.keys import MAX_KEYS, KeyId, KeySetError, read_key_set, signed
from cds_hooks.trust.token import read_token

# CDS Hooks 2.0, JWT Signing Algorithm, Example
EXAMPLE_KEY = {
    "kty": "EC",
    "use": "sig",
    "crv": "P-384",
    "kid": "example-kid",
    "x": "46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
    "y": "XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI",
    "alg": "ES384",
}
EXAMPLE_TOKEN = (
    b"eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImV4YW1wbGUta2lkIiwiamt1IjoiaHR0cHM6Ly9maGlyLWVoci5leGFtcGxlLmNvbS9qd2tf"
    b"dXJpIn0.eyJpc3MiOiJodHRwczovL2ZoaXItZWhyLmV4YW1wbGUuY29tLyIsInN1YiI6ImNsaWVudF9pZCIsImF1ZCI6Imh0dHBzOi8vY2RzLmV4YW1"
    b"wbGUub3JnL2Nkcy1zZXJ2aWNlcy9zb21lLXNlcnZpY2UiLCJleHAiOjE0MjI1Njg4NjAsImlhdCI6MTMxMTI4MDk3MCwianRpIjoiZWUyMmIwMjEtZ"
    b"TFiNy00NjExLWJhNWItOGVlYzZhMzNhYzFlIiwidGVuYW50IjoiMmRkZDZjM2EtOGU5YS00NGM2LWEzMDUtNTIxMTFhZDMwMmEyIn0.CUFPkplnWd6Y"
    b"GIvzoHolWCQBDsCL8QtTWKGg_QFpS169WrqDGzktRi-_we6-6rVzbjerU27ZKww_SW0-b9RTz-dPJNcqsueMio8r6EqXUXhbLm_ch3XFSbDlGHDl_tqo"
)
SANDBOX_KEY = {
    "kty": "EC",
    "use": "sig",
    "crv": "P-384",
    "kid": "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f",
    "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
    "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
    "alg": "ES384",
}
EXAMPLE = KeyId("example-kid", "ES384")


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def test_the_example_of_the_specification_is_signed_by_its_key() -> None:
    token = read_token(EXAMPLE_TOKEN)
    assert (token.header.alg, token.header.kid) == EXAMPLE[::-1]
    assert token.claims.tenant == "2ddd6c3a-8e9a-44c6-a305-52111ad302a2"
    keys = read_key_set(document(EXAMPLE_KEY), public_test=True)
    assert signed(token, keys[EXAMPLE])
    keys = read_key_set(document(SANDBOX_KEY | {"kid": "example-kid"}), public_test=True)
    assert not signed(token, keys[EXAMPLE])


@pytest.mark.parametrize("key", [EXAMPLE_KEY, SANDBOX_KEY, SANDBOX_KEY | {"kid": "renamed"}])
def test_a_key_whose_private_half_is_published_proves_nothing(key: Any) -> None:
    assert read_key_set(document(key)) == {}
    assert len(read_key_set(document(key), public_test=True)) == 1


def test_usable_keys(keys: Any) -> None:
    entries = [
        keys.ec.as_dict(private=False),
        keys.rsa.as_dict(private=False),
        keys.other.as_dict(private=False)
        | {"key_ops": ["verify"], "x5t": "abc", "issued": 1, "more": {"a": [None]}},
    ]
    assert set(read_key_set(document(*entries))) == {
        ("ec+1/2=", "ES384"),
        ("rsa-1", "RS384"),
        ("other-1", "ES384"),
    }


def test_of_equal_ids_the_first_counts(keys: Any) -> None:
    found = read_key_set(document(keys.ec.as_dict(private=False), keys.stranger.as_dict(private=False)))
    assert found["ec+1/2=", "ES384"].thumbprint() == keys.ec.thumbprint()


def test_the_same_id_may_name_a_key_of_each_algorithm(keys: Any) -> None:
    entries = [
        key.as_dict(private=False) | {"kid": "a", "alg": alg}
        for key, alg in ((keys.ec, "ES384"), (keys.rsa, "RS384"))
    ]
    assert set(read_key_set(document(*entries))) == {("a", "ES384"), ("a", "RS384")}


def ec(**parts: Any) -> Any:
    key = ECKey.generate_key("P-384", {"kid": "a"}).as_dict(private=False) | parts
    return {name: value for name, value in key.items() if value is not ...}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda k: k.ec.as_dict(private=True), id="private EC"),
        pytest.param(lambda k: k.rsa.as_dict(private=True), id="private RSA"),
        pytest.param(lambda k: k.rsa.as_dict(private=False) | {"d": ""}, id="an empty private part"),
        pytest.param(lambda _: OctKey.generate_key(384, {"kid": "a"}).as_dict(private=True), id="symmetric"),
        pytest.param(lambda _: ec(k="AAAA"), id="EC and symmetric"),
        pytest.param(lambda _: ec(use="enc"), id="for encryption"),
        pytest.param(lambda _: ec(key_ops=["sign"]), id="not for checking"),
        pytest.param(lambda _: ec(alg="ES256"), id="EC for another algorithm"),
        pytest.param(lambda _: ec(alg="RS384"), id="EC for RS384"),
        pytest.param(
            lambda k: k.rsa.as_dict(private=False) | {"alg": "PS384"}, id="RSA for another algorithm"
        ),
        pytest.param(lambda _: ec(kid=...), id="no id"),
        pytest.param(lambda _: ec(kid=""), id="an empty id"),
        pytest.param(lambda _: ec(kid=1), id="an id that is a number"),
        pytest.param(lambda _: ec(kty="OKP"), id="another kind"),
        pytest.param(lambda _: ec(kty=...), id="no kind"),
        pytest.param(lambda _: ec(crv="P-256"), id="another curve than it is on"),
        pytest.param(lambda _: ECKey.generate_key("P-256", {"kid": "a"}).as_dict(private=False), id="P-256"),
        pytest.param(lambda _: ec(x="AAAA"), id="a point that is not on the curve"),
        pytest.param(lambda _: ec(x="!"), id="no number"),
        pytest.param(lambda _: ec(x=""), id="an empty number"),
        pytest.param(lambda _: ec(y=...), id="half a point"),
        pytest.param(lambda k: k.rsa.as_dict(private=False) | {"n": "AQAB" * 42}, id="RSA of 1,001 bits"),
        pytest.param(lambda k: k.rsa.as_dict(private=False) | {"n": "AQAB" * 400}, id="RSA of 9,600 bits"),
        pytest.param(lambda k: k.rsa.as_dict(private=False) | {"e": "AQ"}, id="an exponent of 1"),
        pytest.param(lambda k: k.rsa.as_dict(private=False) | {"e": "AA"}, id="an exponent of 0"),
        pytest.param(lambda k: k.rsa.as_dict(private=False) | {"e": "Ag"}, id="an even exponent"),
        pytest.param(
            lambda k: k.rsa.as_dict(private=False) | {"e": "_" * 300}, id="an exponent of 1,800 bits"
        ),
        pytest.param(lambda k: k.rsa.as_dict(private=False) | {"e": "A"}, id="an exponent that is no base64"),
        pytest.param(lambda _: None, id="null"),
        pytest.param(lambda _: [], id="a list"),
        pytest.param(lambda _: "key", id="a string"),
        pytest.param(lambda _: {}, id="an empty object"),
    ],
)
def test_a_key_that_is_not_usable_is_left_out(keys: Any, make: Any) -> None:
    found = read_key_set(document(make(keys), keys.other.as_dict(private=False)))
    assert list(found) == [("other-1", "ES384")]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": null}',
        b'{"keys": [',
        b'{"keys": ' + b"[" * 100_000,
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_key_set_is_told(text: bytes) -> None:
    with pytest.raises(KeySetError):
        read_key_set(text)


def test_the_number_of_keys_is_bounded(keys: Any) -> None:
    entries = [keys.ec.as_dict(private=False) | {"kid": f"{n}"} for n in range(MAX_KEYS + 10)]
    assert len(read_key_set(document(*entries))) == MAX_KEYS


def test_no_keys_are_no_keys() -> None:
    assert read_key_set(b'{"keys": []}') == {}
