"""Refusals, as the protocol wants them: an HTTP status and an OperationOutcome that names the field.

Nothing here ever repeats what the caller sent, because a refused request may hold patient data.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Literal

import msgspec
from msgspec import Struct

IssueCode = Literal[
    "structure",
    "required",
    "value",
    "not-found",
    "not-supported",
    "too-long",
    "timeout",
    "transient",
    "exception",
]
"""The part of FHIR's issue-type value set that this service uses."""

COMPRESSED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x28\xb5\x2f\xfd")
"""How such a body begins: gzip (RFC 1952), deflate (RFC 1950), Zstandard (RFC 8878)."""


class Issue(Struct, frozen=True, omit_defaults=True):
    """One OperationOutcome issue: what is wrong, how to put it right, and where (`context.patientId`)."""

    severity: Literal["error", "fatal"]
    code: IssueCode
    diagnostics: str
    expression: tuple[str, ...] = ()


class OperationOutcome(Struct, frozen=True):
    """The body of every answer that is not a success (CDS Hooks 3.0, HTTP Status Codes)."""

    resourceType: str
    issue: tuple[Issue, ...]


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """The request cannot be answered; carries the status and at least one issue, in the request's order.

    `retry_after`: seconds after which the same request may succeed, 0 if it will not.
    """

    def __init__(self, status: int, *issues: Issue, retry_after: int = 0) -> None:
        super().__init__(status)
        self.status = status
        self.issues = issues
        self.retry_after = retry_after

    def body(self) -> bytes:
        """The OperationOutcome as JSON."""
        return outcome(*self.issues)


def issue(code: IssueCode, diagnostics: str, *expression: str) -> Issue:
    """An error about the fields named by `expression`."""
    return Issue("error", code, diagnostics, expression)


def not_json(body: bytes, error: msgspec.DecodeError) -> Issue:
    """An error about a body that is no JSON. The decoder's message names a byte position, never a value."""
    if not body.strip():
        return issue("structure", "The body is empty; it must be a JSON object.")
    problem = str(error).removeprefix("JSON is malformed: ")
    return issue("structure", f"The body is not valid JSON: {problem}.")


def not_text(body: bytes) -> Issue:
    """An error about a body that is not UTF-8. A compressed one never is: nothing here is ever unpacked."""
    if body.startswith(COMPRESSED):
        return issue("structure", "The body is compressed; send it as it is, without Content-Encoding.")
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return issue("structure", "The body is UTF-16 or UTF-32; send UTF-8.")
    return issue("structure", "The body is not valid UTF-8.")


def outcome(*issues: Issue) -> bytes:
    """An OperationOutcome as JSON."""
    return msgspec.json.encode(OperationOutcome("OperationOutcome", issues))
