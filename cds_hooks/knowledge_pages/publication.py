"""What a service publishes about itself as JSON: intended use, rule set and source attributes."""

from __future__ import annotations

import msgspec

from cds_hooks.services import Service
from mappings.knowledge import Knowledge


def publication(service: Service, knowledge: Knowledge) -> bytes:
    """The intended use and the 13 source attributes (45 CFR 170.315(b)(11)(iv)(A)) of one service, as JSON."""
    told, release = knowledge.publication, knowledge.release
    return msgspec.json.encode(
        {
            "service": service.id,
            "knowledgeVersion": knowledge.version,
            "released": release.date,
            "status": release.status,
            "intendedUse": {
                "use": told.use,
                "users": told.users,
                "population": told.population,
                "notFor": told.not_for,
                "tested": told.tested,
            },
            "sourceAttributes": [
                {"number": item.number, "name": item.name, "value": item.value} for item in told.attributes
            ],
        }
    )
