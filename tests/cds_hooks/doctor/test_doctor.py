"""The whole command, in a process of its own, against servers with certificates of an authority of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
import yaml
from joserfc.jwk import ECKey

ISSUER = "https://ehr.example.org/api/FHIR/R4"
SECRET = "secret-7f3a"  # noqa: S105 - to be looked for


class Installation:
    """A site file, the service that runs with it behind a proxy with TLS, and an EHR."""

    def __init__(self, root: Path, folder: Path, authority: trustme.CA, ehr: Any, proxy: Any) -> None:
        self.root = root
        self.folder = folder
        self.ehr = ehr
        self.proxy = proxy
        self.jku = f"{ehr.url}/keys"
        self.base = proxy.url
        self.bundle = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.bundle))
        self.settings: dict[str, Any] = {
            "base_url": self.base,
            "trust": {
                "mode": "required",
                "allow_private_addresses": True,
                "clients": [{"issuer": ISSUER, "jku": self.jku}],
            },
            "fhir": {"servers": [f"{ehr.url}/fhir"], "allow_private_addresses": True},
            "database_url": f"sqlite:///{folder / 'feedback.sqlite3'}",
        }
        self.write()

    def write(self) -> Path:
        file = self.folder / "site.yaml"
        file.write_text(yaml.safe_dump(self.settings), encoding="utf-8")
        return file

    def doctor(
        self, *arguments: str, trusted: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """What the command says."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TWITCHING_CDS_")}
        ours = {"PYTHONPATH": str(self.root), "COLUMNS": "110"} | environment
        return subprocess.run(
            [sys.executable, "-m", "cds_hooks.cli", "doctor", "--config", str(self.write()), *arguments],
            capture_output=True,
            check=False,
            cwd=self.folder,
            env=kept | ours | ({"SSL_CERT_FILE": str(self.bundle)} if trusted else {}),
            text=True,
            timeout=60,
        )

    def told(self, *arguments: str, **options: Any) -> dict[str, list[tuple[str, str]]]:
        """Check -> its findings, each with its status and all it says."""
        finished = self.doctor("--json", *arguments, **options)
        assert finished.stderr == ""
        found = json.loads(finished.stdout)
        assert finished.returncode == (found["status"] == "failed")
        return {
            check["check"]: [(f["status"], f"{f['found']} | {f.get('fix', '')}") for f in check["findings"]]
            for check in found["checks"]
        }


@pytest.fixture
def installation(
    root: Path,
    tmp_path: Path,
    authority: trustme.CA,
    web: Callable[..., Any],
    capability: Callable[..., Any],
    client_key: ECKey,
) -> Installation:
    certificate = authority.issue_cert("localhost")
    ehr, proxy = web(certificate), web(certificate)
    ehr.publish("/keys", {"keys": [client_key.as_dict(private=False)]})
    ehr.publish("/fhir/metadata", capability())
    refusal = b'{"resourceType": "OperationOutcome"}'
    proxy.answers["/cds-services"] = (401, {}, refusal)
    return Installation(root, tmp_path, authority, ehr, proxy)


@pytest.fixture
def running(installation: Installation, start: Callable[..., Any]) -> Iterator[Installation]:
    """With the real service behind the proxy."""
    with start("--config", str(installation.write())) as service:

        def passed_on() -> tuple[int, dict[str, str], bytes]:
            answer = httpx2.get(f"{service.base}/cds-services", trust_env=False)
            return answer.status_code, {}, answer.content

        installation.proxy.answers["/cds-services"] = passed_on
        yield installation


def test_a_good_installation_is_found_good(running: Installation, token: Callable[..., bytes]) -> None:
    file = running.folder / "token"
    file.write_bytes(
        b"Authorization: Bearer " + token(f"{running.base}/cds-services/twitching-patient-view") + b"\n"
    )
    told = running.told("--token", str(file))
    assert {status for findings in told.values() for status, _ in findings} == {"ok", "warning"}
    assert [text.partition(" | ")[0] for f in told.values() for status, text in f if status == "warning"] == [
        "`trust.allow_private_addresses` is true",
        "`fhir.allow_private_addresses` is true",
        told["knowledge"][1][1].partition(" | ")[0],
    ]
    assert "not yet reviewed by a clinician" in told["knowledge"][1][1]
    assert told["address"] == [
        ("ok", f"this service answers at {running.base}/cds-services, and asks who calls | ")
    ]
    assert "1 usable key: ehr-1 (ES384)" in told["clients"][0][1]
    assert len(told["tls"]) == 2
    assert "TLSv1.3" in told["tls"][0][1]
    assert told["clock"] == [("ok", "this machine's clock and that of localhost agree within 5 seconds | ")]
    assert [status for status, _ in told["this token"]] == ["ok"] * 5


def test_an_authority_that_nobody_knows_is_named_everywhere(installation: Installation) -> None:
    told = installation.told(trusted=False)
    for check in ("clients", "address", "fhir"):
        ((status, text),) = told[check]
        assert status == "failed"
        assert "has a certificate that is not trusted" in text
        assert "SSL_CERT_FILE" in text
    assert [status for status, _ in told["tls"]] == ["failed", "failed"]
    assert told["clock"][0][0] == "warning"


@pytest.mark.parametrize(
    ("days", "names", "status", "says"),
    [
        ((-30, -1), "localhost", "failed", "not trusted (certificate has expired)"),
        ((1, 90), "localhost", "failed", "not trusted (certificate is not yet valid)"),
        ((-60, 12), "localhost", "warning", "has a certificate that ends on"),
        ((-60, 90), "elsewhere.example.org", "failed", "Write the name that the certificate is for"),
    ],
)
def test_a_certificate_that_is_not_in_order(
    installation: Installation,
    authority: trustme.CA,
    web: Callable[..., Any],
    days: tuple[int, int],
    names: str,
    status: str,
    says: str,
) -> None:
    begins, ends = (datetime.now(UTC).replace(tzinfo=None) + timedelta(days=day) for day in days)
    proxy = web(authority.issue_cert(names, not_before=begins, not_after=ends))
    proxy.answers["/cds-services"] = (401, {}, b'{"resourceType": "OperationOutcome"}')
    installation.settings["base_url"] = proxy.url
    found = installation.told()
    told = found["tls"]
    assert told[0][0] == status
    assert says in told[0][1]
    assert told[1][0] == "ok"
    assert found["address"][0][0] == ("ok" if status == "warning" else "failed")


def test_a_page_for_people_has_a_fix_for_everything_that_is_not_well(installation: Installation) -> None:
    installation.settings["database_url"] = f"postgresql://somebody:{SECRET}@127.0.0.1:1/twitching"
    finished = installation.doctor(COLUMNS="60")
    assert (finished.returncode, finished.stderr) == (1, "")
    lines = finished.stdout.splitlines()
    assert max(map(len, lines)) <= 60
    assert [line for line in lines if line != line.rstrip()] == []
    assert "\x1b" not in finished.stdout
    assert finished.stdout.count("Fix: ") == sum(line.startswith((" warning", " failed")) for line in lines)
    assert "PostgreSQL database twitching at 127.0.0.1" in finished.stdout
    assert SECRET not in finished.stdout
    assert lines[-1].startswith("1 failed, ")
