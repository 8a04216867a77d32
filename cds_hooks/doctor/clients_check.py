"""Whether the keys of every registered client can be read and used."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, counted, failed, ok, shown, warning
from cds_hooks.doctor.visits import Trouble
from cds_hooks.trust.key_source import MAX_BYTES, FetchError
from cds_hooks.trust.keys import KeySetError, sort_keys
from cds_hooks.trust.settings import Client


async def clients_check(case: Case) -> list[Finding]:
    """One or more findings per client."""
    clients = case.settings.trust.clients
    if not clients:
        return [warning("no client is registered", "Register your EHR under `trust.clients`.")]
    found = await asyncio.gather(*(_client(case, number, c) for number, c in enumerate(clients, 1)))
    return [finding for findings in found for finding in findings]


async def _client(case: Case, number: int, client: Client) -> list[Finding]:
    name = f"client {number} ({shown(client.issuer)})"
    try:
        document = await key_document(case, client)
    except FetchError as error:
        problem, _, fix = str(error).partition("\n")
        return [failed(f"{name}: its key set cannot be read: {problem}", fix)]
    return list(_keys(name, document, public_test=case.settings.trust.allow_public_test_keys))


async def key_document(case: Case, client: Client) -> bytes:
    """The key set of a client. Raises FetchError: the problem on the first line, what to do on the second."""
    from cds_hooks.trust.fetch import read_source  # noqa: PLC0415

    if client.jku is None:
        try:
            return await read_source(client.key_source, private=False)
        except FetchError as error:
            raise FetchError(f"{error}\nCheck the file that `jwks` names.") from None
    visit = await case.visits.get(client.jku, private=case.settings.trust.allow_private_addresses)
    if isinstance(visit, Trouble):
        raise FetchError(f"{shown(client.jku)} {visit.problem}\n{visit.fix}")
    if 300 <= visit.status < 400:
        raise FetchError(
            f"{shown(client.jku)} redirects, which is not followed\nWrite the address of the keys themselves: "
            f"{shown(visit.location) or 'ask the vendor'}."
        )
    if visit.status != 200:
        raise FetchError(
            f"{shown(client.jku)} answers with status {visit.status}\nCheck `jku` with the vendor of the EHR."
        )
    if len(visit.body) > MAX_BYTES:
        raise FetchError(f"it has more than {MAX_BYTES} bytes\nCheck `jku` with the vendor of the EHR.")
    return visit.body


def _keys(name: str, document: bytes, *, public_test: bool) -> Iterator[Finding]:
    try:
        keys, unusable = sort_keys(document, public_test=public_test)
    except KeySetError:
        yield failed(f"{name}: what is read is no JSON Web Key Set", "Check `jku`: it must give the keys.")
        return
    why = "; ".join(f"key {number}: {problem}" for number, problem in unusable[:5])
    if not keys:
        yield failed(
            f"{name}: none of its keys can be used{f' ({why})' if why else ''}",
            "The EHR must sign with ES384 (P-384) or RS384 (RSA of 2048 bits or more) and publish that key.",
        )
        return
    named = ", ".join(f"{shown(key.kid, 40)} ({key.algorithm})" for key in list(keys)[:5])
    yield ok(f"{name}: {counted(len(keys), 'usable key')}: {named}{', …' if len(keys) > 5 else ''}")
    if unusable:
        yield warning(
            f"{name}: {counted(len(unusable), 'other key')} cannot be used ({why})",
            "Nothing to do, unless the EHR signs with one of them.",
        )
