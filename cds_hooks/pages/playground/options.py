"""What the playground offers and the words it uses, as one JSON document."""

from __future__ import annotations

import msgspec

from cds_hooks.card_kit import CardKit
from cds_hooks.knowledge_pages.wording import words
from cds_hooks.pages.playground.charts import codes_of, loinc
from cds_hooks.pages.playground.situations import choices
from cds_hooks.services import SERVICES
from mappings.knowledge import Knowledge
from terminology.quantity import analytes


def options(knowledge: Knowledge, kit: CardKit) -> bytes:
    """Patients, services, analytes with their units and codes, and titles behind ids."""
    units = kit.wording.units
    offered = [name for name in analytes() if name in knowledge.analytes and codes_of(name)]
    return msgspec.json.encode(
        {
            "situations": list(choices()),
            "services": [
                {
                    "id": service.id,
                    "hook": service.hook,
                    "resources": list(service.resources),
                    "prefetch": {key: part.template for key, part in service.prefetch.items()},
                }
                for service in SERVICES
            ],
            "analytes": [
                {
                    "id": name,
                    "title": analytes()[name].title,
                    "units": [{"code": unit, "coding": loinc(name, unit)} for unit in analytes()[name].units],
                }
                for name in offered
            ],
            "loinc": {
                code.code: analyte.title for name, analyte in analytes().items() for code in codes_of(name)
            },
            "units": units,
            "titles": dict(kit.titles) | {name: rule.title for name, rule in knowledge.orders.items()},
            "references": {
                name: {"short": reference.short, "cite": reference.cite}
                for name, reference in knowledge.references.items()
            },
            "tiers": words().tiers,
            "strengths": {name: kit.say(f"strength_{name}") for name in words().strengths},
            "urgencies": words().urgencies,
            "gapReasons": kit.wording.gap_reasons,
        }
    )
