"""The answer of `GET /cds-services` (CDS Hooks 2.0, Discovery)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cds_hooks.services import Service

CDS_HOOKS = "2.0.0"
"""The release that the services follow; `version` is an attribute of the 3.0 ballot, which older clients pass over."""


def discovery(services: Sequence[Service]) -> bytes:
    """The discovery document as JSON; it never changes while the service runs."""
    return msgspec.json.encode(
        {
            "services": [
                {
                    "hook": service.hook,
                    "id": service.id,
                    "title": service.title,
                    "description": service.description,
                    "version": CDS_HOOKS,
                    "usageRequirements": service.usage_requirements,
                    "prefetch": {key: prefetch.template for key, prefetch in service.prefetch.items()},
                }
                for service in services
            ]
        }
    )
