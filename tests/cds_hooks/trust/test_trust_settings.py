"""Who may call, as the site writes it down."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cds_hooks import cli, serving
from cds_hooks.settings import Settings, SettingsError, load_settings

CLIENT = "{issuer: 'https://ehr.example', jku: 'https://ehr.example/keys'}"
REQUIRED = f"base_url: https://cds.example\ntrust:\n  mode: required\n  clients:\n  - {CLIENT}\n"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """The settings of this text and these environment variables."""
    for name in [name for name in os.environ if name.startswith("TWITCHING_CDS_")]:
        monkeypatch.delenv(name)

    def read(text: str, **environment: str) -> Settings:
        (tmp_path / "site.yaml").write_text(text)
        for name, value in environment.items():
            monkeypatch.setenv(f"TWITCHING_CDS_{name}", value)
        return load_settings(tmp_path / "site.yaml")

    return read


def test_everything_that_can_be_said(load: Any) -> None:
    trust = load(
        """
        trust:
          mode: required
          base: https://cds.example/twitching/
          allow_private_addresses: true
          allow_public_test_keys: true
          clients:
          - issuer: https://ehr.example/fhir/
            jku: http://keys.local:8080/jwks
            audience: [urn:one, urn:two]
            tenant: north
          - {issuer: 'urn:ehr', jku: https://ehr.example/keys, audience: urn:three}
          - {issuer: https://sandbox.cds-hooks.org, jku: https://sandbox.cds-hooks.org/.well-known/jwks.json}
        """
    ).trust
    first, second, third = trust.clients
    assert (trust.mode, trust.base) == ("required", "https://cds.example/twitching")
    assert (first.issuer, first.audience, first.tenant) == (
        "https://ehr.example/fhir/",
        ("urn:one", "urn:two"),
        "north",
    )
    assert (second.audience, second.tenant) == (("urn:three",), None)
    assert third.jku == "https://sandbox.cds-hooks.org/.well-known/jwks.json"


def test_the_base_is_the_base_url_unless_it_is_set(load: Any) -> None:
    assert load(REQUIRED).endpoint_base == "https://cds.example"
    assert (
        load(REQUIRED.replace("mode:", "base: https://inner.example\n  mode:")).endpoint_base
        == "https://inner.example"
    )


def test_the_environment_switches_the_mode_and_keeps_the_clients(load: Any) -> None:
    assert load(REQUIRED, TRUST="off").trust.mode == "off"
    trust = load(REQUIRED.replace("required", "off"), TRUST="required").trust
    assert (trust.mode, len(trust.clients)) == ("required", 1)


def test_the_environment_allows_private_addresses(load: Any) -> None:
    text = REQUIRED.replace("https://ehr.example/keys", "http://127.0.0.1:8000/keys")
    assert load(text, ALLOW_PRIVATE_ADDRESSES="true").trust.allow_private_addresses
    with pytest.raises(SettingsError):
        load(text, ALLOW_PRIVATE_ADDRESSES="false")


def test_a_short_form_is_not_forgotten_beside_the_environment(load: Any) -> None:
    with pytest.raises(SettingsError, match="name at least one"):
        load("base_url: https://cds.example\ntrust: required", ALLOW_PRIVATE_ADDRESSES="true")


def client(**parts: str) -> str:
    whole = {"issuer": "https://ehr.example", "jku": "https://ehr.example/keys"} | parts
    fields = ", ".join(f"{name}: {value!r}" for name, value in whole.items())
    return f"base_url: https://cds.example\ntrust: {{mode: required, clients: [{{{fields}}}]}}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "trust: required",
            "trust (or TWITCHING_CDS_TRUST): `required` needs `clients`: name at least one, or nobody can call",
        ),
        ("trust: {mode: required, clients: []}", "name at least one, or nobody can call"),
        (
            "trust: {mode: sometimes}",
            "trust.mode (or TWITCHING_CDS_TRUST): Input should be 'off' or 'required'",
        ),
        ("trust: null", "trust.mode (or TWITCHING_CDS_TRUST): Input should be 'off' or 'required'"),
        ("trust: {clients: 1}", "trust.clients: "),
        ("trust: {modes: off}", "trust.modes: there is no such setting"),
        (REQUIRED.partition("\n")[2], "trust.base: write the URL at which clients reach this service"),
        ("trust: {base: cds.example}", "trust.base: "),
        (client(issuer=""), "trust.clients.0.issuer: "),
        (client(isuer="x"), "trust.clients.0.isuer: there is no such setting"),
        ("trust: {clients: [{issuer: 'https://ehr.example'}]}", "client 1: write either `jku`"),
        (client(jku="ehr.example/keys"), "client 1: `jku` cannot be used, the address is not an absolute"),
        (client(jku="http://ehr.example/keys"), "client 1: `jku` must be an https URL"),
        (client(jku="https://secret-7f3a@ehr.example/keys"), "client 1: `jku` cannot be used"),
        (client(tenant=""), "trust.clients.0.tenant: "),
        (client(issuer="https://sandbox.cds-hooks.org"), "the private key of this issuer is published"),
        (client(issuer="https://SANDBOX.cds-hooks.org/"), "the private key of this issuer is published"),
        (
            client(jku="https://sandbox.cds-hooks.org/.well-known/jwks.json"),
            "set `allow_public_test_keys: true`",
        ),
        (f"{REQUIRED}  - {CLIENT}\n", "client 2: an earlier one has the same issuer and tenant"),
    ],
)
def test_a_mistake_is_explained(load: Any, text: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(text)
    assert problem in str(caught.value)
    assert "secret-7f3a" not in str(caught.value)


def test_with_trust_the_service_may_listen_to_the_network(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(REQUIRED)
    monkeypatch.setenv("TWITCHING_CDS_CONFIG", "")
    served: list[str] = []
    monkeypatch.setattr(serving, "run", lambda _, host, *__: served.append(host))
    arguments = ["serve", "--host", "0.0.0.0", "--config", str(tmp_path / "site.yaml")]  # noqa: S104 - nobody listens
    assert CliRunner().invoke(cli.app, arguments).exit_code == 0
    refused = CliRunner().invoke(cli.app, arguments, env={"TWITCHING_CDS_TRUST": "off"})
    assert refused.exit_code == 2
    assert "trust is `off`" in refused.output
    assert served == ["0.0.0.0"]  # noqa: S104


def test_two_tenants_of_one_issuer_are_two_clients(load: Any) -> None:
    second = CLIENT.replace("{", "{tenant: north, ")
    assert len(load(f"{REQUIRED}  - {second}\n").trust.clients) == 2
