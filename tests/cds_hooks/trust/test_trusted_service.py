"""The service with `trust: required`: what is open, what is not, and the real thing with several workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from cds_hooks.app import create_app
from cds_hooks.settings import Settings
from cds_hooks.trust import verifier
from cds_hooks.trust.middleware import RequireTrust
from cds_hooks.trust.refusal import Unauthorised
from cds_hooks.trust.verifier import Caller
from mappings.knowledge import load_knowledge

BASE = "https://cds.example/twitching"
PATH = "/cds-services/twitching-patient-view"
ORIGIN = {"Origin": "https://sandbox.example"}


@pytest.fixture
def settings(key_server: Any, forge: Any, tmp_path: Path) -> dict[str, Any]:
    """One client, whose keys are at hand."""
    url = key_server.publish("/keys", forge.keys.public(forge.keys.ec, forge.keys.rsa))
    clients = [{"issuer": forge.iss, "jku": url}]
    return {
        "trust": {"mode": "required", "base": BASE, "clients": clients, "allow_private_addresses": True},
        "database_url": f"sqlite:///{tmp_path / 'service.sqlite3'}",
    }


@pytest.fixture
def trusting(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The service in process."""
    monkeypatch.setattr(verifier, "REFUSAL_SECONDS", 0.0)
    with TestClient(create_app(Settings(**settings), knowledge=load_knowledge())) as http:
        yield http


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/cds-services"),
        ("POST", PATH),
        ("POST", f"{PATH}/explain"),
        ("POST", f"{PATH}/feedback"),
    ],
)
def test_177_every_endpoint_wants_a_token_of_its_own(
    trusting: TestClient, forge: Any, call: Callable[..., bytes], method: str, path: str
) -> None:
    body = b'{"feedback": []}' if path.endswith("feedback") else call()
    content = body if method == "POST" else None

    def ask(token: bytes) -> int:
        return trusting.request(
            method, path, content=content, headers=[(b"Authorization", b"Bearer " + token)]
        ).status_code

    assert trusting.request(method, path, content=content).status_code == 401
    forge.aud = f"{BASE}/elsewhere"
    assert ask(forge.token()) == 401
    forge.aud = BASE + path
    assert ask(forge.token()) in (
        200,
        400,
    )  # 400: an empty list of feedback may be refused, but not as untrusted


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/dashboard"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
        ("GET", "/health"),
        ("GET", "/knowledgeable"),
        ("DELETE", "/cds-services"),
        ("HEAD", "/cds-services"),
        ("OPTIONS", "/cds-services"),
        ("POST", "/cds-services/none"),
        ("POST", f"{PATH}/"),
        ("POST", f"//{PATH}"),
        ("POST", "/CDS-SERVICES/twitching-patient-view"),
    ],
)
def test_whatever_is_not_open_is_closed(trusting: TestClient, method: str, path: str) -> None:
    assert trusting.request(method, path).status_code == 401


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/openapi.json"])
def test_what_depends_on_nobody_is_open(trusting: TestClient, path: str) -> None:
    assert trusting.get(path).status_code == 200


def test_a_browser_may_ask_first_and_read_the_refusal(
    trusting: TestClient, call: Callable[..., bytes]
) -> None:
    wanted = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    assert trusting.options(PATH, headers=ORIGIN | wanted).status_code == 200
    refused = trusting.post(PATH, content=call(), headers=ORIGIN)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")


def test_the_host_that_a_call_names_changes_nothing(
    trusting: TestClient, forge: Any, call: Callable[..., bytes]
) -> None:
    def ask(aud: str, **headers: str) -> int:
        named = [(b"Authorization", b"Bearer " + forge.token(aud=aud)), (b"Host", b"evil.example")]
        named += [(name.encode(), value.encode()) for name, value in headers.items()]
        return trusting.post(PATH, content=call(), headers=named).status_code

    forwarded = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/x",
        "Forwarded": "host=evil.example",
    }
    assert ask(f"https://evil.example{PATH}", **forwarded) == 401
    assert ask(f"{BASE}{PATH}", **forwarded) == 200


def test_without_trust_nobody_is_asked(client: TestClient, call: Callable[..., bytes]) -> None:
    assert client.post(PATH, content=call(), headers={"Authorization": "Bearer x"}).status_code == 200


class TestMiddleware:
    """Driven as ASGI."""

    def ask(self, scope: Scope) -> tuple[int, Scope | None]:
        """The status, and what the application behind was given."""
        reached: list[Scope] = []
        sent: list[Message] = []

        async def app(inner: Scope, _: Receive, send: Send) -> None:
            reached.append(inner)
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def send(message: Message) -> None:
            sent.append(message)

        class Known:
            async def verify(self, authorization: list[bytes], endpoint: str) -> Caller:
                if authorization != [b"Bearer good"]:
                    raise Unauthorised("signature")
                return Caller(endpoint, "north")

        whole = {"type": "http", "path": "/cds-services", "headers": []} | scope
        guarded: Any = RequireTrust(app, Known(), BASE)  # type: ignore[arg-type]
        asyncio.run(guarded(whole, None, send))
        return sent[0]["status"], reached[0] if reached else None

    def test_the_caller_is_passed_on(self) -> None:
        status, scope = self.ask({"headers": [(b"authorization", b"Bearer good")], "state": {"x": 1}})
        assert status == 200
        assert scope is not None
        assert scope["state"] == {"x": 1, "caller": Caller(f"{BASE}/cds-services", "north")}

    @pytest.mark.parametrize("client", [("127.0.0.1", 1), ("::1", 1)])
    def test_metrics_are_open_to_this_machine(self, client: Any) -> None:
        assert self.ask({"path": "/metrics", "client": client})[0] == 200
        assert self.ask({"path": "/metrics/x", "client": client})[0] == 401
        assert self.ask({"client": client})[0] == 401

    @pytest.mark.parametrize("client", [None, ("10.0.0.1", 1), ("testclient", 1), ("", 0)])
    def test_and_to_nobody_else(self, client: Any) -> None:
        assert self.ask({"path": "/metrics", "client": client})[0] == 401

    @pytest.mark.parametrize("path", ["/knowledge", "/knowledge/", "/knowledge/analytes/potassium"])
    def test_the_published_rules_are_open(self, path: str) -> None:
        assert self.ask({"path": path})[0] == 200

    def test_other_protocols_pass(self) -> None:
        assert self.ask({"type": "lifespan"})[0] == 200


def test_two_workers_take_each_token_once(
    settings: dict[str, Any], forge: Any, call: Callable[..., bytes], start: Any, tmp_path: Path
) -> None:
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(settings))
    forge.aud = BASE + PATH
    with start("--config", "site.yaml", "--workers", "2") as service:

        def ask(token: bytes) -> int:
            # A connection of its own, so that the calls reach both workers.
            headers = {"Authorization": f"Bearer {token.decode()}", "Connection": "close"}
            status: int = service.http.post(PATH, content=call(), headers=headers).status_code
            return status

        tokens = [forge.token(forge.keys.rsa) for _ in range(20)]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, [token for token in tokens for _ in range(20)]))
        assert answers.count(200) == len(tokens)
        assert answers.count(401) == 19 * len(tokens)
        assert all(200 in answers[n : n + 20] for n in range(0, len(answers), 20))
    assert not any(token.decode() in service.written for token in tokens)


def test_a_proxy_on_this_machine_says_for_whom_it_asks(
    settings: dict[str, Any], start: Any, tmp_path: Path
) -> None:
    """With the header of the example in docs/operations.md nobody else is taken for a caller of this machine."""
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(settings))
    with start("--config", "site.yaml") as service:
        asked = [service.http.get("/metrics", headers=h) for h in ({}, {"X-Forwarded-For": "203.0.113.5"})]
    assert [answer.status_code for answer in asked] == [200, 401]


def test_the_cards_come_even_if_the_database_is_away(
    settings: dict[str, Any], forge: Any, call: Callable[..., bytes], tmp_path: Path
) -> None:
    settings["database_url"] = f"sqlite:///{tmp_path / 'none' / 'service.sqlite3'}"
    forge.aud = BASE + PATH
    token = [(b"Authorization", b"Bearer " + forge.token())]
    with TestClient(create_app(Settings(**settings), knowledge=load_knowledge())) as http:
        assert http.get("/health/ready").json()["status"] == "degraded"
        assert http.post(PATH, content=call(), headers=token).status_code == 200
        assert http.post(PATH, content=call(), headers=token).status_code == 401


def test_a_key_server_that_hangs_holds_up_nobody_else(
    settings: dict[str, Any],
    key_server: Any,
    forge: Any,
    call: Callable[..., bytes],
    start: Any,
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    """Calls of its clients wait for one fetch and are refused; everybody else is answered meanwhile."""
    key_server.answers["/hangs"] = Event()
    settings["trust"]["clients"].append({"issuer": "https://slow.example", "jku": f"{key_server.url}/hangs"})
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(settings))
    forge.aud = BASE + PATH
    with start("--config", "site.yaml") as service:

        def ask(token: bytes) -> int:
            headers = {"Authorization": f"Bearer {token.decode()}"}
            status: int = service.http.post(PATH, content=call(), headers=headers).status_code
            return status

        assert ask(forge.token()) == 200  # its key set is read
        with ThreadPoolExecutor(20) as pool:
            slow = [pool.submit(ask, forge.token(iss="https://slow.example")) for _ in range(20)]
            until(lambda: "/hangs" in key_server.asked, "the key set is not asked for")
            assert [ask(forge.token()) for _ in range(5)] == [200] * 5
            assert not any(one.done() for one in slow)
            assert {one.result() for one in slow} == {401}
    assert key_server.asked.count("/hangs") == 1
