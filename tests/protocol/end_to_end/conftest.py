"""A real FHIR server, and a real client that is not ours, both from tests/protocol/end_to_end/requirements.lock."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import httpx2
import pytest
import yaml

HERE = Path(__file__).parent
PATIENCE = 60
TOKEN = "token-of-the-ehr"  # noqa: S105 - of a server that this test starts
Json = dict[str, Any]


@pytest.fixture(scope="session")
def programs(root: Path, lacking: Callable[[str], NoReturn]) -> Path:
    """The environment that `make test` has made."""
    folder = root / ".venv" / "end-to-end"
    if not (folder / "installed").is_file():
        lacking("the end-to-end programs are not installed: make test")
    return folder


class FhirServer:
    """sekmet-fhir with strict validation; its simulator of a hospital is off."""

    def __init__(self, program: Path, folder: Path, port: int, token: str = "") -> None:
        self.base = f"http://127.0.0.1:{port}/fhir"
        self.token = token
        settings: Json = {
            "base_url": self.base,
            "host": "127.0.0.1",
            "port": port,
            "data_dir": str(folder / "data"),
            "simulator": {"enabled": False},
            "validation": {"inbound": "strict"},
        }
        if token:
            settings["server_auth"] = {"types": ["bearer"], "tokens": [token]}
        (folder / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", "-c", "settings.yaml"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx2.Client(base_url=self.base, trust_env=False, timeout=30, headers=headers)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.http.get("/metadata", timeout=5).is_success:
                    return
            except httpx2.TransportError:
                time.sleep(0.1)
        pytest.fail(f"the FHIR server did not start:\n{self.log.read_text(encoding='utf-8')}")

    def keep(self, *resources: Json) -> None:
        """Store resources under their own ids."""
        entries = [
            {
                "resource": resource,
                "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
            }
            for resource in resources
        ]
        transaction = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = self.http.post("", json=transaction)
        assert answer.is_success, answer.text

    def stop(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(PATIENCE)


def _serve(
    programs: Path, factory: pytest.TempPathFactory, port: int, token: str = ""
) -> Iterator[FhirServer]:
    server = FhirServer(programs / "bin" / "sekmet", factory.mktemp("fhir"), port, token)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def open_server(
    programs: Path, tmp_path_factory: pytest.TempPathFactory, new_port: Callable[[], int]
) -> Iterator[FhirServer]:
    """A FHIR server that asks nobody who they are."""
    yield from _serve(programs, tmp_path_factory, new_port())


@pytest.fixture(scope="session")
def secured_server(
    programs: Path, tmp_path_factory: pytest.TempPathFactory, new_port: Callable[[], int]
) -> Iterator[FhirServer]:
    """A FHIR server that wants its bearer token."""
    yield from _serve(programs, tmp_path_factory, new_port(), TOKEN)


@pytest.fixture(scope="session")
def site(start_lasting: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Starts our service so that it reads this server; it may take its time, because this machine is shared."""

    def start(server: FhirServer) -> Any:
        settings = {"fhir": {"servers": [server.base], "allow_private_addresses": True, "budget_ms": 10_000}}
        path = tmp_path_factory.mktemp("site") / "site.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return start_lasting("--config", str(path))

    return start


@pytest.fixture(scope="session")
def medplum(programs: Path) -> Callable[[Json], Json]:
    """Medplum's client at work: see medplum.mjs for what it is told and what it answers."""

    def run(task: Json) -> Json:
        sdk = programs / "node_modules" / "@medplum" / "core" / "dist" / "esm" / "index.mjs"
        finished = subprocess.run(
            [programs / "bin" / "node", HERE / "medplum.mjs"],
            input=json.dumps(task | {"sdk": str(sdk)}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        told: Json = json.loads(finished.stdout)
        return told

    return run


@pytest.fixture
def without_prefetch() -> Callable[..., Json]:
    """A call that leaves everything to the FHIR server: `without_prefetch(chart, server, token="…")`."""

    def make(
        chart: Any, server: FhirServer, *, token: str = "", hook: str = "patient-view", **fields: Any
    ) -> Json:
        authorization = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/*.read",
            "subject": "twitching-cds",
        }
        call: Json = chart.call(
            hook,
            fields.pop("context", None),
            prefetch=fields.pop("prefetch", ...),
            fhirServer=server.base,
            **({"fhirAuthorization": authorization} if token else {}),
            **fields,
        )
        return call

    return make


@pytest.fixture(scope="session")
def ask_site(sound: Callable[..., Json]) -> Callable[[Any, Json], list[Json]]:
    """The cards of this running service."""

    def ask(running: Any, call: Json) -> list[Json]:
        cards: list[Json] = sound(running.http.post(f"/cds-services/twitching-{call['hook']}", json=call))[
            "cards"
        ]
        return cards

    return ask
