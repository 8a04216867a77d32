"""The integration guide is followed: every ```sh block is run in order against the real service.

`twitching-cds serve …` (re)starts the service; a ```text block is what the block before it prints: its lines in this
order, "…" for anything. ```yaml blocks are settings that load.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cds_hooks.settings import load_settings

GUIDE = Path(__file__).parent.parent / "docs" / "integration.md"
ADDRESS = "127.0.0.1:8080"
START = "twitching-cds serve"


class Block(NamedTuple):
    language: str
    text: str


BLOCKS = [
    Block(*found)
    for found in re.findall(
        r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
]
SETTINGS = [block.text for block in BLOCKS if block.language == "yaml"]


class Reader:
    """Somebody who follows the guide in a folder of their own."""

    def __init__(self, folder: Path, port: int, start: Callable[..., Any]) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{port}"
        self.port = port
        self.start = start
        self.service: Any = None

    def begin(self, line: str) -> None:
        self.stop()
        self.service = self.start(*line.removeprefix(START).split(), port=self.port)
        self.service.wait_until_alive()

    def stop(self) -> None:
        if self.service is not None:
            self.service.stop()
            assert "Traceback" not in self.service.written

    def run(self, text: str) -> str:
        """What the commands print."""
        environment = {name: value for name, value in os.environ.items() if "TWITCHING_CDS" not in name}
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text.replace(ADDRESS, self.address)],
            cwd=self.folder,
            env=environment
            | {
                "PATH": f"{self.folder / 'bin'}{os.pathsep}{environment['PATH']}",
                "PYTHONPATH": str(GUIDE.parent.parent),
                "COLUMNS": "110",
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, f"{text}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout.replace(self.address, ADDRESS)


@pytest.fixture
def reader(tmp_path: Path, root: Path, free_port: int, start: Callable[..., Any]) -> Reader:
    (tmp_path / "examples").symlink_to(root / "examples")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, rest in {"twitching-cds": " -m cds_hooks.cli", "python": ""}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{rest} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    return Reader(tmp_path, free_port, start)


def in_order(shown: str, printed: str) -> list[str]:
    """The lines that are shown but not printed, each after the one before."""
    lines = iter(" ".join(line.split()) for line in printed.splitlines())
    wanted = [" ".join(line.split()) for line in shown.splitlines()]
    patterns = {line: line.replace("[", "[[]").replace("…", "*") for line in wanted}
    return [line for line in wanted if not any(fnmatchcase(got, patterns[line]) for got in lines)]


def test_the_guide_can_be_followed(reader: Reader) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    printed, steps = "", 0
    try:
        for block in BLOCKS:
            if block.language == "text":
                assert in_order(block.text, printed) == [], printed
            elif block.language == "sh" and block.text.startswith(START):
                reader.begin(block.text.strip())
            elif block.language == "sh":
                printed = reader.run(block.text)
                steps += 1
    finally:
        reader.stop()
    assert steps > 7


@pytest.mark.parametrize("text", SETTINGS, ids=[f"settings {n}" for n in range(1, len(SETTINGS) + 1)])
def test_the_settings_of_the_guide_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    for name in [name for name in os.environ if name.startswith("TWITCHING_CDS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    settings = load_settings(tmp_path / "site.yaml")
    assert settings.trust.mode == "required"
    assert settings.trust.clients


@pytest.mark.parametrize("page", ["integration.md", "operations.md", "security.md", "regulatory.md"])
def test_every_link_leads_somewhere(root: Path, page: str) -> None:
    text = (root / "docs" / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not (root / "docs" / link).exists()] == []
