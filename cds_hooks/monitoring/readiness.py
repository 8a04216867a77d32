"""Whether this process should get calls, and whether it can do all it is meant to."""

from __future__ import annotations

import msgspec

from cds_hooks.storage.database import Database


async def readiness(database: Database, knowledge_version: str) -> bytes:
    """The body of `GET /health/ready`.

    The status is always 200, because the rules are loaded: without its database the service is `degraded`, it cannot
    take feedback. Taking it out of service for that would take the advice from every patient.
    """
    stored = await database.ready()
    return msgspec.json.encode(
        {
            "status": "ready" if stored else "degraded",
            "knowledgeVersion": knowledge_version,
            "checks": {"knowledge": "ok", "database": "ok" if stored else "unavailable"},
        }
    )
