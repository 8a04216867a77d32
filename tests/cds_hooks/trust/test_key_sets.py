"""The cache of key sets: rotation, storms of unknown ids, servers that fail, hang, redirect or send too much."""

from __future__ import annotations

import asyncio
import gzip
import logging
from functools import partial
from threading import Event
from typing import Any

import pytest

from cds_hooks.trust import fetch
from cds_hooks.trust.fetch import FetchError, fetch_key_set
from cds_hooks.trust.key_sets import COOLDOWN_SECONDS, FRESH_SECONDS, STALE_SECONDS, KeySets
from cds_hooks.trust.keys import KeyId

get = partial(fetch_key_set, private=True)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> KeySets:
    return KeySets(get, clock=clock)


def of(key: Any) -> KeyId:
    return KeyId(key.kid, "ES384")


def test_a_key_set_is_fetched_once(cache: KeySets, key_server: Any, keys: Any) -> None:
    url = key_server.publish("/keys", keys.public(keys.ec))

    async def ask() -> list[bool]:
        return [await cache.find(url, of(keys.ec)) is not None for _ in range(5)]

    assert asyncio.run(ask()) == [True] * 5
    assert key_server.asked == ["/keys"]


@pytest.mark.parametrize("known", [True, False])
def test_1_000_simultaneous_calls_are_one_fetch(
    cache: KeySets, key_server: Any, keys: Any, known: bool
) -> None:
    url = key_server.publish("/keys", keys.public(keys.ec))

    async def ask() -> list[bool]:
        asked = [cache.find(url, of(keys.ec) if known else KeyId(f"kid-{n}", "ES384")) for n in range(1_000)]
        return [key is not None for key in await asyncio.gather(*asked)]

    assert set(asyncio.run(ask())) == {known}
    assert key_server.asked == ["/keys"]


def test_a_storm_of_unknown_ids_is_one_fetch_for_every_ten_seconds(
    cache: KeySets, clock: Clock, key_server: Any, keys: Any
) -> None:
    url = key_server.publish("/keys", keys.public(keys.ec))

    async def storm() -> None:
        for n in range(300):
            clock.now += 0.1
            assert await cache.find(url, KeyId(f"kid-{n}", "ES384")) is None
            assert await cache.find(url, of(keys.ec)) is not None

    asyncio.run(storm())
    assert len(key_server.asked) == 3


def test_a_new_key_is_known_at_once_and_a_withdrawn_one_forgotten(
    cache: KeySets, clock: Clock, key_server: Any, keys: Any
) -> None:
    url = key_server.publish("/keys", keys.public(keys.ec))

    async def rotate() -> None:
        assert await cache.find(url, of(keys.ec)) is not None
        key_server.publish("/keys", keys.public(keys.ec, keys.other))
        clock.now += COOLDOWN_SECONDS
        assert await cache.find(url, of(keys.other)) is not None
        assert await cache.find(url, of(keys.ec)) is not None
        key_server.publish("/keys", keys.public(keys.other))
        clock.now += FRESH_SECONDS
        assert await cache.find(url, of(keys.ec)) is not None  # the last time: the set is fetched meanwhile
        async with asyncio.timeout(60):
            while await cache.find(url, of(keys.ec)) is not None:  # noqa: ASYNC110 - nothing tells of its end
                await asyncio.sleep(0.01)
        assert await cache.find(url, of(keys.other)) is not None

    asyncio.run(rotate())
    assert len(key_server.asked) == 3


def test_a_key_set_is_used_for_a_day_while_its_server_is_away(
    cache: KeySets, clock: Clock, key_server: Any, keys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url = key_server.publish("/keys", keys.public(keys.ec))

    async def outlive() -> None:
        assert await cache.find(url, of(keys.ec)) is not None
        read_at = clock.now
        key_server.answers["/keys"] = (503, {}, b"canary-7f3a")
        clock.now = read_at + STALE_SECONDS - 1
        assert await cache.find(url, of(keys.ec)) is not None
        async with asyncio.timeout(60):
            while "could not be read" not in caplog.text:  # noqa: ASYNC110 - nothing tells of its end
                await asyncio.sleep(0.01)
        clock.now = read_at + STALE_SECONDS
        assert await cache.find(url, of(keys.ec)) is None
        key_server.publish("/keys", keys.public(keys.ec))
        clock.now += COOLDOWN_SECONDS
        assert await cache.find(url, of(keys.ec)) is not None

    asyncio.run(outlive())
    assert "the key set of 127.0.0.1 could not be read: status 503" in caplog.text
    assert "canary" not in caplog.text


def test_a_server_that_fails_is_not_asked_for_every_call(
    cache: KeySets, clock: Clock, key_server: Any, keys: Any
) -> None:
    async def ask() -> None:
        for _ in range(50):
            assert await cache.find(key_server.url + "/none", of(keys.ec)) is None
        key_server.publish("/none", keys.public(keys.ec))
        clock.now += COOLDOWN_SECONDS
        assert await cache.find(key_server.url + "/none", of(keys.ec)) is not None

    asyncio.run(ask())
    assert len(key_server.asked) == 2


def test_one_impatient_caller_does_not_end_the_wait_of_another(
    cache: KeySets, key_server: Any, keys: Any
) -> None:
    url = key_server.publish("/keys", keys.public(keys.ec))

    async def ask() -> None:
        first, second = (asyncio.create_task(cache.find(url, of(keys.ec))) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert await second is not None

    asyncio.run(ask())


def test_key_sets_of_different_clients_are_kept_apart(cache: KeySets, key_server: Any, keys: Any) -> None:
    ours = key_server.publish("/ours", keys.public(keys.ec))
    theirs = key_server.publish("/theirs", keys.public(keys.other))

    async def ask() -> None:
        assert await cache.find(ours, of(keys.ec)) is not None
        assert await cache.find(theirs, of(keys.ec)) is None
        assert await cache.find(ours, of(keys.other)) is None

    asyncio.run(ask())


class TestFetch:
    def refused(self, url: str, **options: Any) -> str:
        with pytest.raises(FetchError) as caught:
            asyncio.run(fetch_key_set(url, **({"private": True} | options)))
        return str(caught.value)

    def test_a_redirect_is_not_followed(self, key_server: Any, keys: Any) -> None:
        url = key_server.publish("/keys", keys.public(keys.stranger))
        for status in (301, 302, 303, 307, 308):
            key_server.answers["/moved"] = (status, {"Location": url}, b"")
            assert self.refused(key_server.url + "/moved") == f"status {status}"
        assert "/keys" not in key_server.asked

    @pytest.mark.parametrize("status", [204, 206, 401, 404, 500])
    def test_only_200_is_an_answer(self, key_server: Any, status: int) -> None:
        key_server.answers["/keys"] = (status, {}, b"")
        assert self.refused(key_server.url + "/keys") == f"status {status}"

    def test_ten_megabytes_are_cut_off(self, key_server: Any) -> None:
        key_server.answers["/keys"] = (200, {}, b'{"keys":[' + b" " * 10_000_000)
        assert self.refused(key_server.url + "/keys") == "more than 1000000 bytes"

    def test_a_small_answer_that_unpacks_to_300_megabytes_is_cut_off(self, key_server: Any) -> None:
        key_server.answers["/keys"] = (
            200,
            {"Content-Encoding": "gzip"},
            gzip.compress(bytes(300_000_000), 9),
        )
        assert self.refused(key_server.url + "/keys") == "more than 1000000 bytes"

    def test_a_broken_compression_is_no_answer(self, key_server: Any) -> None:
        key_server.answers["/keys"] = (200, {"Content-Encoding": "gzip"}, b"no gzip")
        assert self.refused(key_server.url + "/keys")

    def test_a_server_that_hangs_is_given_up(self, key_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetch, "SECONDS", 0.1)
        key_server.answers["/keys"] = Event()
        assert "Timeout" in self.refused(key_server.url + "/keys")

    def test_nobody_there(self, free_port: int) -> None:
        assert self.refused(f"http://127.0.0.1:{free_port}/keys") == "ClientConnectorError"

    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "0"],
    )
    def test_a_private_address_is_refused_at_the_socket(self, key_server: Any, keys: Any, host: str) -> None:
        url = key_server.publish("/keys", keys.public(keys.ec))
        self.refused(url.replace("127.0.0.1", host), private=False)
        assert key_server.asked == []

    def test_tls_is_checked(self, key_server: Any, keys: Any) -> None:
        url = key_server.publish("/keys", keys.public(keys.ec))
        assert self.refused(url.replace("http://", "https://")) == "ClientConnectorSSLError"


def test_what_is_no_key_set_is_logged_without_its_text(
    cache: KeySets, key_server: Any, keys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url = key_server.publish("/keys", ["canary-7f3a"])
    with caplog.at_level(logging.DEBUG):
        assert asyncio.run(cache.find(url, of(keys.ec))) is None
    assert "could not be read: not a JSON Web Key Set" in caplog.text
    assert "canary" not in "".join(r.getMessage() for r in caplog.records if r.name == "twitching_cds")
