"""Which kind of document this is, told by the names of its outermost members."""

from __future__ import annotations

from typing import Any

from cds_hooks.validation.findings import Finding, quoted
from cds_hooks.validation.shapes import KINDS, shapes

UNKNOWN_KIND = ("document#kind",)


def detect(document: Any) -> str:
    """The kind whose fields the document has most of; empty if it has none of any kind."""
    if not isinstance(document, dict):
        return ""
    counts = {kind: sum(name in document for name in shapes()[kind].fields) for kind in KINDS}
    best = max(counts, key=lambda kind: counts[kind])
    return best if counts[best] else ""


def not_detected(document: Any) -> Finding:
    """The finding about a document that is none of the four."""
    resource = document.get("resourceType") if isinstance(document, dict) else None
    problem = "This is no discovery, request, response or feedback"
    problem += f", but a FHIR resource ({quoted(resource)})." if resource is not None else "."
    fix = (
        "A discovery has `services`, a request `hook` and `context`, a response `cards`, feedback `feedback`."
    )
    return Finding("error", "$", problem, f"{fix} Name the kind if it is one of them.", UNKNOWN_KIND)
