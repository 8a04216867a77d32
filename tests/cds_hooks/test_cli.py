"""The command line: quick help, plain errors, exit codes."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner, Result

from cds_hooks import app as web
from cds_hooks.cli import app
from cds_hooks.service_request import OrderError
from cds_hooks.settings import Settings
from mappings import knowledge
from mappings.knowledge import KnowledgeError

Run = Callable[..., Result]
BUNDLE = {"resourceType": "Bundle", "type": "searchset"}
TWITCHING = {
    "resourceType": "Condition",
    "id": "tw-1",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {
        "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}],
        "text": "Fasciculation",
    },
    "subject": {"reference": "Patient/p-1"},
}
PATIENT = {"resourceType": "Patient", "id": "p-1", "birthDate": "1970-01-01", "gender": "female"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line in this process, in an empty folder, without settings of this machine."""
    for name in [name for name in os.environ if name.startswith("TWITCHING_CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    monkeypatch.chdir(tmp_path)

    def start(*arguments: str, stdin: bytes = b"", **settings: str) -> Result:
        result = CliRunner().invoke(app, arguments, input=stdin, env=settings)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return start


@pytest.fixture
def twitching(call: Callable[..., bytes]) -> bytes:
    """A call about an adult with documented twitching and nothing else."""
    entry = [{"resource": TWITCHING}]
    return call(prefetch={"patient": PATIENT, "conditions": BUNDLE | {"entry": entry}})


def test_help_is_quick_because_nothing_heavy_is_imported(root: Path) -> None:
    code = "import sys, cds_hooks.cli; print([m for m in ('fastapi', 'fhir', 'mappings', 'prometheus_client', 'sqlalchemy', 'uvicorn') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=root, text=True)
    assert found.stdout.strip() == "[]"


def test_assess_loads_no_web_server_and_no_database(root: Path) -> None:
    request = root / "examples" / "low-potassium-on-a-thiazide" / "request.json"
    code = f"""
import sys
from cds_hooks.cli import app
app(["assess", {str(request)!r}], standalone_mode=False)
print([m for m in ("fastapi", "uvicorn", "sqlalchemy", "alembic", "prometheus_client") if m in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=root, text=True)
    assert found.stdout.splitlines()[-1] == "[]"


def test_help_names_the_commands(run: Run) -> None:
    finished = run("--help")
    assert finished.exit_code == 0
    assert "serve" in finished.stdout
    assert "assess" in finished.stdout


def test_the_version_is_printed(run: Run) -> None:
    finished = run("--version")
    assert finished.exit_code == 0
    assert finished.stdout.strip().count(".") == 2


def test_assess_prints_the_assessment(run: Run, twitching: bytes, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_bytes(twitching)
    finished = run("assess", "request.json", "--as-of", "2026-03-01")
    assert finished.exit_code == 0
    assert "Fasciculation" in finished.stdout
    assert "magnesium" in finished.stdout.lower()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_assess_prints_json(run: Run, twitching: bytes, mark: bytes) -> None:
    finished = run("assess", "-", "--json", "--as-of", "2026-03-01", stdin=mark + twitching)
    assert finished.exit_code == 0
    told: dict[str, Any] = json.loads(finished.stdout)
    assert told["assessedAt"] == "2026-03-01"
    assert told["gate"]["open"] is True


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "message"),
    [
        (("assess", "nowhere.json"), b"", 2, "nowhere.json: cannot be read (No such file or directory)."),
        (("assess", "-"), b"{", 2, "The body is not valid JSON"),
        (("doctor", "--token", "nowhere"), b"", 2, "nowhere: cannot be read (No such file or directory)."),
        (("assess", "-"), b"{}", 2, "`hook` is missing"),
        (("assess", "-", "--as-of", "soon"), b"{}", 2, "soon"),
        (("serve", "--config", "nowhere.yaml"), b"", 2, "nowhere.yaml: cannot be read"),
        (("serve", "--host", "0.0.0.0"), b"", 2, "Refusing to listen on 0.0.0.0"),  # noqa: S104 - refused
        (("serve", "--host", "example.org"), b"", 2, "Refusing to listen on example.org"),
        (("serve", "--host", "::"), b"", 2, "Refusing to listen on ::"),
    ],
)
def test_mistakes_are_explained(
    run: Run, arguments: tuple[str, ...], stdin: bytes, code: int, message: str
) -> None:
    finished = run(*arguments, stdin=stdin)
    assert (finished.exit_code, finished.stdout) == (code, "")
    assert message in finished.stderr


def test_missing_data_has_its_own_exit_code(run: Run, call: Callable[..., bytes]) -> None:
    finished = run("assess", "-", stdin=call(prefetch={}))
    assert finished.exit_code == 3
    assert "`conditions`" in finished.stderr


def test_a_wrong_setting_is_explained(run: Run) -> None:
    finished = run("serve", TWITCHING_CDS_TRUST="required")
    assert finished.exit_code == 2
    assert "TWITCHING_CDS_TRUST" in finished.stderr


def test_a_port_that_is_taken_is_named_before_anything_starts(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        finished = run("serve", "--port", str(port))
    assert (finished.exit_code, finished.stdout) == (2, "")
    assert f"Cannot listen on 127.0.0.1, port {port}: Address already in use" in finished.stderr


def test_serve_hands_over_one_application(run: Run, monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    handed: list[Any] = []
    monkeypatch.setattr(uvicorn, "run", lambda application, **options: handed.extend([application, options]))
    assert run("serve", "--port", str(free_port)).exit_code == 0
    assert type(handed[0]).__name__ == "FastAPI"
    assert (handed[1]["host"], handed[1]["port"], handed[1]["factory"]) == ("127.0.0.1", free_port, False)
    assert handed[1]["access_log"] is False


def test_several_workers_read_the_settings_themselves(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_port: int
) -> None:
    handed: list[Any] = []
    monkeypatch.setattr(uvicorn, "run", lambda application, **options: handed.extend([application, options]))
    monkeypatch.setenv("TWITCHING_CDS_CONFIG", "")
    (tmp_path / "site.yaml").write_text("base_url: https://cds.example\n")
    words = ("--host", "localhost", "--port", str(free_port), "--workers", "2", "--config", "site.yaml")
    assert run("serve", *words).exit_code == 0
    assert handed[0] == "cds_hooks.app:from_environment"
    assert (handed[1]["factory"], handed[1]["workers"]) == (True, 2)
    assert os.environ["TWITCHING_CDS_CONFIG"] == str(tmp_path / "site.yaml")


def test_a_worker_starts_from_its_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("--version").exit_code == 0
    seen: list[Settings] = []
    monkeypatch.setattr(web, "create_app", seen.append)
    monkeypatch.setenv("TWITCHING_CDS_BASE_URL", "https://cds.example")
    web.from_environment()
    assert seen[0].base_url == "https://cds.example"


@pytest.mark.parametrize(
    "error", [KnowledgeError("potassium.yaml", "no limit"), OrderError("order `ecg` is invalid")]
)
def test_rules_that_cannot_be_used_are_explained(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: Settings) -> None:
        raise error

    monkeypatch.setattr(web, "create_app", fail)
    finished = run("serve")
    assert finished.exit_code == 2
    assert f"The rules cannot be used: {error}" in finished.stderr


def test_assess_explains_rules_that_cannot_be_used(
    run: Run, call: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KnowledgeError("potassium.yaml", "no limit")

    monkeypatch.setattr(knowledge, "load_knowledge", fail)
    finished = run("assess", "-", stdin=call())
    assert finished.exit_code == 2
    assert "potassium.yaml: no limit" in finished.stderr


def test_the_command_leaves_without_a_traceback(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cds_hooks.cli", "assess", "nowhere.json"]
    environment = os.environ | {"PYTHONPATH": str(root)}
    finished = subprocess.run(
        command, capture_output=True, check=False, cwd=tmp_path, env=environment, text=True
    )
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == "nowhere.json: cannot be read (No such file or directory).\n"
