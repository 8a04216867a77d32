"""Whether this process should get calls, and whether it can do all it is meant to."""

from __future__ import annotations

import msgspec

from cds_hooks.front import Front
from cds_hooks.storage.database import Database


async def readiness(database: Database, front: Front) -> bytes:
    """The body of `GET /health/ready`.

    The status is always 200, because the rules are loaded: without its database the service is `degraded`, it cannot
    take feedback; so it is with a site profile that has changed and cannot be used. Taking it out of service for that
    would take the advice from every patient.
    """
    stored = await database.ready()
    checks = {"knowledge": "ok", "database": "ok" if stored else "unavailable"}
    if front.has_profile:
        checks["siteProfile"] = "ok" if front.current else "unusable, the one before is in force"
    return msgspec.json.encode(
        {
            "status": "ready" if stored and front.current else "degraded",
            "knowledgeVersion": front.now.knowledge.version,
            "checks": checks,
        }
    )
