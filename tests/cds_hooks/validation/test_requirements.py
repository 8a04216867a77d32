"""Every requirement that can be checked on a document has a document that breaks it, and a check that says so."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_hooks.validation.checks import covered
from cds_hooks.validation.requirements import Requirement, requirements
from cds_hooks.validation.validate import Report, validate

VIOLATIONS = yaml.safe_load(Path(__file__).with_name("violations.yaml").read_text(encoding="utf-8"))
BINDING = ("SHALL", "SHALL NOT")


def name_of(row: dict[str, Any]) -> str:
    """The requirement, the document and the place; where one place breaks in several ways, also which of them."""
    name = f"{row['id']} {row['in']} {row['at']}"
    alike = [
        other
        for other in VIOLATIONS
        if (other["id"], other["in"], other["at"]) == (row["id"], row["in"], row["at"])
    ]
    return f"{name} {alike.index(row) + 1}" if len(alike) > 1 else name


def report_on(row: dict[str, Any], good: Callable[[str], Any], change: Callable[..., None]) -> Report:
    kind = None if row["id"] == "document#kind" else row["in"].partition("-")[0]
    strict = row["id"] == "fhir_r4#resource"
    if "text" in row:
        return validate(row["text"].encode(), kind=kind, strict_fhir=strict)
    document = good(row["in"])
    change(document, row["at"], *([row["set"]] if "set" in row else []))
    return validate(json.dumps(document).encode(), kind=kind, strict_fhir=strict)


@pytest.mark.parametrize("row", VIOLATIONS, ids=name_of)
def test_a_violation_is_reported_with_its_requirement_place_and_severity(
    row: dict[str, Any], good: Callable[[str], Any], change: Callable[..., None]
) -> None:
    report = report_on(row, good, change)
    place, severity = row.get("finds", row["at"]), row.get("severity", "error")
    assert [
        finding
        for finding in report.findings
        if row["id"] in finding.requirements and finding.path == place and finding.severity == severity
    ], report.findings


@pytest.mark.parametrize("row", VIOLATIONS, ids=name_of)
def test_every_finding_says_what_is_wrong_and_what_to_do(
    row: dict[str, Any], good: Callable[[str], Any], change: Callable[..., None]
) -> None:
    for finding in report_on(row, good, change).findings:
        assert finding.path.startswith("$")
        assert finding.problem.endswith((".", "?"))
        assert finding.fix.endswith((".", "?"))
        assert set(finding.requirements) <= set(requirements())


def test_every_requirement_is_checked_or_says_why_not() -> None:
    assert covered() <= set(requirements())
    silent = [
        name for name, found in requirements().items() if name not in covered() and not found.not_checked
    ]
    assert silent == []
    both = [name for name, found in requirements().items() if name in covered() and found.not_checked]
    assert both == []


def test_every_checked_requirement_has_a_violation() -> None:
    assert covered() == {row["id"] for row in VIOLATIONS}


def binding_on_services() -> list[Requirement]:
    """What a service SHALL or SHALL NOT do, by the numbered lists."""
    return [
        found
        for found in requirements().values()
        if "@" in found.id and found.conformance in BINDING and found.actors != "Client"
    ]


def test_what_binds_services_is_checked_but_for_what_no_document_shows() -> None:
    """HTTP, TLS and CORS; URLs; tokens; what happens at run time or is agreed beforehand; and one permission."""
    unchecked = {found.id.rpartition("@")[2] for found in binding_on_services() if found.id not in covered()}
    transport = {"2", "4", "5", "13", "54", "168", "208"}
    tokens = {"61", "176", "199", "201", "203"}
    agreed = {"29", "125", "213"}
    assert unchecked == transport | tokens | agreed | {"89"}
    assert len(binding_on_services()) == 78


def test_the_numbers_are_those_of_the_shared_list(shared: Path) -> None:
    with (shared / "spec" / "cds-hooks-requirements.csv").open(encoding="utf-8", newline="") as file:
        theirs = {
            f"{row['requirement_set']}@{row['id']}": (row["url"], row["conformance"], row["actors"])
            for row in csv.DictReader(file)
        }
    ours = {
        name: (found.url, found.conformance, found.actors)
        for name, found in requirements().items()
        if "@" in name
    }
    assert ours == theirs
