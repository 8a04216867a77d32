"""The assessment as JSON: what `/explain` and `assess --json` print."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cds_hooks.request import HookRequest
from cds_hooks.services import Service
from cds_hooks.site_rules import Withheld
from mappings.assessment import Assessment


def explanation(
    service: Service, request: HookRequest, assessment: Assessment, withheld: Sequence[Withheld] = ()
) -> bytes:
    """The whole assessment, lowerCamelCase; lists that are empty say that nothing was found.

    `withheld` is there only when the site keeps something back.
    """
    told = msgspec.to_builtins(assessment)
    told["gaps"] = [
        {"date" if name == "on" else name: value for name, value in gap.items() if value}
        for gap in told["gaps"]
    ]
    call = {"service": service.id, "hook": request.hook, "hookInstance": request.hook_instance}
    if withheld:
        told["withheld"] = withheld
    return msgspec.json.encode(call | told)
