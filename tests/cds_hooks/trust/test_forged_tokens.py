"""Whatever is not the good token of a registered client gets the same 401: structure, algorithm, key, signature."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

OTHER = "https://other.example"
World = Any
Attack = Callable[[World], bytes | list[bytes]]


def b64(text: bytes) -> bytes:
    return urlsafe_b64encode(text).rstrip(b"=")


def flipped(token: bytes, index: int) -> bytes:
    """The token with one bit changed in part `index`."""
    parts = token.split(b".")
    content = bytearray(urlsafe_b64decode(parts[index] + b"=="))
    content[len(content) // 2] ^= 1
    parts[index] = b64(bytes(content))
    return b".".join(parts)


def der(token: bytes) -> bytes:
    """The token with its ECDSA signature in the ASN.1 form that JSON Web Signatures do not use."""
    head, _, signature = token.rpartition(b".")
    raw = urlsafe_b64decode(signature + b"==")
    numbers = [n if n[0] < 128 else b"\0" + n for n in (raw[:48].lstrip(b"\0"), raw[48:].lstrip(b"\0"))]
    body = b"".join(b"\x02" + bytes([len(n)]) + n for n in numbers)
    return head + b"." + b64(b"\x30" + bytes([len(body)]) + body)


def of(header: dict[str, Any]) -> Attack:
    """A good signature under a header with these members replaced."""
    return lambda w: w.forge.token(header=header)


def raw(name: str, value: str) -> Attack:
    """A good signature over claims of which one is this JSON text."""
    return lambda w: w.forge.raw(name, value)


def by(algorithm: str, key: Callable[[World], Any], kid: str | None = None) -> Attack:
    """A token that says it is signed by `algorithm`, and is, with this key."""
    return lambda w: w.forge.sign(
        w.forge.header(alg=algorithm, **({"kid": kid} if kid else {})), w.forge.claims(), key(w), algorithm
    )


def unsigned(algorithm: str, signature: bytes = b"") -> Attack:
    return lambda w: w.forge.token(header={"alg": algorithm}).rpartition(b".")[0] + b"." + signature


def around(change: Callable[[bytes], bytes]) -> Attack:
    """A good token, then changed."""
    return lambda w: change(w.forge.token())


def parts(header: bytes, payload: bytes) -> Attack:
    """These bytes, signed."""
    return lambda w: w.forge.sign(header, payload)


def good_header(w: World) -> bytes:
    return json.dumps(w.forge.header()).encode()


def with_claims(payload: bytes) -> Attack:
    return lambda w: w.forge.sign(good_header(w), payload)


class Secret:
    """A public key, used as if it were a shared secret."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def get_op_key(self, _: str) -> bytes:
        return self.text


def pem(w: World) -> Secret:
    return Secret(w.keys.rsa.as_pem(private=False))


NO_TOKEN: dict[str, Attack] = {
    "no header": lambda _: [],
    "an empty header": lambda _: [b""],
    "no token": lambda _: [b"Bearer"],
    "an empty token": lambda _: [b"Bearer "],
    "another scheme": lambda w: [b"Basic " + w.forge.token()],
    "no scheme": lambda w: [w.forge.token()],
    "two headers": lambda w: [b"Bearer " + w.forge.token(), b"Bearer " + w.forge.token()],
    "a good header and another scheme": lambda w: [b"Bearer " + w.forge.token(), b"Basic eDp5"],
}
TOO_LONG: dict[str, Attack] = {
    "a header of 50 kB": of({"x": "x" * 50_000}),
    "a header of 9 kB": of({"x": "x" * 9_000}),
    "a payload of 20 kB": lambda w: w.forge.token(x="x" * 20_000),
    "a signature of 20 kB": unsigned("ES384", b"A" * 20_000),
}
MALFORMED: dict[str, Attack] = {
    "two blanks": lambda w: [b"Bearer  " + w.forge.token()],
    "a blank at the end": around(lambda t: t + b" x"),
    "two tokens": around(lambda t: t + b"," + t),
    "one part": lambda _: b"eyJhbGciOiJFUzM4NCJ9",
    "two parts": around(lambda t: t.rpartition(b".")[0]),
    "four parts": around(lambda t: t + b".AAAA"),
    "five parts, an encrypted token": around(lambda t: t + b".AAAA.AAAA"),
    "an empty header part": around(lambda t: t[t.index(b".") :]),
    "an empty payload, detached": around(lambda t: t.split(b".")[0] + b".." + t.split(b".")[2]),
    "the signature stripped": around(lambda t: t.rpartition(b".")[0] + b"."),
    "the JSON serialisation": lambda _: (
        b'{"payload":"e30","signatures":[{"protected":"e30","signature":"AA"}]}'
    ),
    "padding": around(lambda t: t.replace(b".", b"=.", 1)),
    "the alphabet of ordinary base64": lambda w: b64encode(good_header(w)) + b".e30.AA+/",
    "letters outside ASCII": around(lambda t: t + "é".encode()),
    "a path": lambda _: b"../../etc/passwd",
    "a header that is no JSON": parts(b"alg: ES384", b"{}"),
    "a header that is no UTF-8": parts(b'{"alg":"ES384","kid":"\xff","typ":"JWT"}', b"{}"),
    "a header nested deeply": parts(b'{"alg":"ES384","x":' + b"[" * 5_000, b"{}"),
    "an algorithm given twice": parts(b'{"alg":"none","alg":"ES384","kid":"ec+1/2=","typ":"JWT"}', b"{}"),
    "claims that are no JSON": with_claims(b"iss=x"),
    "claims with a byte order mark": lambda w: w.forge.sign(
        good_header(w), b"\xef\xbb\xbf" + json.dumps(w.forge.claims()).encode()
    ),
    "claims nested deeply": lambda w: w.forge.raw("x", "[" * 5_000 + "]" * 5_000),
    "claims nested deeply as objects": lambda w: w.forge.raw("x", '{"a":' * 1_900 + "1" + "}" * 1_900),
    "an expiry given twice": lambda w: w.forge.sign(
        good_header(w), json.dumps(w.forge.claims()).encode()[:-1] + b', "exp": 4102444800}'
    ),
    "an issuer given twice": lambda w: w.forge.sign(
        good_header(w), json.dumps(w.forge.claims()).encode()[:-1] + b', "\\u0069ss": "x"}'
    ),
    "exp NaN": raw("exp", "NaN"),
    "exp Infinity": raw("exp", "Infinity"),
    "half a surrogate": raw("jti", '"\\ud800"'),
}
ALGORITHM: dict[str, Attack] = {
    "none, with a signature": unsigned("none", b"AAAA"),
    "None": unsigned("None", b"AAAA"),
    "NONE": unsigned("NONE", b"AAAA"),
    "nOnE": unsigned("nOnE", b"AAAA"),
    "HS256 with the public key as secret": by("HS256", pem, "rsa-1"),
    "HS384 with the public key as secret": by("HS384", pem, "rsa-1"),
    "HS384 with the key set entry as secret": by(
        "HS384", lambda w: Secret(json.dumps(w.keys.rsa.as_dict(private=False)).encode()), "rsa-1"
    ),
    "HS512 with an empty secret": by("HS512", lambda _: Secret(b"\0")),
    "RS256 by the right key": by("RS256", lambda w: w.keys.rsa, "rsa-1"),
    "RS512 by the right key": by("RS512", lambda w: w.keys.rsa, "rsa-1"),
    "PS384 by the right key": by("PS384", lambda w: w.keys.rsa, "rsa-1"),
    "ES256": by("ES256", lambda _: ECKey.generate_key("P-256")),
    "ES512": by("ES512", lambda _: ECKey.generate_key("P-521")),
    "EdDSA": of({"alg": "EdDSA"}),
    "lower case": of({"alg": "es384"}),
    "a blank": of({"alg": "ES384 "}),
    "an empty algorithm": of({"alg": ""}),
}
HEADER: dict[str, Attack] = {
    "no algorithm": of({"alg": ...}),
    "an algorithm that is a number": of({"alg": 384}),
    "a list of algorithms": of({"alg": ["ES384"]}),
    "a header that is a list": parts(b"[]", b"{}"),
    "its own key": lambda w: w.forge.token(
        w.keys.stranger, header={"jwk": w.keys.stranger.as_dict(private=False)}
    ),
    "its own certificate": of({"x5c": ["MIIB"]}),
    "the address of its own certificate": of({"x5u": "https://evil.example/x.pem"}),
    "a critical extension": of({"crit": ["exp"], "exp": 1}),
    "an empty list of critical extensions": of({"crit": []}),
    "an unencoded payload": of({"b64": False, "crit": ["b64"]}),
    "compression": of({"zip": "DEF"}),
    "no type": of({"typ": ...}),
    "another type": of({"typ": "at+jwt"}),
    "a type in lower case": of({"typ": "jwt"}),
    "a type that is null": of({"typ": None}),
    "no key id": of({"kid": ...}),
    "an empty key id": of({"kid": ""}),
    "a key id that is a number": of({"kid": 1}),
    "a key id that is a list": of({"kid": ["ec+1/2="]}),
    "a key id without end": of({"kid": "k" * 3_000}),
}
KEY: dict[str, Attack] = {
    "an unknown key": of({"kid": "ec-2"}),
    "a path": of({"kid": "../../../../dev/null"}),
    "a file": of({"kid": "file:///etc/passwd"}),
    "an address": of({"kid": "https://evil.example/key"}),
    "SQL": of({"kid": "' OR 1=1 --"}),
    "a command": of({"kid": "x|/usr/bin/id"}),
    "a character that ends strings": of({"kid": "ec+1/2=\x00"}),
    "another script": of({"kid": "ключ"}),
    "ES384 by the id of an RSA key": by("ES384", lambda w: w.keys.ec, "rsa-1"),
    "RS384 by the id of an EC key": by("RS384", lambda w: w.keys.rsa, "ec+1/2="),
    "the key of another client": lambda w: w.forge.token(w.keys.other),
    "our key for another client": lambda w: w.forge.token(w.keys.ec, iss=OTHER, tenant="north"),
}
SIGNATURE: dict[str, Attack] = {
    "a stranger's key under our key's id": lambda w: w.forge.token(w.keys.stranger),
    "a stranger's RSA key under our key's id": by("RS384", lambda _: RSAKey.generate_key(2048), "rsa-1"),
    "one bit of the signature": around(lambda t: flipped(t, 2)),
    "the claims of another token": lambda w: b".".join(
        [*w.forge.token().split(b".")[:1], *w.forge.token().split(b".")[1:2], w.forge.token().split(b".")[2]]
    ),
    "zeros": unsigned("ES384", b64(b"\0" * 96)),
    "ones": unsigned("ES384", b64(b"\xff" * 96)),
    "half a signature": around(lambda t: t[:-64]),
    "one byte": unsigned("ES384", b"AA"),
    "a byte more": around(lambda t: t + b"AA"),
    "the other encoding": around(der),
    "the last letter": around(lambda t: t[:-1] + b"B" if t[-1:] != b"B" else t[:-1] + b"C"),
    "an RSA signature of zeros": lambda w: (
        w.forge.token(w.keys.rsa).rpartition(b".")[0] + b"." + b64(b"\0" * 256)
    ),
    "an RSA signature of one": lambda w: (
        w.forge.token(w.keys.rsa).rpartition(b".")[0] + b"." + b64(b"\0" * 255 + b"\1")
    ),
}
ATTACKS = [
    pytest.param(reason, make, id=f"{reason}: {name}")
    for reason, attacks in {
        "no-token": NO_TOKEN,
        "too-long": TOO_LONG,
        "malformed": MALFORMED,
        "algorithm": ALGORITHM,
        "header": HEADER,
        "key": KEY,
        "signature": SIGNATURE,
    }.items()
    for name, make in attacks.items()
]


@pytest.mark.parametrize(("reason", "make"), ATTACKS)
def test_200_201_203_207_a_forged_token_is_refused_like_any_other(
    attack: Callable[[str, Attack], None], reason: str, make: Attack
) -> None:
    attack(reason, make)


def test_the_refusal_tells_nothing(world: World) -> None:
    refusal = world.post()
    assert refusal.status_code == 401
    assert refusal.json() == {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "login"}],
    }
    assert refusal.headers["www-authenticate"] == "Bearer"
    assert refusal.headers["cache-control"] == "no-store"
