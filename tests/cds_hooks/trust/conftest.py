"""Keys, tokens made by hand, and a key server on the loopback address that can misbehave."""

from __future__ import annotations

import json
import logging
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.testclient import TestClient

from cds_hooks.app import create_app
from cds_hooks.settings import Settings
from cds_hooks.trust import verifier
from mappings.knowledge import load_knowledge

ISSUER = "https://ehr.example/fhir/R4"
OTHER = "https://other.example"
BASE = "https://cds.example/twitching"
PATH = "/cds-services/twitching-patient-view"
CALL = b"""{
  "hook": "patient-view",
  "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
  "context": {"userId": "Practitioner/example", "patientId": "p-1"},
  "prefetch": {"conditions": {"resourceType": "Bundle", "type": "searchset"}}
}"""
Json = dict[str, Any]
Key = ECKey | RSAKey


@dataclass
class Keys:
    """The keys of the world: two of our client, of another client, of nobody."""

    ec: ECKey
    rsa: RSAKey
    other: ECKey
    stranger: ECKey

    def public(self, *keys: Key) -> Json:
        """A key set."""
        return {"keys": [key.as_dict(private=False) for key in keys]}


@pytest.fixture(scope="session")
def keys() -> Keys:
    """Made once: RSA keys take a while."""
    return Keys(
        ec=ECKey.generate_key("P-384", {"kid": "ec+1/2=", "use": "sig", "alg": "ES384"}),
        rsa=RSAKey.generate_key(2048, {"kid": "rsa-1"}),
        other=ECKey.generate_key("P-384", {"kid": "other-1"}),
        stranger=ECKey.generate_key("P-384", {"kid": "ec+1/2="}),
    )


@dataclass
class KeyServer:
    """A web server; `answers` maps a path to (status, headers, body), or to an event that never comes."""

    url: str
    answers: dict[str, tuple[int, dict[str, str], bytes] | Event] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, path: str, document: Any) -> str:
        """Answer `path` with this JSON; returns the URL."""
        self.answers[path] = (200, {"Content-Type": "application/json"}, json.dumps(document).encode())
        return self.url + path


@contextmanager
def key_server_at_work() -> Iterator[KeyServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            answer = state.answers.get(self.path, (404, {}, b"not here"))
            if isinstance(answer, Event):
                answer.wait(30)
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):  # the client may have had enough
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = KeyServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        for answer in state.answers.values():
            if isinstance(answer, Event):
                answer.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    """On 127.0.0.1, for one test."""
    with key_server_at_work() as server:
        yield server


class Forge:
    """Makes tokens, good ones unless told otherwise. `...` leaves a member out."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.iss = ISSUER
        self.aud = f"{BASE}/cds-services"
        self._numbers = count()

    def claims(self, **parts: Any) -> Json:
        """Claims that are in order right now."""
        now = int(time.time())
        jti = f"token-{next(self._numbers)}"
        return present({"iss": ISSUER, "aud": self.aud, "exp": now + 300, "iat": now, "jti": jti} | parts)

    def header(self, key: Key | None = None, **parts: Any) -> Json:
        """The header for a token signed with this key."""
        key = key or self.keys.ec
        alg = "RS384" if isinstance(key, RSAKey) else "ES384"
        return present({"alg": alg, "kid": key.kid, "typ": "JWT"} | parts)

    def sign(self, header: Json | bytes, claims: Json | bytes, key: Any = None, by: str = "ES384") -> bytes:
        """A token of this header and these claims (objects, or JSON as it is), signed by the algorithm `by`."""
        signed = part(header) + b"." + part(claims)
        return signed + b"." + part(JWSRegistry.algorithms[by].sign(signed, key or self.keys.ec))

    def token(self, key: Key | None = None, header: Json | None = None, **claims: Any) -> bytes:
        """A token with some members of its header and some claims replaced."""
        key = key or self.keys.ec
        by = "RS384" if isinstance(key, RSAKey) else "ES384"
        return self.sign(self.header(key, **(header or {})), self.claims(**claims), key, by)

    def raw(self, name: str, value: str) -> bytes:
        """A token whose claim `name` is this JSON text, whatever it is."""
        claims = json.dumps(self.claims(**{name: ...}))
        return self.sign(self.header(), f'{claims[:-1]}, "{name}": {value}}}'.encode())


def part(content: Json | bytes) -> bytes:
    """One part of a token."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urlsafe_b64encode(text).rstrip(b"=")


def present(members: Json) -> Json:
    return {name: value for name, value in members.items() if value is not ...}


@pytest.fixture
def forge(keys: Keys) -> Forge:
    """Makes tokens for the discovery endpoint."""
    return Forge(keys)


class World:
    """The service as it runs in production, with two clients; a refusal does not take its time."""

    def __init__(self, http: TestClient, forge: Forge, key_server: KeyServer, jku: str) -> None:
        self.http = http
        self.forge = forge
        self.keys = forge.keys
        self.key_server = key_server
        self.jku = jku
        self.refusal = told(self.post())

    def post(self, *authorization: bytes, path: str = PATH) -> Any:
        """A call with these `Authorization` headers."""
        headers = [(b"Authorization", value) for value in authorization]
        return self.http.post(path, content=CALL, headers=headers)

    def refuses(self, *authorization: bytes) -> None:
        """Make sure that a call is refused like any other."""
        assert told(self.post(*authorization)) == self.refusal
        assert self.refusal[0] == 401


def told(response: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that a caller can see of an answer, besides its own request id."""
    headers = sorted((name, value) for name, value in response.headers.items() if name != "x-request-id")
    return response.status_code, response.content, headers


@pytest.fixture(scope="module")
def lasting_world(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with key_server_at_work() as server, pytest.MonkeyPatch.context() as patch:
        ours = server.publish("/ours", keys.public(keys.ec, keys.rsa))
        theirs = server.publish("/theirs", keys.public(keys.other))
        server.publish("/evil", keys.public(keys.stranger))
        server.answers["/moved"] = (302, {"Location": ours}, b"")
        clients = [
            {"issuer": ISSUER, "jku": ours, "audience": ["urn:typed-in-by-hand"]},
            {"issuer": OTHER, "jku": theirs, "tenant": "north"},
        ]
        trust = {"mode": "required", "base": BASE, "clients": clients, "allow_private_addresses": True}
        url = f"sqlite:///{tmp_path_factory.mktemp('trust') / 'service.sqlite3'}"
        patch.setattr(verifier, "REFUSAL_SECONDS", 0.0)
        app = create_app(Settings(trust=trust, database_url=url), knowledge=load_knowledge())
        with TestClient(app) as http:
            yield World(http, Forge(keys), server, ours)


@pytest.fixture
def world(lasting_world: World) -> World:
    """The service, and a forge of tokens for its patient-view."""
    lasting_world.forge.aud = BASE + PATH
    return lasting_world


Attack = Callable[[World], bytes | list[bytes]]


@pytest.fixture
def attack(world: World, caplog: pytest.LogCaptureFixture) -> Callable[[str, Attack], None]:
    """Makes sure that an attack is refused like any other, for this reason, of which only the log knows."""

    def refused(reason: str, make: Attack) -> None:
        made = make(world)
        sent = made if isinstance(made, list) else [b"Bearer " + made]
        with caplog.at_level(logging.DEBUG, logger="twitching_cds"):
            world.refuses(*sent)
        (line,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith("call refused")]
        assert re.fullmatch(rf"call refused: {reason} \(issuer [\w.-]+\)", line)
        for value in sent:
            token = value.rpartition(b" ")[2]
            assert len(token) < 8 or token.decode("latin-1") not in caplog.text

    return refused
