"""A server process under test: started, driven over one kept connection, its CPU read from the kernel."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """`command` with `{port}` filled in; `cpu()` in seconds of user and system time; `memory()` in MB."""

    def __init__(
        self,
        command: list[str],
        path: str,
        environment: Mapping[str, str] | None = None,
        python: str | Path = sys.executable,
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.path = path
        self.started = time.perf_counter()
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [python, *(part.format(port=self.port) for part in command)],
            env=os.environ | (environment or {}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=60)  # it may be replacing a worker
        except subprocess.TimeoutExpired:
            self.process.kill()

    def wait(self, body: bytes, headers: Mapping[str, str] | None = None) -> float:
        """Seconds from start to the first answer."""
        while True:
            try:
                self.post(body, headers=headers)
            except OSError:
                self.connection.close()
                time.sleep(0.01)
                if time.perf_counter() - self.started > 60 or self.process.poll() is not None:
                    raise
            else:
                return time.perf_counter() - self.started

    def post(self, body: bytes, path: str = "", headers: Mapping[str, str] | None = None) -> bytes:
        """One call; RuntimeError when it is not answered with 200."""
        whole = {"Content-Type": "application/json", **(headers or {})}
        self.connection.request("POST", path or self.path, body, whole)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer[:300]!r}")
        return answer

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0
