"""The verifier by itself: what it tells, when it answers, what it leaves to whom."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from functools import partial
from typing import Any

import pytest

from cds_hooks.trust import verifier as module
from cds_hooks.trust.fetch import fetch_key_set
from cds_hooks.trust.key_sets import KeySets
from cds_hooks.trust.refusal import Unauthorised
from cds_hooks.trust.replay import MemoryReplayStore
from cds_hooks.trust.settings import Client
from cds_hooks.trust.verifier import Caller, Verifier

NOTHING: list[bytes] = []


@pytest.fixture
def checked(key_server: Any, forge: Any) -> Verifier:
    """Knows one client; a key set that is there is at hand."""
    url = key_server.publish("/keys", forge.keys.public(forge.keys.ec, forge.keys.rsa))
    key_sets = KeySets(partial(fetch_key_set, private=True))
    return Verifier([Client(issuer=forge.iss, jku=url)], key_sets, MemoryReplayStore())


def test_the_caller_is_told(checked: Verifier, forge: Any) -> None:
    async def ask() -> None:
        for tenant in ("a", ...):
            authorization = [b"Bearer " + forge.token(tenant=tenant)]
            caller = await checked.verify(authorization, forge.aud)
            assert caller == Caller(forge.iss, None if tenant is ... else "a")

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("issuer", "host"),
    [
        ("https://ehr.example/fhir", "ehr.example"),
        ("https://EHR.example:8443", "ehr.example"),
        ("https://user:secret@ehr.example", ""),
        ("https://ehr.example\nforged", ""),
        ("forged", ""),
        ("x" * 2_000, ""),
    ],
)
def test_of_an_unknown_issuer_at_most_the_host_is_told(
    checked: Verifier, forge: Any, issuer: str, host: str
) -> None:
    with pytest.raises(Unauthorised) as caught:
        asyncio.run(checked.verify([b"Bearer " + forge.token(iss=issuer)], forge.aud))
    assert (caught.value.reason, caught.value.issuer_host) == ("issuer", host)
    assert str(caught.value) == "issuer"


def test_a_refusal_takes_the_same_time_whatever_is_wrong(
    checked: Verifier, forge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REFUSAL_SECONDS", 0.2)
    good = forge.token()
    attacks = {
        "no-token": NOTHING,
        "malformed": [b"Bearer x"],
        "issuer": [b"Bearer " + forge.token(iss="https://evil.example")],
        "signature": [b"Bearer " + forge.token(forge.keys.stranger)],
        "replayed": [b"Bearer " + good],
    }

    async def ask() -> dict[str, list[float]]:
        await checked.verify([b"Bearer " + good], forge.aud)
        took = defaultdict(list)
        for _ in range(3):
            for reason, authorization in attacks.items():
                started = time.monotonic()
                with pytest.raises(Unauthorised, match=f"^{reason}$"):
                    await checked.verify(authorization, forge.aud)
                took[reason].append(time.monotonic() - started)
        return took

    took = asyncio.run(ask())
    assert min(map(min, took.values())) >= 0.199
    assert max(map(min, took.values())) < 0.4  # the quickest of each: a busy machine may wake up late


def test_a_forged_token_leaves_no_trace_and_fetches_no_key_set(
    checked: Verifier, forge: Any, key_server: Any
) -> None:
    async def ask() -> None:
        for authorization in (
            [b"Bearer " + forge.token(iss="https://evil.example")],
            [b"Bearer " + forge.token(header={"jku": key_server.url + "/evil"})],
            [b"Bearer " + forge.token(aud="https://evil.example")],
        ):
            with pytest.raises(Unauthorised):
                await checked.verify(authorization, forge.aud)
        assert key_server.asked == []
        with pytest.raises(Unauthorised, match="signature"):
            await checked.verify([b"Bearer " + forge.token(forge.keys.stranger, jti="a")], forge.aud)
        await checked.verify([b"Bearer " + forge.token(jti="a")], forge.aud)
        assert key_server.asked == ["/keys"]

    asyncio.run(ask())


def test_a_token_is_remembered_until_nobody_would_take_it(forge: Any, key_server: Any) -> None:
    remembered: list[float] = []

    class Store:
        async def seen(self, _: str, __: str, until: float) -> bool:
            remembered.append(until)
            return False

    url = key_server.publish("/keys", forge.keys.public(forge.keys.ec))
    verifier = Verifier(
        [Client(issuer=forge.iss, jku=url)], KeySets(partial(fetch_key_set, private=True)), Store()
    )
    expires = int(time.time()) + 100
    asyncio.run(verifier.verify([b"Bearer " + forge.token(exp=expires)], forge.aud))
    assert remembered == [expires + 60]
