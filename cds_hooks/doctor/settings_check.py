"""Whether the settings, valid each for itself, make sense together."""

from __future__ import annotations

import ipaddress

from cds_hooks.addresses import Address, AddressError, parse
from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, counted, failed, ok, warning
from cds_hooks.settings import Settings, unknown_variables


async def settings_check(case: Case) -> list[Finding]:
    """The mode of trust, the addresses of this service, and what is meant for trying out only."""
    settings = case.settings
    return [*_trust(settings), *_base(settings), *_for_trying_out(settings), *_unknown()]


def _trust(settings: Settings) -> list[Finding]:
    if settings.trust.mode == "off":
        return [
            warning(
                "trust is `off`: nobody is asked who they are, and only this machine can call",
                "To let an EHR call, register it: `trust: {mode: required, clients: [...]}`.",
            )
        ]
    return [ok(f"trust is `required`, with {counted(len(settings.trust.clients), 'client')}")]


def _base(settings: Settings) -> list[Finding]:
    found = []
    if not settings.base_url:
        found.append(
            warning(
                "`base_url` is not set, so cards do not link to the rules",
                "Set it to the URL at which clients reach this service.",
            )
        )
    for name, url in (("base_url", settings.base_url), ("trust.base", settings.trust.base)):
        if url:
            found.append(_address(name, url))
    return found


def _address(name: str, url: str) -> Finding:
    try:
        address = parse(url)
    except AddressError as error:
        return failed(f"`{name}`: {error}", "Write it as https://HOST or https://HOST/PATH.")
    if "cds-services" in address.path:
        return failed(
            f"`{name}` ends in `cds-services`, which clients add themselves",
            "Write the URL without it, or every token is for another audience.",
        )
    if address.scheme == "http" and not _is_local(address):
        return failed(
            f"`{name}` is an http URL; CDS Hooks requires TLS",
            "Put a proxy in front that ends TLS (docs/operations.md) and write https://.",
        )
    return ok(f"`{name}` is {url}")


def _is_local(address: Address) -> bool:
    try:
        return address.host == "localhost" or ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        return False


def _for_trying_out(settings: Settings) -> list[Finding]:
    allowed = {
        "trust.allow_public_test_keys": settings.trust.allow_public_test_keys,
        "trust.allow_private_addresses": settings.trust.allow_private_addresses,
        "fhir.allow_private_addresses": settings.fhir.allow_private_addresses,
    }
    return [
        warning(
            f"`{name}` is true",
            "Anybody can sign as a CDS Hooks sandbox: take it out before real patients."
            if "keys" in name
            else "Right in a closed network and for tests; take it out elsewhere.",
        )
        for name, value in allowed.items()
        if value
    ]


def _unknown() -> list[Finding]:
    fix = "Correct its name, or take it out; docs/operations.md lists all settings."
    return [warning(f"the variable `{name}` sets nothing", fix) for name in unknown_variables()]
