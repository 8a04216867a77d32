"""Reading a key set: as it was handed over, or by one GET, bounded in time and size, never redirected, never private."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import aiohttp

from cds_hooks.addresses import guarded_socket
from cds_hooks.trust.key_source import MAX_BYTES, FetchError, KeySource, read_key_file

SECONDS = 2.0
CHUNK = 65_536


async def read_source(source: KeySource, *, private: bool) -> bytes:
    """The document of a key set. Raises FetchError."""
    if isinstance(source, bytes):
        return source
    if isinstance(source, Path):
        return await asyncio.to_thread(read_key_file, source)
    return await fetch_key_set(source, private=private)


async def fetch_key_set(url: str, *, private: bool) -> bytes:
    """The document at `url`. Raises FetchError.

    A session of its own, because key sets are read every few minutes: there is no connection to keep or to close.
    """
    connector = aiohttp.TCPConnector(
        socket_factory=partial(guarded_socket, private=private), force_close=True
    )
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            ) as session,
            session.get(url, headers={"Accept": "application/json"}, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise FetchError(f"status {response.status}")
            return await _bounded(response.content)
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        raise FetchError(type(error).__name__) from None


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """The body, decompressed, at most `MAX_BYTES`. Raises FetchError."""
    document = bytearray()
    async for chunk in content.iter_chunked(CHUNK):
        document += chunk
        if len(document) > MAX_BYTES:
            raise FetchError(f"more than {MAX_BYTES} bytes")
    return bytes(document)
