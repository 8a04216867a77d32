"""The OpenAPI description of the routes that bypass FastAPI."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from cds_hooks.services import SERVICES

REQUEST = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": {"type": "string", "enum": [service.hook for service in SERVICES]},
        "hookInstance": {"type": "string", "minLength": 1},
        "context": {
            "type": "object",
            "required": ["patientId"],
            "properties": {
                "patientId": {"type": "string", "minLength": 1},
                "userId": {"type": ["string", "null"]},
                "encounterId": {"type": ["string", "null"]},
            },
        },
        "fhirServer": {"type": ["string", "null"]},
        "fhirAuthorization": {"type": ["object", "null"]},
        "prefetch": {"type": ["object", "null"]},
        "extension": {"type": ["object", "null"]},
    },
}
FEEDBACK = {
    "type": "object",
    "required": ["feedback"],
    "properties": {
        "feedback": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["card", "outcome", "outcomeTimestamp"],
                "properties": {
                    "card": {"type": "string", "minLength": 1},
                    "outcome": {"type": "string", "enum": ["accepted", "overridden"]},
                    "outcomeTimestamp": {"type": "string", "format": "date-time"},
                    "acceptedSuggestions": {"type": ["array", "null"]},
                    "overrideReason": {"type": ["object", "null"]},
                },
            },
        }
    },
}
REFUSED = {
    400: "The body is not a call of this service; the OperationOutcome names the field.",
    401: "The caller is not trusted; why is not said.",
    404: "There is no such service.",
    408: "The body arrived too slowly.",
    412: "Required data could not be obtained; the OperationOutcome names the prefetch keys.",
    413: "The body is too large.",
}


def describe(app: FastAPI) -> None:
    """Add the service calls to the description that `/openapi.json` serves."""
    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schema["paths"]["/cds-services/{service}"] = {"post": _call("The cards", "cards")}
    schema["paths"]["/cds-services/{service}/explain"] = {
        "post": _call("The assessment behind the cards", "gate")
    }
    schema["paths"]["/cds-services/{service}/feedback"] = {"post": _feedback()}
    app.openapi = lambda: schema  # type: ignore[method-assign]  # the way FastAPI documents


def _call(summary: str, required: str) -> dict[str, Any]:
    """One operation that takes a call; its answer has at least the property `required`."""
    return _operation(summary, REQUEST, {"type": "object", "required": [required]}, REFUSED)


def _feedback() -> dict[str, Any]:
    """What users did with the cards."""
    refused = {status: text for status, text in REFUSED.items() if status != 412}
    refused |= {
        400: "The body is no feedback; the OperationOutcome names the field.",
        503: "It cannot be stored at the moment, and nothing of it was; Retry-After says when to send it again.",
    }
    return _operation("Take feedback: 200 when it is stored", FEEDBACK, {"type": "object"}, refused)


def _operation(
    summary: str, request: dict[str, Any], answer: dict[str, Any], refused: dict[int, str]
) -> dict[str, Any]:
    refusal = {"type": "object", "required": ["resourceType", "issue"]}
    return {
        "summary": summary,
        "parameters": [
            {
                "name": "service",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "enum": [service.id for service in SERVICES]},
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {"200": {"description": summary, "content": {"application/json": {"schema": answer}}}}
        | {
            str(status): {"description": text, "content": {"application/json": {"schema": refusal}}}
            for status, text in sorted(refused.items())
        },
    }
