"""The README is run: every shell block against a real service, every answer compared with what is printed.

A ```sh block is run by bash in the repository, with the address of a running service and the folder of this
environment's programs in place of the documented ones.
A ```json block right after it is what the answer must contain: every key shown, lists of the same length,
"…" for whatever comes there. A block of `make` verbs is only checked against the Makefile.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import pytest

README = Path(__file__).parent.parent / "README.md"
PROGRAMS = ".venv/bin/"
ADDRESS = "http://127.0.0.1:8080"


class Block(NamedTuple):
    language: str
    text: str


def blocks(markdown: str) -> list[Block]:
    return [
        Block(*found) for found in re.findall(r"^```(\w*)\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)
    ]


BLOCKS = blocks(README.read_text(encoding="utf-8"))
SHELL = [
    (block, following)
    for block, following in zip(BLOCKS, [*BLOCKS[1:], None], strict=True)
    if block.language == "sh"
]
MAKE = [block.text for block, _ in SHELL if block.text.startswith("make ")]
COMMANDS = [
    (block.text, following.text if following and following.language == "json" else None)
    for block, following in SHELL
    if not block.text.startswith("make ")
]


def differences(shown: Any, answered: Any, where: str = "$") -> list[str]:
    """Where an answer lacks what the README shows."""
    if isinstance(shown, dict) and isinstance(answered, dict):
        return [
            line
            for key, value in shown.items()
            for line in (
                differences(value, answered[key], f"{where}.{key}")
                if key in answered
                else [f"{where}.{key}: missing"]
            )
        ]
    if isinstance(shown, list) and isinstance(answered, list) and len(shown) == len(answered):
        return [
            line
            for at, (one, other) in enumerate(zip(shown, answered, strict=True))
            for line in differences(one, other, f"{where}[{at}]")
        ]
    if isinstance(shown, str) and isinstance(answered, str):
        same = fnmatchcase(answered, shown.replace("[", "[[]").replace("…", "*"))
    else:
        same = shown == "…" or (shown == answered and type(shown) is type(answered))
    return [] if same else [f"{where}: README {shown!r}, answer {answered!r}"]


@pytest.mark.parametrize(
    ("command", "shown"), COMMANDS, ids=[command.splitlines()[0] for command, _ in COMMANDS]
)
def test_a_command_of_the_readme_answers_what_is_shown(
    root: Path, service: str, command: str, shown: str | None
) -> None:
    if command.startswith("curl ") and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command.replace(ADDRESS, service).replace(PROGRAMS, "")],
        cwd=root,
        env=os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    if shown is not None:
        assert differences(json.loads(shown), json.loads(ran.stdout)) == []


def test_the_readme_shows_make_verbs_that_exist_and_at_least_one_answer(root: Path) -> None:
    verbs = [verb for text in MAKE for verb in re.findall(r"^make (\w+)", text, re.MULTILINE)]
    assert {"serve", "test"} <= set(verbs)
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert [verb for verb in verbs if not re.search(rf"^{verb}:", makefile, re.MULTILINE)] == []
    assert [shown for _, shown in COMMANDS if shown]


def test_the_readme_names_the_address_that_serve_uses(root: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "cds_hooks.cli", "serve", "--help"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    host, port = ADDRESS.removeprefix("http://").split(":")
    assert host in shown
    assert port in shown


def test_every_file_the_readme_links_to_is_there(root: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (root / link).exists()] == []


@pytest.mark.parametrize(
    ("shown", "answered", "agrees"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"b": 2}, False),
        ([1], [1, 2], False),
        ("Potassium 2.8 … [lab]", "Potassium 2.8 mmol/L [lab]", True),
        ("…", {"any": "thing"}, True),
        (True, 1, False),
    ],
)
def test_an_answer_is_compared_with_what_is_shown(shown: Any, answered: Any, agrees: bool) -> None:
    assert (differences(shown, answered) == []) is agrees
