"""The help of every command: what it does, all its options, and examples that would run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cds_hooks.cli import app

PROGRAM = "twitching-cds"


def commands() -> list[tuple[str, ...]]:
    """The words of every command."""
    found: list[tuple[str, ...]] = []
    for name, command in get_command(app).commands.items():
        below = getattr(command, "commands", None)
        found += [(name, inner) for inner in below] if below else [(name,)]
    return found


def groups() -> list[tuple[str, ...]]:
    """The words above those of the commands."""
    return sorted({words[:-1] for words in commands()})


def help_of(*words: str) -> str:
    finished = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"})
    assert finished.exit_code == 0
    return finished.stdout


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_has_examples_of_its_own_options(words: tuple[str, ...]) -> None:
    text = help_of(*words)
    lines = [line.strip() for line in text.partition("Examples:")[2].splitlines()]
    shown = [shlex.split(line, comments=True) for line in lines if line.startswith(PROGRAM)]
    assert shown
    for example in shown:
        assert tuple(example[1 : 1 + len(words)]) == words
        assert [word for word in example if word.startswith("--") and word not in text] == []


@pytest.mark.parametrize("words", [*groups(), *commands()], ids=" ".join)
def test_help_fits_80_columns_and_explains_every_option(words: tuple[str, ...]) -> None:
    text = help_of(*words)
    assert max(map(len, text.splitlines())) <= 100
    assert "..." not in text.partition("Commands:")[2]
    options = text.partition("Options:")[2].partition("\n\n")[0].split("\n  --")[1:]
    assert [option for option in options if not re.search(r"\s{2,}[A-Z]", option)] == []


def test_the_examples_of_the_whole_are_commands() -> None:
    lines = [line.split() for line in help_of().splitlines() if line.strip().startswith(PROGRAM)]
    assert len(lines) > 2
    assert {words[1] for words in lines} <= {words[0] for words in commands()}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_lacks_a_letter_gets_an_escape(root: Path, encoding: str) -> None:
    request = root / "examples" / "weakness-and-wasting" / "request.json"
    finished = subprocess.run(
        [sys.executable, "-m", "cds_hooks.cli", "assess", str(request), "--as-of", "2026-11-22"],
        capture_output=True,
        check=False,
        env={"PYTHONPATH": str(root), "PYTHONIOENCODING": encoding, "COLUMNS": "60"},
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert b"Twitching documented" in finished.stdout
