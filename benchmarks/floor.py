"""The floor: a bare FastAPI endpoint that reads the body and answers a constant card; and one that also decodes it."""

from __future__ import annotations

import orjson
from fastapi import FastAPI, Request

app = FastAPI(docs_url=None, redoc_url=None)
CARD = {"cards": [{"summary": "constant", "indicator": "info", "source": {"label": "floor"}}]}


@app.post("/cds-services/{service_id}")
async def call(service_id: str, request: Request) -> dict[str, object]:  # noqa: ARG001
    """Read the body, answer the card."""
    await request.body()
    return CARD


@app.post("/decode")
async def decode(request: Request) -> dict[str, object]:
    """Read the body, decode it into dicts, answer the card."""
    orjson.loads(await request.body())
    return CARD
