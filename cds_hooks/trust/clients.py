"""The CDS clients that are registered here, and what their tokens must say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from cds_hooks.trust.refusal import Reason, Unauthorised
from cds_hooks.trust.settings import Client
from cds_hooks.trust.token import Claims, Token

SKEW_SECONDS = 60
"""How far the clock of a client may be off."""
LIFE_SECONDS = 3_600
"""How long a token may be valid (CDS Hooks best practices: no more than an hour; Epic's live 15 minutes)."""


class Clients:
    """The allow-list."""

    def __init__(self, clients: Iterable[Client]) -> None:
        by_issuer: dict[str, list[Client]] = defaultdict(list)
        for client in clients:
            by_issuer[client.issuer].append(client)
        self._by_issuer: Mapping[str, list[Client]] = by_issuer

    def find(self, token: Token) -> Client:
        """The client whose token this claims to be: same issuer, tenant and key set URL. Raises Unauthorised.

        A client that is registered without a tenant stands for every tenant not registered by name. The `jku` of a
        client whose keys were handed over is not looked at: nothing is ever fetched from it.
        """
        candidates = self._by_issuer.get(token.claims.iss)
        if not candidates:
            raise Unauthorised("issuer")
        tenants = {client.tenant: client for client in candidates}
        client = tenants.get(token.claims.tenant) or tenants.get(None)
        if client is None:
            raise Unauthorised("tenant")
        if client.jku and token.header.jku not in (None, client.jku):
            raise Unauthorised("key-set-url")
        return client


def wrong_claim(claims: Claims, client: Client, endpoint: str, now: float) -> Reason | None:
    """What is wrong with a token of this client for this endpoint (its full URL) at `now` (seconds since 1970)."""
    meant_for = {claims.aud} if isinstance(claims.aud, str) else set(claims.aud)
    if meant_for.isdisjoint((endpoint, *client.audience)):
        return "audience"
    if now > claims.exp + SKEW_SECONDS:
        return "expired"
    if now < max(claims.iat, claims.nbf or 0) - SKEW_SECONDS:
        return "not-yet-valid"
    if not 0 < claims.exp - claims.iat <= LIFE_SECONDS:
        return "lifetime"
    return None
