"""A web server that plays the EHR, with TLS of an authority of its own if wanted, and tokens of a client."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
from joserfc import jwt
from joserfc.jwk import ECKey

from cds_hooks.doctor.check import Case, Check
from cds_hooks.settings import Settings

Answer = tuple[int, dict[str, str], bytes]
ISSUER = "https://ehr.example.org/api/FHIR/R4"


@dataclass
class Web:
    """A web server at `url`; `answers` maps a path to an answer, or to what makes one."""

    url: str
    answers: dict[str, Answer | Callable[[], Answer]] = field(default_factory=dict)
    server: ThreadingHTTPServer | None = None

    def publish(self, path: str, document: Any, **headers: str) -> str:
        """Answer `path` with this JSON; returns the URL."""
        self.answers[path] = (
            200,
            {"Content-Type": "application/json"} | headers,
            json.dumps(document).encode(),
        )
        return self.url + path

    def start(self, server: ThreadingHTTPServer) -> None:
        self.server = server
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()


def _server(web: Web) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = web.answers.get(self.path, (404, {}, b"not here"))
            status, headers, body = found() if callable(found) else found
            self.send_response_only(status)
            for name, value in ({"Date": self.date_time_string()} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            return  # a client that does not trust us hangs up

    return Server(("127.0.0.1", 0), Handler)


@pytest.fixture
def web() -> Iterator[Callable[..., Web]]:
    """Starts servers on 127.0.0.1: `web()`, or `web(certificate)` for https under the name localhost."""
    started: list[Web] = []

    def start(certificate: trustme.LeafCert | None = None) -> Web:
        made = Web("")
        server = _server(made)
        port = server.server_address[1]
        made.url = f"http://127.0.0.1:{port}"
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
            made.url = f"https://localhost:{port}"
        made.start(server)
        started.append(made)
        return made

    yield start
    for made in started:
        if made.server:
            made.server.shutdown()
            made.server.server_close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that no machine knows."""
    return trustme.CA()


@pytest.fixture(scope="session")
def client_key() -> ECKey:
    """The key of our client."""
    return ECKey.generate_key("P-384", {"kid": "ehr-1", "use": "sig", "alg": "ES384"})


_numbers = count()


@pytest.fixture
def token(client_key: ECKey) -> Callable[..., bytes]:
    """A token that is in order, with some claims replaced; `...` leaves one out."""

    def make(
        audience: str, key: ECKey | None = None, header: dict[str, Any] | None = None, **claims: Any
    ) -> bytes:
        now = int(time.time())
        body = {
            "iss": ISSUER,
            "aud": audience,
            "iat": now,
            "exp": now + 300,
            "jti": f"t-{next(_numbers)}",
        } | claims
        whole = {"alg": "ES384", "kid": "ehr-1", "typ": "JWT"} | (header or {})
        present = {name: value for name, value in body.items() if value is not ...}
        algorithm = str(whole["alg"])
        return jwt.encode(whole, present, key or client_key, algorithms=[algorithm]).encode()

    return make


@pytest.fixture
def capability() -> Callable[..., dict[str, Any]]:
    """The CapabilityStatement of a server that can do all we ask, without the given types."""

    def make(*without: str, version: str = "4.0.1") -> dict[str, Any]:
        types = [
            "Patient",
            "Encounter",
            "Condition",
            "Observation",
            "MedicationRequest",
            "MedicationStatement",
            "ServiceRequest",
            "Procedure",
            "QuestionnaireResponse",
        ]
        resources = [
            {
                "type": kind,
                "interaction": [{"code": "read"}, {"code": "search-type"}],
                "searchParam": [{"name": "patient"}, {"name": "category"}, {"name": "code"}],
            }
            for kind in types
            if kind not in without
        ]
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": version,
            "date": datetime.now(UTC).isoformat(),
            "rest": [{"mode": "server", "resource": resources}],
        }

    return make


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[tuple[str, str]]]:
    """What a check finds with these settings; every finding that is not `ok` must say what to do."""
    for name in [name for name in os.environ if name.startswith("TWITCHING_CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def findings(check: Check, **settings: Any) -> list[tuple[str, str]]:
        found = asyncio.run(check(Case(Settings(**settings))))
        assert [finding for finding in found if bool(finding.fix) == (finding.status == "ok")] == []
        return [(finding.status, f"{finding.found} | {finding.fix}") for finding in found]

    return findings


@pytest.fixture
def one(find: Callable[..., list[tuple[str, str]]]) -> Callable[..., tuple[str, str]]:
    """As `find`, of a check that has one finding."""

    def finding(check: Check, **settings: Any) -> tuple[str, str]:
        (found,) = find(check, **settings)
        return found

    return finding


@pytest.fixture
def client() -> Callable[..., dict[str, Any]]:
    """Settings with one client."""

    def make(jku: str = "", **parts: Any) -> dict[str, Any]:
        keys = {"jku": jku} if jku else {}
        return {"trust": {"clients": [{"issuer": ISSUER} | keys | parts], "allow_private_addresses": True}}

    return make
