"""The pages with `trust: required`: the rules are public, the figures are for operators and for clients with a token."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from cds_hooks.app import create_app
from cds_hooks.settings import Settings
from cds_hooks.trust import operators, verifier
from mappings.knowledge import load_knowledge

BASE = "https://cds.example/twitching"
KEY = "a-key-of-the-night-shift-3f9c"
BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
CALL = "/cds-services/twitching-patient-view"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture
def settings(key_server: Any, forge: Any, tmp_path: Path) -> dict[str, Any]:
    url = key_server.publish("/keys", forge.keys.public(forge.keys.ec))
    clients = [{"issuer": forge.iss, "jku": url}]
    return {
        "trust": {"mode": "required", "base": BASE, "clients": clients, "allow_private_addresses": True},
        "pages": {"operators": [{"name": "night shift", "key_sha256": digest(KEY)}]},
        "database_url": f"sqlite:///{tmp_path / 'service.sqlite3'}",
    }


@pytest.fixture
def opened(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., TestClient]]:
    """The service in process, with these settings of `pages` besides."""
    monkeypatch.setattr(verifier, "REFUSAL_SECONDS", 0.0)
    clients: list[TestClient] = []

    def start(**pages: Any) -> TestClient:
        whole = settings | {"pages": settings["pages"] | pages}
        app = create_app(Settings(**whole), knowledge=load_knowledge())
        clients.append(TestClient(app, base_url="https://cds.example", follow_redirects=False))
        return clients[-1].__enter__()

    yield start
    for client in clients:
        client.__exit__(None, None, None)


def sign_in(http: TestClient, key: str = KEY, **headers: str) -> Any:
    return http.post("/sign-in?next=/dashboard", data={"key": key}, headers=BROWSER | headers)


def test_the_rules_are_public_and_lead_nobody_astray(opened: Callable[..., TestClient]) -> None:
    http = opened()
    page = http.get("/knowledge/hypokalaemia")
    assert page.status_code == 200
    assert 'href="/twitching/static/style.css?v=' in page.text
    assert 'href="/knowledge' not in page.text, "a link that leaves out the path of the proxy"
    assert http.get("/static/style.css").status_code == 200


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/counts.csv"])
def test_figures_want_a_token_or_a_session(opened: Callable[..., TestClient], forge: Any, path: str) -> None:
    http = opened()
    assert http.get(path).status_code == 401
    assert http.get(path, headers={"Authorization": "Bearer x"} | BROWSER).status_code == 401
    sent = http.get(path, headers=BROWSER)
    assert (sent.status_code, sent.headers["location"][:23]) == (303, "/twitching/sign-in?next")
    forge.aud = BASE + path
    token = {"Authorization": f"Bearer {forge.token().decode()}"}
    assert http.get(path, headers=token).status_code == 200


def test_an_operator_signs_in_and_out(
    opened: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    http = opened()
    with caplog.at_level(logging.INFO, "twitching_cds"):
        answer = sign_in(http)
    assert (answer.status_code, answer.headers["location"]) == (303, "/twitching/dashboard")
    assert "operator signed in: night shift" in caplog.text
    assert KEY not in caplog.text
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-twitching-cds=")
    for part in ("HttpOnly", "SameSite=strict", "Secure", "Path=/", "Max-Age=28800"):
        assert part in cookie
    assert "Domain" not in cookie
    kept = http.cookies["__Host-twitching-cds"]
    page = http.get("/dashboard", headers=BROWSER)
    assert page.status_code == 200
    assert "Sign out" in page.text
    assert http.post("/sign-out", headers=BROWSER).status_code == 303
    http.cookies.set("__Host-twitching-cds", kept)  # even for who kept the cookie, the session has ended
    assert http.get("/dashboard", headers=BROWSER).status_code == 303


def test_a_session_ends_by_itself_and_with_its_operator(
    opened: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    http = opened()
    sign_in(http)
    other = opened(operators=[{"name": "day shift", "key_sha256": digest("another")}])
    other.cookies = http.cookies
    assert http.get("/dashboard", headers=BROWSER).status_code == 200
    assert other.get("/dashboard", headers=BROWSER).status_code == 303
    monkeypatch.setattr(operators, "SESSION_SECONDS", -1)
    http.cookies.clear()
    sign_in(http)
    assert http.get("/dashboard", headers=BROWSER).status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5_000, '"', "a=b; =", "\x7f"])
def test_a_made_up_cookie_opens_nothing(opened: Callable[..., TestClient], cookie: str) -> None:
    headers = BROWSER | {"Cookie": f"__Host-twitching-cds={cookie}"}
    assert opened().get("/dashboard", headers=headers).status_code == 303


def test_guessing_is_stopped_from_one_address_and_then_from_all(
    opened: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    http = opened()
    for _ in range(operators.MOST_FAILURES):
        assert sign_in(http, "wrong").status_code == 403
    blocked = sign_in(http)
    assert (blocked.status_code, blocked.headers["retry-after"]) == (429, "300")
    monkeypatch.setattr(operators, "FAILURE_SECONDS", -1.0)
    assert sign_in(http).status_code == 303


def test_another_site_cannot_sign_anybody_in(opened: Callable[..., TestClient]) -> None:
    http = opened()
    for site in ("cross-site", "same-site", "none"):
        assert sign_in(http, **{"Sec-Fetch-Site": site}).status_code == 403
    assert http.post("/sign-in", content=b"key=" + b"x" * 5_000, headers=BROWSER).status_code == 413


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/cds-services", "/knowledge\r\nX: y"]
)
def test_signing_in_leads_to_a_page_of_ours(opened: Callable[..., TestClient], wanted: str) -> None:
    answer = opened().post("/sign-in", params={"next": wanted}, data={"key": KEY}, headers=BROWSER)
    assert answer.headers["location"] == "/twitching/dashboard"


def test_a_session_calls_no_service_unless_the_playground_is_served(
    opened: Callable[..., TestClient], call: Callable[..., bytes]
) -> None:
    http = opened()
    sign_in(http)
    assert http.post(CALL, content=call(), headers=BROWSER).status_code == 401


def test_without_operators_there_is_no_way_to_sign_in(opened: Callable[..., TestClient]) -> None:
    http = opened(operators=[])
    assert http.get("/dashboard", headers=BROWSER).status_code == 401
    assert http.get("/sign-in", headers=BROWSER).status_code == 401


def test_pages_that_are_off_are_not_there(opened: Callable[..., TestClient]) -> None:
    http = opened(dashboard=False)
    sign_in(http)
    assert http.get("/dashboard", headers=BROWSER).status_code == 401
    assert "Dashboard" not in http.get("/knowledge").text


def test_while_the_database_is_away_nobody_signs_in(
    opened: Callable[..., TestClient], settings: dict[str, Any], tmp_path: Path
) -> None:
    settings["database_url"] = f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite3'}"
    http = opened()
    answer = sign_in(http)
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    http.cookies.set("__Host-twitching-cds", "something")
    assert http.get("/dashboard", headers=BROWSER).status_code == 401
    assert http.post("/sign-out", headers=BROWSER).status_code == 503


def test_a_playground_in_a_protected_service_needs_operators(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"name them in pages\.operators"):
        Settings(**settings | {"pages": {"playground": True}})


@pytest.mark.parametrize(
    ("text", "served"), [("on", (True, True, True)), ("off", (False, False, False)), (False, (False,) * 3)]
)
def test_one_word_serves_all_pages_or_none(text: object, served: tuple[bool, ...]) -> None:
    pages = Settings(pages=text).pages  # type: ignore[arg-type]  # as the file has it
    assert (pages.playground, pages.history_form, pages.dashboard) == served


@pytest.mark.parametrize(("trusted", "served"), [(False, (True, True, True)), (True, (False, False, True))])
def test_what_is_not_stated_depends_on_the_trust(trusted: bool, served: tuple[bool, ...]) -> None:
    pages = Settings().pages.filled(trusted=trusted)
    assert tuple(map(pages.served, ("playground", "history_form", "dashboard"))) == served
    assert pages.served("knowledge")
