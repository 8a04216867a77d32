"""Whether the certificates of this service and of the servers it reads are trusted, and for how long."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cds_hooks.addresses import AddressError, parse
from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, failed, ok, warning
from cds_hooks.doctor.visits import SECONDS, Trouble, explain, socket_towards

SOON = timedelta(days=30)
"""Renewal is due: certificates that are renewed by a program are renewed before."""


async def tls_check(case: Case) -> list[Finding]:
    """One finding per https server of the settings."""
    found = await asyncio.gather(
        *(_server(host, port, private, ours, case.now) for (host, port), (private, ours) in _servers(case))
    )
    return list(found) or [
        warning(
            "nothing to check: no https address is in the settings",
            "CDS Hooks requires TLS: set `base_url` to the https URL of the proxy in front.",
        )
    ]


def _servers(case: Case) -> Iterator[tuple[tuple[str, int], tuple[bool, bool]]]:
    """Host and port, whether it may be private, and whether it is this service itself."""
    settings = case.settings
    urls = [(url, True, True) for url in (settings.endpoint_base,) if url]
    urls += [(c.jku, settings.trust.allow_private_addresses, False) for c in settings.trust.clients if c.jku]
    urls += [(server, settings.fhir.allow_private_addresses, False) for server in settings.fhir.servers]
    seen: dict[tuple[str, int], tuple[bool, bool]] = {}
    for url, private, ours in urls:
        try:
            address = parse(url)
        except AddressError:  # the check of the settings says so
            continue
        if address.scheme == "https":
            seen.setdefault((address.host, address.port), (private, ours))
    yield from seen.items()


async def _server(host: str, port: int, private: bool, ours: bool, now: datetime) -> Finding:  # noqa: FBT001
    name = host if port == 443 else f"{host}:{port}"
    try:
        async with asyncio.timeout(SECONDS):
            ends, version = await _certificate(host, port, private)
    except (OSError, ValueError) as error:  # TimeoutError and ssl.SSLError are OSErrors
        return _not_trusted(name, explain(error), ours=ours)
    left = ends - now
    if left < SOON:
        return warning(
            f"{name} has a certificate that ends on {ends:%Y-%m-%d}, in {left.days} days", "Renew it now."
        )
    return ok(f"{name} is trusted until {ends:%Y-%m-%d}, {version}")


def _not_trusted(name: str, trouble: Trouble, *, ours: bool) -> Finding:
    if ours and trouble.kind != "certificate":
        return warning(
            f"{name} {trouble.problem}", "Start the proxy; or repeat this where the EHR calls from."
        )
    return failed(f"{name} {trouble.problem}", trouble.fix)


async def _certificate(host: str, port: int, private: bool) -> tuple[datetime, str]:  # noqa: FBT001
    """When the certificate ends, and the version of TLS. Raises OSError (also for one that is not trusted)."""
    loop = asyncio.get_running_loop()
    error: OSError = OSError("no address")
    for address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            made = socket_towards(address, private=private)
        except OSError as refused:
            error = refused
            continue
        try:
            await loop.sock_connect(made, address[4])
            _, writer = await asyncio.open_connection(
                sock=made, ssl=ssl.create_default_context(), server_hostname=host
            )
        except OSError as failure:
            made.close()
            error = failure
            continue
        found = writer.get_extra_info("ssl_object")
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(found.getpeercert()["notAfter"]), UTC)
        writer.transport.abort()
        return ends, str(found.version())
    raise error
