"""Whether this service answers where the settings say that clients reach it."""

from __future__ import annotations

import msgspec

from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, failed, ok, shown, warning
from cds_hooks.doctor.visits import Trouble, Visit
from cds_hooks.services import SERVICE_BY_ID

NOT_RUNNING = (502, 503, 504)


async def address_check(case: Case) -> list[Finding]:
    """What `GET {base}/cds-services` gives, as seen from this machine."""
    base = case.settings.endpoint_base
    if not base:
        return [warning("not checked: neither `base_url` nor `trust.base` is set", "Set `base_url`.")]
    url = f"{base}/cds-services"
    visit = await case.visits.get(url, private=True)
    if isinstance(visit, Trouble):
        judge = failed if visit.kind else warning
        fix = visit.fix if visit.kind else "Start the service; or repeat this where the EHR calls from."
        return [judge(f"{shown(url)} {visit.problem}", fix)]
    return [_judged(url, visit, required=case.settings.trust.mode == "required")]


def _judged(url: str, visit: Visit, *, required: bool) -> Finding:
    if visit.status in NOT_RUNNING:
        return warning(
            f"{shown(url)} answers with status {visit.status}: a proxy is there, the service behind it is not",
            "Start the service, and check where the proxy passes calls on to.",
        )
    if 300 <= visit.status < 400:
        return failed(
            f"{shown(url)} redirects to {shown(visit.location)}; clients do not follow",
            "Write the address that answers itself, to the letter.",
        )
    services = _services(visit)
    if visit.status == 401 and _is_ours(visit):
        if required:
            return ok(f"this service answers at {shown(url)}, and asks who calls")
        return failed(
            f"what answers at {shown(url)} asks who calls, but these settings do not",
            "It runs with other settings: start it again, or name its settings file.",
        )
    if not services & SERVICE_BY_ID.keys():
        return failed(
            f"something else answers at {shown(url)} (status {visit.status})",
            "Let the proxy pass this path on to the service, without the part that `base_url` adds.",
        )
    if required:
        return failed(
            f"this service answers at {shown(url)} without asking who calls, but trust is `required`",
            "It runs with other settings: start it again with this file.",
        )
    return ok(f"this service answers at {shown(url)}")


def _is_ours(visit: Visit) -> bool:
    return b"OperationOutcome" in visit.body


def _services(visit: Visit) -> set[str]:
    """The ids of the services that a discovery lists."""
    if visit.status != 200:
        return set()
    try:
        listed = msgspec.json.decode(visit.body)["services"]
        return {service["id"] for service in listed}
    except (ValueError, TypeError, KeyError, RecursionError):
        return set()
