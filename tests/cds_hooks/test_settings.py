"""Settings: the environment wins, mistakes are explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_hooks.settings import SettingsError, load_settings, unknown_variables


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "CONFIG",
        "BASE_URL",
        "TRUST",
        "LOG_LEVEL",
        "MAX_BODY_BYTES",
        "BODY_SECONDS",
        "DATABASE_URL",
        "FHIR_SERVERS",
        "ALLOW_PRIVATE_ADDRESSES",
    ):
        monkeypatch.delenv(f"TWITCHING_CDS_{name}", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "site.yaml"


def test_the_defaults_are_safe() -> None:
    settings = load_settings()
    assert (settings.trust.mode, settings.base_url, settings.log_level) == ("off", None, "INFO")
    assert settings.max_body_bytes == 10_000_000


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("log_level: warning\nbase_url: https://file.example/cds/\n")
    monkeypatch.setenv("TWITCHING_CDS_CONFIG", str(file))
    monkeypatch.setenv("TWITCHING_CDS_LOG_LEVEL", "error")
    settings = load_settings()
    assert (settings.log_level, settings.base_url) == ("ERROR", "https://file.example/cds")


@pytest.mark.parametrize("text", ["trust: off", "trust: {mode: off}", "trust: 'off'", ""])
def test_trust_off_in_any_spelling(file: Path, text: str) -> None:
    file.write_text(text)
    assert load_settings(file).trust.mode == "off"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("trust: maybe", "trust.mode (or TWITCHING_CDS_TRUST): Input should be 'off' or 'required'"),
        ("trust: required", "`required` needs `clients`"),
        ("trust: {mode: off, base: x}", "trust.base: "),
        ("fhir: {servers: [ftp://x]}", "fhir.servers.0: the address is not an absolute http or https URL"),
        ("fhir: {budget_ms: 0}", "fhir.budget_ms: "),
        ("base_url: cds.example", "base_url (or TWITCHING_CDS_BASE_URL): write a URL, as in https://"),
        ("pages: some", "pages (or TWITCHING_CDS_PAGES): write `on`, `off`, or which pages"),
        ("pages: {dashboards: on}", "pages.dashboards: there is no such setting"),
        (
            "base_url: https://cds.example/?a=1",
            "base_url (or TWITCHING_CDS_BASE_URL): write the URL without `?`",
        ),
        ("trust: {base: 'https://cds.example/#a'}", "trust.base: write the URL without `?` and `#`"),
        ("trust: {clients: {issuer: x}}", "trust.clients: write a list: one entry per line, each after `- `"),
        ("trust: {clients: [{issuer: x, jwks: 5}]}", "trust.clients.0.jwks: write the name of a file\n"),
        ("trust: {clients: [x]}", "trust.clients.0: write a mapping, as in `{name: value}`"),
        (
            "body_seconds: .inf",
            "body_seconds (or TWITCHING_CDS_BODY_SECONDS): Input should be a finite number",
        ),
        ("max_body_bytes: 0", "max_body_bytes (or TWITCHING_CDS_MAX_BODY_BYTES): "),
        ("log_level: LOUD", "log_level (or TWITCHING_CDS_LOG_LEVEL): Input should be 'DEBUG'"),
        (
            "log_levle: INFO",
            "log_levle: there is no such setting; known are base_url, body_seconds, database_url",
        ),
        ("site_secret: short", "site_secret (or TWITCHING_CDS_SITE_SECRET): write 32 characters or more"),
        (
            "pages: {operators: [{name: a, key_sha256: b}]}",
            "operators.0.key_sha256: write the SHA-256 of the key",
        ),
        ("- a list", "must hold names with values"),
        ("a: [", "not valid YAML"),
        ("trust: {mode: required}\ntrust: off", "the key `trust` is given twice"),
        ("fhir: {servers: [https://a], servers: []}", "the key `servers` is given twice"),
        ("? [a]\n: b", "not valid YAML"),
    ],
)
def test_a_mistake_is_explained(file: Path, text: str, problem: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert problem in str(caught.value)


def test_a_variable_that_sets_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not those that Kubernetes makes for a service of this name."""
    for name in ("TRUST_MODE", "FHIR_SERVER", "FHIR_SERVERS", "CONFIG", "LOG_LEVEL"):
        monkeypatch.setenv(f"TWITCHING_CDS_{name}", "INFO")
    for name in ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT", "PORT_8080_TCP", "PORT_8080_TCP_ADDR"):
        monkeypatch.setenv(f"TWITCHING_CDS_{name}", "10.0.0.1")
    assert unknown_variables() == ["TWITCHING_CDS_FHIR_SERVER", "TWITCHING_CDS_TRUST_MODE"]


def test_a_file_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "nowhere.yaml")


def test_a_wrong_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWITCHING_CDS_TRUST", "secret-value")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "secret-value" not in str(caught.value)


def test_feedback_is_kept_in_the_state_directory_or_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert load_settings().database_url == "sqlite:///twitching-cds.sqlite3"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/twitching-cds:/var/lib/other")
    assert load_settings().database_url == "sqlite:////var/lib/twitching-cds/twitching-cds.sqlite3"
    monkeypatch.setenv("TWITCHING_CDS_DATABASE_URL", "postgresql://u:secret-7f3a@db/n")
    settings = load_settings()
    assert settings.database_url == "postgresql://u:secret-7f3a@db/n"
    assert "secret-7f3a" not in repr(settings)
