"""What several tests need: the repository, the shared records, a running service and a client for it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NoReturn, Self

import httpx2
import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 120
"""How long a test waits for what takes no time on an idle machine."""

# Nothing is timed: the machines that run this are shared. In CI the same examples every time.
settings.register_profile(
    "house", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
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


def missing(what: str) -> NoReturn:
    """Skip a test for want of a prerequisite; in CI that is a failure, because nobody reads skips there."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def lacking() -> Callable[[str], NoReturn]:
    """`lacking("node is not installed: make test")` skips, or fails in CI."""
    return missing


def _free_port() -> int:
    """Held until this process ends by a socket that does not listen: nobody else is given it, our server may use it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    holder.detach()
    return port


@pytest.fixture
def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    return _free_port()


@pytest.fixture(scope="session")
def new_port() -> Callable[[], int]:
    """Makes ports as `free_port` is one."""
    return _free_port


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """Waits, however slow the machine is: `until(lambda: path.exists(), "it was not written")`."""

    def wait(holds: Callable[[], object], otherwise: str, seconds: float = PATIENCE_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, otherwise
            time.sleep(0.02)

    return wait


def clean_environment() -> dict[str, str]:
    """The environment without this machine's own settings of the service, importing from this tree."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TWITCHING_CDS_")}
    return kept | {"PYTHONPATH": str(ROOT)}


class Running:
    """The real service in a process of its own; its files are in `folder`."""

    def __init__(
        self, folder: Path, *arguments: str, prefix: Sequence[str] = (), port: int = 0, **settings: str
    ) -> None:
        """`settings` are environment variables without `TWITCHING_CDS_`, in lower case; `prefix` starts the command."""
        self.port = port or _free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"service-{self.port}.log"
        command = [
            *prefix,
            sys.executable,
            "-m",
            "cds_hooks.cli",
            "serve",
            "--port",
            str(self.port),
            *arguments,
        ]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=clean_environment()
                | {f"TWITCHING_CDS_{name.upper()}": value for name, value in settings.items()},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.http = httpx2.Client(base_url=self.base, trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        self.wait_until_alive()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if kind is None:
            assert "Traceback" not in self.written, f"the service logged a traceback:\n{self.written}"

    @property
    def written(self) -> str:
        """Everything the service has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until_alive(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.http.get("/health/live", timeout=5).is_success:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        self.stop()
        pytest.fail(f"the service did not start:\n{self.written}")

    def stop(self) -> int:
        """End the service as a supervisor does; its exit code."""
        self.http.close()
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End the service as a power cut does."""
        self.process.kill()
        return self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Running]:
    """Starts the real service: `with start("--workers", "2", database_url=url) as service: service.http.get(…)`."""
    return partial(Running, tmp_path)


@pytest.fixture(scope="session")
def start_lasting(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Running]:
    """As `start`, for services that several tests share."""
    return lambda *arguments, **settings: Running(tmp_path_factory.mktemp("service"), *arguments, **settings)


@pytest.fixture(scope="session")
def start_in() -> Callable[..., Running]:
    """As `start`, for a service that several tests share: its folder is named."""
    return Running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the real service with its default settings, in a process of its own."""
    with Running(tmp_path_factory.mktemp("service")) as running:
        yield running.base


class Postgres:
    """A PostgreSQL server of our own, run by an ordinary user, reached over a socket in its folder."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="twitching-"))
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # it refuses to run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._run(
            "initdb", "--pgdata=data", "--auth=trust", "--username=tester", "--no-sync", "--encoding=UTF8"
        )
        self._numbers = count(1)
        self.start()

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{next(self._numbers)}"
        self._run("createdb", f"--host={self._folder}", "--username=tester", name)
        return f"postgresql://tester@/{name}?host={self._folder}"

    def start(self) -> None:
        if (self._folder / "data" / "postmaster.pid").exists():
            return  # it runs
        options = f"-c listen_addresses='' -k {self._folder}"
        self._run("pg_ctl", "start", "--wait", "--pgdata=data", "--log=log", "--options", options)

    def stop(self, how: str = "fast") -> None:
        """`immediate` is how it ends when it crashes."""
        self._run("pg_ctl", "stop", "--wait", "--pgdata=data", "--mode", how)

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        finished = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._folder,
            env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a pipe would wait for the server to end
            stderr=subprocess.DEVNULL,
            check=False,
            **self._user,
        )
        assert finished.returncode == 0, f"{program} {' '.join(arguments)} failed"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of our own."""
    found = shutil.which("pg_ctl") or next(
        iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))), None
    )
    if found is None:
        missing("PostgreSQL is not installed: apt-get install postgresql, or `make system-deps` as root")
    server = Postgres(Path(found).resolve().parent)
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind that the service can use."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'feedback.sqlite3'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture(scope="session")
def http(service: str) -> Iterator[httpx2.Client]:
    """A client whose paths are the service's: `http.get("/cds-services")`."""
    with httpx2.Client(base_url=service, trust_env=False, timeout=30) as client:
        yield client
