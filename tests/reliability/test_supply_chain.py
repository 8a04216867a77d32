"""What is locked is listed in full, and an audit that could not ask does not pass."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.audit import CLEAN, NOT_AUDITED, VULNERABLE, Audit, read, verdict

GOOD, BAD = Audit(audited=54), Audit(vulnerable=("x 1: CVE-1",), audited=54)
SILENT, PARTLY = Audit(problem="the service could not be reached"), Audit(unknown=("x",), audited=53)


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        ([GOOD, SILENT], CLEAN),
        ([SILENT, GOOD], CLEAN),
        ([SILENT, SILENT], NOT_AUDITED),
        ([PARTLY, SILENT], NOT_AUDITED),
        ([Audit(), SILENT], NOT_AUDITED),
        ([BAD, SILENT], VULNERABLE),
        ([GOOD, BAD], VULNERABLE),
    ],
)
def test_an_audit_passes_only_if_a_service_knew_every_package(asked: list[Audit], result: int) -> None:
    assert verdict(asked) == result


def test_a_report_is_read_with_what_it_skipped() -> None:
    packages = [
        {"name": "a", "version": "1", "vulns": []},
        {"name": "b", "version": "2", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]},
        {"name": "c", "skip_reason": "not found"},
    ]
    assert read(json.dumps({"dependencies": packages})) == Audit(("b 2: CVE-1, CVE-2",), ("c",), 2)


def test_the_list_of_components_holds_every_pin_with_its_hash(root: Path, tmp_path: Path) -> None:
    """As `make sbom` writes it."""
    target = tmp_path / "sbom.json"
    command = re.search(
        r"cyclonedx_py (.*?) --output-file", (root / "Makefile").read_text().replace("\\\n", "")
    )
    assert command
    subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", *command[1].split(), "--output-file", str(target)],
        cwd=root,
        check=True,
        capture_output=True,
    )
    listed = json.loads(target.read_text(encoding="utf-8"))
    pins = re.findall(r"^([\w.-]+)==(\S+)", (root / "requirements.lock").read_text(), re.MULTILINE)
    assert {(one["name"], one["version"]) for one in listed["components"]} == set(pins)
    assert listed["bomFormat"] == "CycloneDX"
    assert listed["metadata"]["component"]["name"] == "twitching-cds"
    assert all(one["externalReferences"][0]["hashes"] for one in listed["components"])
