"""A good signature is not enough: claims that are missing, wrong, of another client or meant for another endpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

PATH = "/cds-services/twitching-patient-view"
BASE = "https://cds.example/twitching"
OTHER = "https://other.example"
DAY = 86_400
SPEC_EXAMPLE = (
    b"eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImV4YW1wbGUta2lkIiwiamt1IjoiaHR0cHM6Ly9maGlyLWVoci5leGFtcGxlLmNvbS9qd2tf"
    b"dXJpIn0.eyJpc3MiOiJodHRwczovL2ZoaXItZWhyLmV4YW1wbGUuY29tLyIsInN1YiI6ImNsaWVudF9pZCIsImF1ZCI6Imh0dHBzOi8vY2RzLmV4YW1"
    b"wbGUub3JnL2Nkcy1zZXJ2aWNlcy9zb21lLXNlcnZpY2UiLCJleHAiOjE0MjI1Njg4NjAsImlhdCI6MTMxMTI4MDk3MCwianRpIjoiZWUyMmIwMjEtZ"
    b"TFiNy00NjExLWJhNWItOGVlYzZhMzNhYzFlIiwidGVuYW50IjoiMmRkZDZjM2EtOGU5YS00NGM2LWEzMDUtNTIxMTFhZDMwMmEyIn0.CUFPkplnWd6Y"
    b"GIvzoHolWCQBDsCL8QtTWKGg_QFpS169WrqDGzktRi-_we6-6rVzbjerU27ZKww_SW0-b9RTz-dPJNcqsueMio8r6EqXUXhbLm_ch3XFSbDlGHDl_tqo"
)

World = Any
Attack = Callable[[World], bytes | list[bytes]]


def of(header: dict[str, Any]) -> Attack:
    """A good signature under a header with these members replaced."""
    return lambda w: w.forge.token(header=header)


def saying(**claims: Any) -> Attack:
    """A good signature over claims with these replaced."""
    return lambda w: w.forge.token(**claims)


def raw(name: str, value: str) -> Attack:
    """A good signature over claims of which one is this JSON text."""
    return lambda w: w.forge.raw(name, value)


def with_claims(payload: bytes) -> Attack:
    return lambda w: w.forge.sign(json.dumps(w.forge.header()).encode(), payload)


def now(seconds: float = 0) -> int:
    return int(time.time() + seconds)


CLAIMS: dict[str, Attack] = {
    **{f"no {name}": saying(**{name: ...}) for name in ("iss", "aud", "exp", "iat", "jti")},
    **{f"{name} null": saying(**{name: None}) for name in ("iss", "aud", "exp", "iat", "jti")},
    "claims that are a list": with_claims(b"[]"),
    "claims that are a number": with_claims(b"1"),
    "an issuer that is a list": lambda w: w.forge.token(iss=[w.forge.iss]),
    "an issuer that is an object": saying(iss={"a": 1}),
    "an audience that is a number": saying(aud=1),
    "an audience that is an object": lambda w: w.forge.token(aud={w.forge.aud: 1}),
    "an audience with a number in it": lambda w: w.forge.token(aud=[w.forge.aud, 1]),
    "exp a string": lambda w: w.forge.token(exp=str(now(300))),
    "exp true": saying(exp=True),
    "exp a list": lambda w: w.forge.token(exp=[now(300)]),
    "exp 1e400": raw("exp", "1e400"),
    "exp 10^400": raw("exp", "1" + "0" * 400),
    "exp 2^53 + 2": raw("exp", str(2**53 + 2)),
    "exp negative": saying(exp=-1),
    "iat a string": lambda w: w.forge.token(iat=str(now())),
    "iat false": saying(iat=False),
    "iat -1e400": raw("iat", "-1e400"),
    "nbf a string": saying(nbf="0"),
    "nbf true": saying(nbf=True),
    "an empty jti": saying(jti=""),
    "a jti that is a number": saying(jti=1),
    "a jti of 256 characters": saying(jti="x" * 256),
    "a tenant that is a number": saying(tenant=1),
    "an empty tenant": saying(tenant=""),
}
ISSUER: dict[str, Attack] = {
    "an unknown issuer": saying(iss="https://evil.example"),
    "a slash more": lambda w: w.forge.token(iss=w.forge.iss + "/"),
    "the beginning of an issuer": lambda w: w.forge.token(iss=w.forge.iss[:-1]),
    "an issuer in capitals": lambda w: w.forge.token(iss=w.forge.iss.upper()),
    "an issuer with credentials": lambda w: w.forge.token(iss=w.forge.iss + "@evil.example"),
    "an issuer with a line break": lambda w: w.forge.token(iss=w.forge.iss + "\nforged log line"),
    "no more than a scheme": saying(iss="https://"),
    "the example of the specification": lambda _: SPEC_EXAMPLE,
    "the published sandbox": saying(iss="https://sandbox.cds-hooks.org"),
}
TENANT: dict[str, Attack] = {
    "an unknown tenant": lambda w: w.forge.token(w.keys.other, iss=OTHER, tenant="south"),
    "no tenant": lambda w: w.forge.token(w.keys.other, iss=OTHER),
    "a tenant in capitals": lambda w: w.forge.token(w.keys.other, iss=OTHER, tenant="NORTH"),
}
KEY_SET_URL: dict[str, Attack] = {
    "a key set of its own": lambda w: w.forge.token(
        w.keys.stranger, header={"jku": w.key_server.url + "/evil"}
    ),
    "a redirect to the right key set": lambda w: w.forge.token(header={"jku": w.key_server.url + "/moved"}),
    "the key set of another client": lambda w: w.forge.token(
        w.keys.other, header={"jku": w.key_server.url + "/theirs"}
    ),
    "a key set beside it": lambda w: w.forge.token(header={"jku": w.jku + "/../evil"}),
    "a query": lambda w: w.forge.token(header={"jku": w.jku + "?x"}),
    "a fragment": lambda w: w.forge.token(header={"jku": w.jku + "#x"}),
    "credentials": lambda w: w.forge.token(header={"jku": w.jku.replace("://", "://evil@")}),
    "another port": lambda w: w.forge.token(header={"jku": w.jku.rpartition(":")[0] + ":1/ours"}),
    "another spelling of the host": lambda w: w.forge.token(
        header={"jku": w.jku.replace("127.0.0.1", "localhost")}
    ),
    "the beginning of another host": lambda w: w.forge.token(
        header={"jku": w.jku.replace("127.0.0.1", "127.0.0.1.evil.example")}
    ),
    "a file": of({"jku": "file:///etc/passwd"}),
    "the metadata of a cloud": of({"jku": "http://169.254.169.254/latest/meta-data/"}),
    "nothing": of({"jku": ""}),
}
AUDIENCE: dict[str, Attack] = {
    "discovery": saying(aud=f"{BASE}/cds-services"),
    "feedback": saying(aud=f"{BASE}{PATH}/feedback"),
    "the explanation": saying(aud=f"{BASE}{PATH}/explain"),
    "another service": saying(aud=f"{BASE}/cds-services/twitching-order-sign"),
    "the base": saying(aud=BASE),
    "a slash more": saying(aud=f"{BASE}{PATH}/"),
    "a letter less": saying(aud=f"{BASE}{PATH[:-1]}"),
    "a query": saying(aud=f"{BASE}{PATH}?x"),
    "http": saying(aud=f"{BASE}{PATH}".replace("https", "http")),
    "another host": saying(aud=f"https://evil.example{PATH}"),
    "the beginning of another host": saying(aud=f"{BASE}.evil.example{PATH}"),
    "the host that the call names": saying(aud=f"http://testserver{PATH}"),
    "the path alone": saying(aud=PATH),
    "another service among strangers": saying(aud=["https://a.example", f"{BASE}/cds-services"]),
    "nobody": saying(aud=[]),
    "nothing": saying(aud=""),
    "the audience of another client": lambda w: w.forge.token(
        w.keys.other, iss=OTHER, tenant="north", aud="urn:typed-in-by-hand"
    ),
}
TIMES: dict[str, Attack] = {
    "expired: an hour ago": lambda w: w.forge.token(iat=now(-7_000), exp=now(-3_600)),
    "expired: 62 seconds ago": lambda w: w.forge.token(iat=now(-362), exp=now(-62)),
    "expired: in 1970": saying(iat=0, exp=0),
    "not-yet-valid: issued in an hour": lambda w: w.forge.token(iat=now(3_600), exp=now(3_900)),
    "not-yet-valid: issued in 65 seconds": lambda w: w.forge.token(iat=now(65), exp=now(300)),
    "not-yet-valid: valid in an hour": lambda w: w.forge.token(nbf=now(3_600)),
    "not-yet-valid: valid in 65 seconds": lambda w: w.forge.token(nbf=now(65)),
    "lifetime: a second too long": lambda w: w.forge.token(iat=now(), exp=now() + 3_601),
    "lifetime: ten years": lambda w: w.forge.token(exp=now(3_650 * DAY)),
    "lifetime: for ever": saying(exp=2**53),
    "lifetime: it ends before it begins": lambda w: w.forge.token(iat=now(30), exp=now(10)),
}
ATTACKS = [
    pytest.param(reason, make, id=f"{reason}: {name}")
    for reason, attacks in {
        "claims": CLAIMS,
        "issuer": ISSUER,
        "tenant": TENANT,
        "key-set-url": KEY_SET_URL,
        "audience": AUDIENCE,
    }.items()
    for name, make in attacks.items()
]
ATTACKS += [pytest.param(name.partition(":")[0], make, id=name) for name, make in TIMES.items()]


@pytest.mark.parametrize(("reason", "make"), ATTACKS)
def test_195_wrong_claims_are_refused_like_any_other_token(
    attack: Callable[[str, Attack], None], reason: str, make: Attack
) -> None:
    attack(reason, make)
