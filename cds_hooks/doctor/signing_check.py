"""Whether tokens are accepted and refused as they must be: a throw-away key signs some, the real verifier judges them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Any

from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, failed, ok, shown, warning
from cds_hooks.services import SERVICES

ISSUER = "urn:twitching-cds:doctor"
LIFE = 300


async def signing_check(case: Case) -> list[Finding]:
    """Tokens for every endpoint of this service, signed with keys that are served on this machine for a moment."""
    from joserfc.jwk import ECKey, RSAKey  # noqa: PLC0415 - loads the cryptography

    base = case.settings.endpoint_base
    if not base:
        return [warning("not checked: tokens are meant for a URL, and `base_url` is not set", "Set it.")]
    good: list[Any] = [ECKey.generate_key("P-384", {"kid": "ec"}), RSAKey.generate_key(2048, {"kid": "rsa"})]
    stranger = ECKey.generate_key("P-384", {"kid": "ec"})
    document = {"keys": [key.as_dict(private=False) for key in good]}
    async with _served(json.dumps(document).encode()) as jku:
        verdict = _verifier(base, jku)
        discovery = f"{base}/cds-services"
        endpoints = [discovery, *(url for s in SERVICES for url in _endpoints(discovery, s.id))]
        refused = [
            f"{key.kid} for {url}: {why}"
            for key in good
            for url in endpoints
            if (why := await verdict(_token(key, url), url))
        ]
        used = _token(good[0], discovery)
        await verdict(used, discovery)
        now = int(time.time())
        attacks = {
            "replayed": used,
            "audience": _token(good[0], f"{base}/elsewhere"),
            "expired": _token(good[0], discovery, iat=now - 2 * LIFE, exp=now - LIFE),
            "signature": _token(stranger, discovery),
            "issuer": _token(good[0], discovery, iss="urn:somebody-else"),
        }
        passed = [name for name, token in attacks.items() if await verdict(token, discovery) != name]
    return [*_accepted(base, refused, len(endpoints)), *_refused(passed)]


def _accepted(base: str, refused: list[str], endpoints: int) -> list[Finding]:
    if refused:
        return [failed(f"a good token is refused: {shown(refused[0])}", "Report this as a defect.")]
    return [
        ok(
            f"tokens signed with ES384 or RS384 for {shown(base)}/cds-services and its {endpoints} endpoints pass"
        )
    ]


def _refused(passed: list[str]) -> list[Finding]:
    if passed:
        return [
            failed(
                f"a bad token is not refused for being bad ({', '.join(passed)})", "Report this as a defect."
            )
        ]
    return [ok("tokens that are used again, expired, forged, or meant for elsewhere are refused")]


def _endpoints(discovery: str, service: str) -> list[str]:
    return [f"{discovery}/{service}{suffix}" for suffix in ("", "/feedback", "/explain")]


def _token(key: Any, endpoint: str, **claims: Any) -> bytes:
    """A token that is in order, but for the claims given."""
    from joserfc import jwt  # noqa: PLC0415

    now = int(time.time())
    algorithm = "ES384" if key.kid == "ec" else "RS384"
    header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
    body = {"iss": ISSUER, "aud": endpoint, "iat": now, "exp": now + LIFE, "jti": f"doctor-{next(_NUMBERS)}"}
    return jwt.encode(header, body | claims, key, algorithms=[algorithm]).encode()


_NUMBERS = count()


def _verifier(base: str, jku: str) -> Any:
    """What the verifier of the service says to a token for an endpoint: nothing, or why it is refused."""
    from cds_hooks.trust.fetch import read_source  # noqa: PLC0415
    from cds_hooks.trust.key_sets import KeySets  # noqa: PLC0415
    from cds_hooks.trust.refusal import Unauthorised  # noqa: PLC0415
    from cds_hooks.trust.replay import MemoryReplayStore  # noqa: PLC0415
    from cds_hooks.trust.settings import Client, TrustSettings  # noqa: PLC0415
    from cds_hooks.trust.verifier import Verifier  # noqa: PLC0415

    trust = TrustSettings(
        mode="required", base=base, clients=(Client(issuer=ISSUER, jku=jku),), allow_private_addresses=True
    )
    verifier = Verifier(trust.clients, KeySets(partial(read_source, private=True)), MemoryReplayStore())

    async def verdict(token: bytes, endpoint: str) -> str:
        try:
            await verifier.verify((b"Bearer " + token,), endpoint)
        except Unauthorised as refused:
            return refused.reason
        return ""

    return verdict


@asynccontextmanager
async def _served(document: bytes) -> AsyncIterator[str]:
    """The URL of a document on this machine, as long as the block runs."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(document)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + document)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
