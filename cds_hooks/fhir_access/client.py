"""Reads from a FHIR server: in parallel, within one time budget, from allow-listed servers only.

The token of a call travels only in the headers of requests to that call's own server; it is not kept, logged or
put into an error. Whatever fails becomes a sentence for a gap, never an exception.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urljoin

from cds_hooks.addresses import AddressError, allowed, guarded_socket, parse
from cds_hooks.fhir_access.settings import FhirSettings
from mappings.from_fhir.read import next_links

if TYPE_CHECKING:
    import aiohttp

ACCEPT: Final = {"Accept": "application/fhir+json"}
MAX_PAGES: Final = 10
MAX_BYTES: Final = 10_000_000
"""Of one query, all its pages together."""
CONNECTIONS: Final = 100
CHUNK: Final = 65_536
REASONS: Final = {
    401: "the EHR's server refused the token (401)",
    403: "the token does not allow it (403)",
    404: "the EHR's server does not know it (404)",
    429: "the EHR's server asked to slow down (429)",
}
NOT_ALLOWED: Final = "the EHR's server is not one this service may read"
TOO_LATE: Final = "the EHR's server did not answer in time"


class Access(NamedTuple):
    """The FHIR server of one call and the token for it; without a token an open server."""

    server: str
    token: str = ""


class Fetched(NamedTuple):
    """What one query gave: the pages read, and why there are not more; empty when complete."""

    pages: tuple[bytes, ...]
    failure: str = ""


class _FailedError(Exception):
    """Why a page could not be read, in words for a clinician."""


class FhirClient:
    """One connection pool per process; `close` it at shutdown."""

    def __init__(self, settings: FhirSettings) -> None:
        self.settings = settings
        self.budget = settings.budget_ms / 1000
        self._session: aiohttp.ClientSession | None = None
        if settings.servers:
            import_module("aiohttp")  # 0.2 s and 9 MB, only for those who need it; no call has that time

    def may_read(self, server: str) -> bool:
        """Whether this server is one this service may read."""
        try:
            address = parse(server)
        except AddressError:
            return False
        secure = address.scheme == "https" or self.settings.allow_private_addresses
        return secure and allowed(server, self.settings.servers)

    async def fetch(self, access: Access, queries: Mapping[str, str], deadline: float) -> dict[str, Fetched]:
        """All queries (key -> relative query) at once; `deadline` is a time of `time.monotonic`."""
        if not self.may_read(access.server):
            return dict.fromkeys(queries, Fetched((), NOT_ALLOWED))
        collected: dict[str, list[bytes]] = {key: [] for key in queries}
        tasks = {
            key: asyncio.create_task(self._pages(access, query, collected[key]))
            for key, query in queries.items()
        }
        if tasks:
            await asyncio.wait(tasks.values(), timeout=max(0.0, deadline - time.monotonic()))
        for task in tasks.values():
            task.cancel()
        done = await asyncio.gather(*tasks.values(), return_exceptions=True)
        return {
            key: Fetched(tuple(collected[key]), result if isinstance(result, str) else TOO_LATE)
            for key, result in zip(tasks, done, strict=True)
        }

    async def _pages(self, access: Access, query: str, pages: list[bytes]) -> str:
        """Reads page after page into `pages`; answers why it stopped early, or nothing."""
        from aiohttp import ClientError  # noqa: PLC0415 - see `__init__`

        base = f"{access.server.rstrip('/')}/"
        url = urljoin(base, query)
        for _ in range(MAX_PAGES):
            if not allowed(url, (access.server,)):
                return "a further page is on another server"
            try:
                page = await self._get(url, access, MAX_BYTES - sum(map(len, pages)))
            except _FailedError as failed:
                return str(failed)
            except TimeoutError:
                return TOO_LATE
            except (ClientError, OSError, ValueError):
                return "the EHR's server could not be reached"
            pages.append(page)
            links = next_links(page)
            if not links:
                return ""
            url = urljoin(base, links[0])
        return f"there are more than {MAX_PAGES} pages"

    async def _get(self, url: str, access: Access, most: int) -> bytes:
        """One page of at most so many bytes, decompressed. Raises _FailedError."""
        headers = ACCEPT | ({"Authorization": f"Bearer {access.token}"} if access.token else {})
        async with self._pool().get(url, headers=headers, allow_redirects=False) as response:
            if response.status != 200:
                raise _FailedError(_reason(response.status))
            page = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK):
                page += chunk
                if len(page) > most:
                    raise _FailedError(f"the answer is larger than {MAX_BYTES // 1_000_000} MB")
        if page.lstrip()[:1] != b"{" or not _is_utf_8(page):
            raise _FailedError("the EHR's server did not answer with a FHIR resource")
        return bytes(page)

    def _pool(self) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415 - see `__init__`

        if self._session is None:
            private = self.settings.allow_private_addresses
            connector = aiohttp.TCPConnector(
                socket_factory=partial(guarded_socket, private=private), limit=CONNECTIONS, ttl_dns_cache=30
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self.budget),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _is_utf_8(page: bytearray) -> bool:
    """The reader does not look into the strings it passes over."""
    try:
        return page.isascii() or bool(str(page, "utf-8"))
    except UnicodeDecodeError:
        return False


def _reason(status: int) -> str:
    if 300 <= status < 400:
        return "the EHR's server redirected elsewhere"
    return REASONS.get(status, f"the EHR's server answered with an error ({status})")
