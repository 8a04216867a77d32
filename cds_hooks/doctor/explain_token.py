"""Why a token would be refused, which its sender never learns. Nothing of the token is printed but its public claims."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cds_hooks.doctor.check import Case
from cds_hooks.doctor.clients_check import key_document
from cds_hooks.doctor.database_check import was_used
from cds_hooks.doctor.finding import Finding, failed, ok, shown, warning
from cds_hooks.services import SERVICES
from cds_hooks.trust.clients import LIFE_SECONDS, SKEW_SECONDS, Clients
from cds_hooks.trust.key_source import FetchError
from cds_hooks.trust.keys import KeyId, KeySetError, read_key_set, signed
from cds_hooks.trust.refusal import Reason, Unauthorised
from cds_hooks.trust.replay import digest
from cds_hooks.trust.settings import Client
from cds_hooks.trust.token import ALGORITHMS, Claims, Token, read_token

STRUCTURE: dict[Reason, tuple[str, str]] = {
    "too-long": ("it is longer than a token may be", "The EHR must put less into it."),
    "malformed": (
        "it is not three parts of base64url around JSON objects",
        "Copy all of what follows `Authorization: Bearer `, on one line, and nothing else.",
    ),
    "algorithm": (
        "its `alg` is {alg}",
        f"Have the EHR sign with {' or '.join(ALGORITHMS)}; no other algorithm is accepted.",
    ),
    "header": (
        "its header has typ {typ} and kid {kid}, or brings a key of its own (jwk, x5c, x5u, crit)",
        "The header must be `alg`, `kid`, `typ` (JWT) and at most `jku` (CDS Hooks 2.0, Trusting CDS Clients).",
    ),
    "claims": (
        "a claim is missing or of the wrong type; there are {claims}",
        "iss, aud, exp, iat and jti are required; exp and iat are numbers (CDS Hooks 2.0, Trusting CDS Clients).",
    ),
}
"""What is wrong with a token that cannot be taken apart; the names in braces are of its header and claims."""


async def token_check(case: Case) -> list[Finding]:
    """Everything that is wrong with the token of the case, not only the first thing."""
    compact = re.sub(rb"(?i)^\s*(authorization:)?\s*(bearer\s)?\s*|\s+$", b"", case.token or b"")
    try:
        token = read_token(compact)
    except Unauthorised as refused:
        problem, fix = STRUCTURE[refused.reason]
        return [failed(problem.format_map(_Parts(compact)), fix)]
    found = [ok(f"it can be read: {token.header.alg}, kid {shown(token.header.kid, 60)}")]
    client = _client(case, token)
    if isinstance(client, Finding):
        return [*found, client, *_times(token.claims, case.now)]
    found.append(ok(f"it is of a registered client ({shown(client.issuer)})"))
    found += [_audience(case, token.claims, client), *_times(token.claims, case.now)]
    found.append(await _signature(case, token, client))
    return found + await _used(case, client, token.claims)


class _Parts(dict[str, str]):
    """Header members and names of claims of a token that may be anything."""

    def __init__(self, compact: bytes) -> None:
        header, claims = ([*map(_object, compact.split(b".")[:2]), {}, {}])[:2]
        super().__init__({name: shown(value, 60) for name, value in header.items()})
        self["claims"] = ", ".join(shown(name, 40) for name in list(claims)[:20]) or "none"

    def __missing__(self, name: str) -> str:
        return "missing"


def _object(part: bytes) -> dict[str, Any]:
    try:
        found = json.loads(b64decode(part + b"=" * (-len(part) % 4), b"-_"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _client(case: Case, token: Token) -> Client | Finding:
    clients = case.settings.trust.clients
    issuer = shown(token.claims.iss)
    try:
        return Clients(clients).find(token)
    except Unauthorised as refused:
        of_issuer = [client for client in clients if client.issuer == token.claims.iss]
        if refused.reason == "issuer":
            near = [c.issuer for c in clients if _loosely(c.issuer) == _loosely(token.claims.iss)]
            known = ", ".join(shown(client.issuer) for client in clients) or "none"
            hint = (
                f"Write it to the letter: the registered {shown(near[0])} differs by a slash or a capital."
                if near
                else f"Register it under `trust.clients` if it is your EHR; registered: {known}."
            )
            return failed(f"its issuer {issuer} is not registered", hint)
        if refused.reason == "tenant":
            tenants = ", ".join(shown(client.tenant) for client in of_issuer)
            return failed(
                f"its tenant {shown(token.claims.tenant or 'is missing')} is not registered",
                f"Registered for this issuer: {tenants}. Without `tenant`, an entry takes all others.",
            )
        jkus = ", ".join(shown(client.jku) for client in of_issuer)
        return failed(
            f"its `jku` {shown(token.header.jku)} is not the registered one",
            f"Registered: {jkus}. Correct `jku` if the vendor confirms the other.",
        )


def _loosely(issuer: str) -> str:
    return issuer.rstrip("/").lower()


def _audience(case: Case, claims: Claims, client: Client) -> Finding:
    sent = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if not case.settings.endpoint_base:
        return warning("its audience is not checked: `base_url` is not set", "Set it.")
    base = f"{case.settings.endpoint_base}/cds-services"
    endpoints = {base, *(f"{base}/{s.id}{end}" for s in SERVICES for end in ("", "/feedback", "/explain"))}
    by_hand = [value for value in sent if value in client.audience]
    meant = [value for value in sent if value in endpoints]
    if by_hand:
        return ok(f"its audience {shown(by_hand[0])} is accepted for every endpoint")
    if meant:
        return ok(f"its audience is the endpoint {shown(meant[0])}; for any other it is refused")
    return failed(
        f"its audience {shown(', '.join(sent))} is no endpoint of this service",
        f"The EHR must name the URL it calls, as {base}/{SERVICES[0].id}. Correct `base_url` (or `trust.base`) if that "
        "is wrong, or name the audience under `audience` of this client if it is typed in by hand there.",
    )


def _times(claims: Claims, now: datetime) -> Iterator[Finding]:
    """Of a token that was kept it is expected that it has expired."""
    age = now.timestamp() - max(claims.iat, claims.nbf or 0)
    life = claims.exp - claims.iat
    if not 0 < life <= LIFE_SECONDS:
        yield failed(
            f"it is valid for {life:.0f} seconds", f"It must be for 1 to {LIFE_SECONDS}: 300 is the usual."
        )
    if age < -SKEW_SECONDS:
        yield failed(
            f"it becomes valid {-age:.0f} seconds from now", "Compare the clocks of the EHR and this machine."
        )
    late = now.timestamp() - claims.exp
    if late > SKEW_SECONDS:
        yield warning(
            f"it expired {late:.0f} seconds ago",
            "That is why it is refused, if it was sent so late; otherwise it does not matter here.",
        )
    elif age >= -SKEW_SECONDS:
        yield ok("it is valid now")


async def _signature(case: Case, token: Token, client: Client) -> Finding:
    wanted = KeyId(token.header.kid, token.header.alg)
    try:
        document = await key_document(case, client)
        keys = read_key_set(document, public_test=case.settings.trust.allow_public_test_keys)
    except FetchError as error:
        problem, _, fix = str(error).partition("\n")
        return failed(f"its signature cannot be checked: {problem}", fix)
    except KeySetError:
        return failed("its signature cannot be checked: no key set is read", "Correct `jku` or `jwks`.")
    if wanted not in keys:
        held = ", ".join(f"{shown(key.kid, 40)} ({key.algorithm})" for key in list(keys)[:5]) or "none"
        return failed(
            f"no usable key {shown(wanted.kid, 60)} for {wanted.algorithm} is in the client's key set",
            f"Usable are: {held}. The EHR must publish the key it signs with.",
        )
    if not signed(token, keys[wanted]):
        return failed(
            "its signature is not by the key that it names",
            "It was changed on its way, or the EHR signs with another key than it publishes under this `kid`.",
        )
    return ok(f"it is signed by the client's key {shown(wanted.kid, 60)}")


async def _used(case: Case, client: Client, claims: Claims) -> list[Finding]:
    """Whether this token was used already; nothing if the database cannot tell."""
    if not await was_used(case.settings.database_url, digest(client.issuer, claims.jti)):
        return []
    fix = "Every call needs a token with a jti of its own."
    return [warning("it was used before, and is refused a second time", fix)]
