"""The command: exit codes and what is printed."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from cds_hooks.validation.command import validate_files

GOOD = Path(__file__).with_name("good")


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.json"
    path.write_text(
        '{"cards": [{"summary": "x", "indicator": "urgent", "source": {"label": "\\u001b[31mx"}}]}'
    )
    return path


def test_good_files_leave_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert validate_files([GOOD / "response.json", GOOD / "feedback.json"], kind=None, as_json=False) == 0
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "response, nothing to report",
        "feedback, nothing to report",
    ]


def test_errors_leave_with_1_and_name_place_cure_and_requirement(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate_files([bad], kind=None, as_json=False) == 1
    out = capsys.readouterr().out
    assert "error at $.cards[0].indicator" in out
    assert '"urgent", not info, warning or critical' in out
    assert "Send info, warning or critical." in out
    assert "[cds-hooks_2.0@88]" in out
    assert "\x1b" not in out


def test_lines_fit_the_terminal(
    bad: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    validate_files([bad], kind=None, as_json=False)
    assert max(len(line) for line in capsys.readouterr().out.splitlines()[1:]) <= 50


def test_a_file_that_cannot_be_read_leaves_with_2_and_the_others_are_checked(
    bad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate_files([tmp_path, tmp_path / "none.json", bad], kind=None, as_json=True) == 2
    printed = capsys.readouterr()
    assert [line.rpartition(": ")[2] for line in printed.err.splitlines()] == [
        "cannot be read (Is a directory).",
        "cannot be read (No such file or directory).",
    ]
    assert {found["file"] for found in json.loads(printed.out)} == {str(bad)}


def test_json_is_a_list_of_findings(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate_files([bad, GOOD / "response.json"], kind=None, as_json=True) == 1
    found = json.loads(capsys.readouterr().out)
    assert found[0] == {
        "file": str(bad),
        "kind": "response",
        "severity": "error",
        "path": "$.cards[0].indicator",
        "problem": '`indicator` is "urgent", not info, warning or critical.',
        "fix": "Send info, warning or critical.",
        "requirements": ["cds-hooks_2.0@88"],
        "urls": ["https://cds-hooks.hl7.org/2.0/#card-attributes"],
    }


def test_the_kind_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert validate_files([GOOD / "response.json"], kind="discovery", as_json=False) == 1
    assert "`services` is missing" in capsys.readouterr().out


def test_standard_input_is_a_file_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"cards": []}')))
    assert validate_files([Path("-")], kind=None, as_json=False) == 0
    assert capsys.readouterr().out == "-: response, nothing to report\n"


def test_colour_is_for_terminals(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "ascii"

        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    validate_files([bad], kind=None, as_json=False)
    assert "\x1b[31merror\x1b[0m at" in sys.stdout.getvalue()  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    validate_files([bad], kind=None, as_json=False)
    assert "\x1b" not in sys.stdout.getvalue()  # type: ignore[attr-defined]
