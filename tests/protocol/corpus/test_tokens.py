"""Tokens, good and forged, as the running service takes them; every refusal is the same 401."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import yaml
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

BASE = "https://cds.example"
ISSUER = "https://ehr.example/fhir"
PATH = "/cds-services/twitching-patient-view"
Json = dict[str, Any]


class Ehr:
    """Signs tokens for the endpoint that is called; `...` leaves a claim or a header member out."""

    def __init__(self, jku: str, keys: dict[str, Any]) -> None:
        self.jku = jku
        self.keys = keys

    def token(self, alg: str = "ES384", key: str = "", header: Json | None = None, **claims: Any) -> str:
        signing = self.keys[key or alg]
        now = int(time.time())
        body = {"iss": ISSUER, "aud": BASE + PATH, "exp": now + 300, "iat": now, "jti": str(uuid4())} | claims
        head = {"alg": alg, "kid": signing.kid, "typ": "JWT", "jku": self.jku} | (header or {})
        present = ({name: value for name, value in part.items() if value is not ...} for part in (head, body))
        return jwt.encode(*present, signing, algorithms=[alg])

    def unsigned(self) -> str:
        parts = (
            json.dumps(part).encode()
            for part in ({"alg": "none", "kid": "ec", "typ": "JWT"}, {"iss": ISSUER})
        )
        return b".".join([*(urlsafe_b64encode(part).rstrip(b"=") for part in parts), b""]).decode()


@pytest.fixture(scope="module")
def ehr(web: Any) -> Ehr:
    """A client of the service, whose key set stands on a server of ours."""
    keys = {
        "ES384": ECKey.generate_key("P-384", {"kid": "ec"}),
        "RS384": RSAKey.generate_key(2048, {"kid": "rsa"}),
        "stranger": ECKey.generate_key("P-384", {"kid": "ec"}),
        "HS256": OctKey.import_key("a secret that everybody shares, of some length", {"kid": "ec"}),
    }
    public = [keys[name].as_dict(private=False) for name in ("ES384", "RS384")]
    web.answers["/keys"] = (200, json.dumps({"keys": public}))
    web.answers["/others"] = (200, json.dumps({"keys": [keys["stranger"].as_dict(private=False)]}))
    return Ehr(f"{web.url}/keys", keys)


@pytest.fixture(scope="module")
def trusting(
    ehr: Ehr, start_lasting: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx2.Client]:
    clients = [{"issuer": ISSUER, "jku": ehr.jku}]
    trust = {"mode": "required", "base": BASE, "clients": clients, "allow_private_addresses": True}
    site: Path = tmp_path_factory.mktemp("trust") / "site.yaml"
    site.write_text(yaml.safe_dump({"trust": trust}), encoding="utf-8")
    with start_lasting("--config", str(site)) as running:
        yield running.http


def call(client: httpx2.Client, chart: Any, token: str, path: str = PATH) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.post(path, json=chart.call(), headers=headers)


Make = Callable[[Ehr], str]
GOOD: dict[str, Make] = {
    "ES384": lambda e: e.token(),
    "RS384": lambda e: e.token("RS384"),
    "no jku": lambda e: e.token(header={"jku": ...}),
    "an array of audiences": lambda e: e.token(aud=["https://other.example", BASE + PATH]),
    "as Epic sends it": lambda e: e.token("RS384", sub="client-1", nbf=int(time.time()) - 300),
    "with a tenant": lambda e: e.token(tenant="north"),
}
BAD: dict[str, Make] = {
    "none at all": lambda _: "",
    "no token": lambda _: "x",
    "alg none": lambda e: e.unsigned(),
    "HS256": lambda e: e.token("HS256"),
    "a stranger's key": lambda e: e.token(key="stranger"),
    "a stranger's key, with its own key set": lambda e: e.token(
        key="stranger", header={"jku": e.jku.replace("/keys", "/others")}
    ),
    "a jku that is not on the list": lambda e: e.token(header={"jku": "https://evil.example/keys"}),
    "an unknown kid": lambda e: e.token(header={"kid": "another"}),
    "a foreign issuer": lambda e: e.token(iss="https://evil.example"),
    "expired": lambda e: e.token(iat=int(time.time()) - 900, exp=int(time.time()) - 600),
    "from the future": lambda e: e.token(iat=int(time.time()) + 600, exp=int(time.time()) + 900),
    "no jti": lambda e: e.token(jti=...),
    "no expiry": lambda e: e.token(exp=...),
    "the audience of discovery": lambda e: e.token(aud=f"{BASE}/cds-services"),
    "the audience of the feedback": lambda e: e.token(aud=f"{BASE}{PATH}/feedback"),
    "the audience of another service": lambda e: e.token(aud=f"{BASE}/cds-services/twitching-order-sign"),
    "no audience": lambda e: e.token(aud=...),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_token_is_taken_once(trusting: httpx2.Client, ehr: Ehr, chart: Any, name: str) -> None:
    token = GOOD[name](ehr)
    assert call(trusting, chart, token).json()["cards"]
    assert call(trusting, chart, token).status_code == 401, "replayed"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_is_refused_without_a_reason(
    trusting: httpx2.Client, ehr: Ehr, chart: Any, name: str
) -> None:
    answer, bare = call(trusting, chart, BAD[name](ehr)), call(trusting, chart, "")
    assert (answer.status_code, answer.json()["resourceType"]) == (401, "OperationOutcome")
    assert "diagnostics" not in answer.text
    assert answer.content == bare.content


def test_each_endpoint_has_an_audience_of_its_own(trusting: httpx2.Client, ehr: Ehr) -> None:
    for method, path, body in (
        ("GET", "/cds-services", None),
        ("POST", f"{PATH}/feedback", {"feedback": []}),
    ):
        for audience, status in ((BASE + path, 200), (BASE + PATH, 401)):
            headers = {"Authorization": f"Bearer {ehr.token(aud=audience)}"}
            assert trusting.request(method, path, json=body, headers=headers).status_code == status
