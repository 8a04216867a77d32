"""Whether a call comes from a CDS client that is registered here (CDS Hooks 2.0, Trusting CDS Clients)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from secrets import randbelow
from typing import NamedTuple

from cds_hooks.addresses import AddressError, parse
from cds_hooks.storage.database import Database
from cds_hooks.trust.clients import SKEW_SECONDS, Clients, wrong_claim
from cds_hooks.trust.fetch import read_source
from cds_hooks.trust.key_sets import KeySets
from cds_hooks.trust.keys import KeyId, signed
from cds_hooks.trust.refusal import Unauthorised
from cds_hooks.trust.replay import DatabaseReplayStore, ReplayStore
from cds_hooks.trust.settings import Client, TrustSettings
from cds_hooks.trust.token import Token, bearer, read_token

REFUSAL_SECONDS = 0.05
"""A refusal comes no earlier than this after the call, so that its time does not tell which check failed. Only a key
set that has to be fetched can take longer."""
SPREAD = 0.2
"""A refusal comes by up to this share later, by chance: timers go off at whole milliseconds, and what their rounding
would still tell of the time of the check is lost in that."""


class Caller(NamedTuple):
    """Who called: a registered issuer, and the tenant its token names, if any."""

    issuer: str
    tenant: str | None


class Verifier:
    """Checks the tokens of one installation.

    Signatures are checked on the event loop, which RS384 holds for 0.06 ms and ES384 for 0.6: the library does not release
    the interpreter lock, so that threads gain nothing (measured: two threads take twice the time of one); more workers do.
    """

    def __init__(
        self,
        clients: Iterable[Client],
        key_sets: KeySets,
        replay: ReplayStore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clients = Clients(clients)
        self._key_sets = key_sets
        self._replay = replay
        self._clock = clock

    async def verify(self, authorization: Sequence[bytes], endpoint: str) -> Caller:
        """Who called `endpoint` (its full URL), from the values of the call's `Authorization` headers.

        Raises Unauthorised, after `REFUSAL_SECONDS` at the earliest.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            token = read_token(bearer(authorization))
            try:
                return await self._check(token, endpoint)
            except Unauthorised as refused:
                raise Unauthorised(refused.reason, _host(token.claims.iss)) from None
        except Unauthorised:
            delay = REFUSAL_SECONDS * (1 + SPREAD * randbelow(10_000) / 10_000)
            await asyncio.sleep(began + delay - loop.time())
            raise

    async def _check(self, token: Token, endpoint: str) -> Caller:
        """The caller, if every check holds: the cheap ones first, the one that leaves a trace last."""
        claims = token.claims
        client = self._clients.find(token)
        if wrong := wrong_claim(claims, client, endpoint, self._clock()):
            raise Unauthorised(wrong)
        key = await self._key_sets.find(client.key_source, KeyId(token.header.kid, token.header.alg))
        if key is None:
            raise Unauthorised("key")
        if not signed(token, key):
            raise Unauthorised("signature")
        if await self._replay.seen(client.issuer, claims.jti, claims.exp + SKEW_SECONDS):
            raise Unauthorised("replayed")
        return Caller(client.issuer, claims.tenant)


def _host(issuer: str) -> str:
    """The host of an issuer's URL, which is safe to log; empty if it has none."""
    try:
        return parse(issuer).host
    except AddressError:
        return ""


def create_verifier(trust: TrustSettings, database: Database) -> Verifier:
    """The verifier of one worker."""
    key_sets = KeySets(
        partial(read_source, private=trust.allow_private_addresses),
        public_test=trust.allow_public_test_keys,
    )
    return Verifier(trust.clients, key_sets, DatabaseReplayStore(database))
