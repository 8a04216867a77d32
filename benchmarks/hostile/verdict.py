"""What no request may achieve, whatever it is: a failure, a crash, a word of the record in a log or in a refusal."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.hostile.in_process import Answer

MARKER = "Zq7marker"
"""Planted in what is sent; nothing of ours holds it."""
EXPECTED = {200, 400, 404, 412, 413}
WHOLE_BODY = {"structure", "too-long", "not-found"}
"""Codes of issues that are about no field: the text is not JSON, too long, or for no service of ours."""


def wrong_with(answer: Answer, marker: str = MARKER) -> list[str]:
    """Everything that is wrong with an answer, in words; nothing if it is as it must be."""
    found = []
    if answer.status not in EXPECTED:
        found.append(f"status {answer.status}")
    if marker in answer.logged:
        found.append("the log holds what was sent")
    try:
        body = json.loads(answer.body)
    except ValueError:
        return [*found, "the answer is no JSON"]
    if answer.status == 200:
        return found
    if marker.encode() in answer.body:
        found.append("the refusal repeats what was sent")
    return found + _unclear(body)


def _unclear(body: Any) -> list[str]:
    """What a refusal leaves in the dark."""
    issues = body.get("issue") if body.get("resourceType") == "OperationOutcome" else None
    if not issues:
        return ["the refusal is no OperationOutcome with an issue"]
    found = []
    for one in issues:
        if len(one.get("diagnostics", "")) < 20:
            found.append("an issue does not say what is wrong")
        if one["code"] not in WHOLE_BODY and not one.get("expression"):
            found.append(f"no field is named: {one.get('diagnostics')}")
    return found
