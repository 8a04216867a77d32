"""What several tests need: the repository, the shared records, a running service and a client for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
START_SECONDS = 30

# No deadline: the machines that run this are shared. In CI the same examples every time.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Records and vignettes that live beside the repository and are never copied into it."""
    folder = ROOT.parent / "shared"
    if not (folder / "clinical" / "vignettes.json").is_file():
        pytest.skip("no folder `shared` with clinical/vignettes.json beside the repository")
    return folder


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    return _free_port()


def clean_environment() -> dict[str, str]:
    """The environment without this machine's own settings of the service, importing from this tree."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TWITCHING_CDS_")}
    return kept | {"PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the real service with its default settings, in a process of its own."""
    port = _free_port()
    folder = tmp_path_factory.mktemp("service")
    log = folder / "service.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cds_hooks.cli", "serve", "--port", str(port)],
            cwd=folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        base = f"http://127.0.0.1:{port}"
        _wait_until_alive(base, process, log)
        yield base
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    written = log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in written, f"the service logged a traceback:\n{written}"


def _wait_until_alive(base: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{base}/health/live", trust_env=False, timeout=2).is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the service did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


@pytest.fixture(scope="session")
def http(service: str) -> Iterator[httpx2.Client]:
    """A client whose paths are the service's: `http.get("/cds-services")`."""
    with httpx2.Client(base_url=service, trust_env=False, timeout=10) as client:
        yield client
