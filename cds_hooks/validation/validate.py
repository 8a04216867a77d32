"""The validator: a document in, findings out. It raises nothing, whatever the document is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from cds_hooks.validation.checks import RULES, strict_rules
from cds_hooks.validation.detect import detect, not_detected
from cds_hooks.validation.findings import SEVERITIES, Finding, Severity, json_path
from cds_hooks.validation.json_text import read_json
from cds_hooks.validation.rule import Rule
from cds_hooks.validation.shapes import KINDS
from cds_hooks.validation.structure import root_must_be_an_object, structure
from cds_hooks.validation.walk import nodes


class Report(Struct, frozen=True):
    """What was found in one document, errors first, else in the order of the document. `kind` is empty if unknown."""

    kind: str
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        return sum(finding.severity == severity for finding in self.findings)


def validate(content: bytes, *, kind: str | None = None, strict_fhir: bool = False) -> Report:
    """Check the text of a document.

    `kind` is one of `KINDS`; None detects it. `strict_fhir` also validates the resources of actions as FHIR R4B.
    Raises ValueError for another kind, and for nothing else.
    """
    document, faults = read_json(content)
    if document is None and faults:
        return Report(kind or "", tuple(faults))
    report = validate_value(document, kind=kind, strict_fhir=strict_fhir)
    return Report(report.kind, _sorted([*faults, *report.findings]))


def validate_value(document: Any, *, kind: str | None = None, strict_fhir: bool = False) -> Report:
    """Check a document that is already read, as `validate` does."""
    if kind is not None and kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of document; use one of {', '.join(KINDS)}.")
    found = kind or detect(document)
    if not found:
        return Report("", (not_detected(document),))
    rules = (*RULES, *strict_rules()) if strict_fhir else RULES
    return Report(
        found, _sorted([*structure_findings(document, found), *_rule_findings(document, found, rules)])
    )


def structure_findings(document: Any, kind: str) -> Iterator[Finding]:
    """The part of the check that the JSON Schema of the kind can express."""
    yield from root_must_be_an_object(document, kind)
    for node in nodes(document, kind):
        yield from structure(node)


def _rule_findings(document: Any, kind: str, rules: Sequence[Rule]) -> Iterator[Finding]:
    for node in nodes(document, kind):
        for rule in rules:
            for found in rule.check(node) if rule.applies_to(node) else ():
                severity = found.severity or rule.severity
                at = json_path((*node.at, *found.at))
                yield Finding(severity, at, found.problem, found.fix, found.ids or rule.ids)


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    """Each finding once, errors first."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: SEVERITIES.index(finding.severity)))
