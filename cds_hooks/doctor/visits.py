"""Looking at other servers as the service itself would: the same allow-lists, the same refusal of private addresses."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import Any, NamedTuple

import aiohttp

from cds_hooks.addresses import guarded_socket

SECONDS = 5.0
MAX_BYTES = 20_000_000
"""A CapabilityStatement has some megabytes at some servers."""
CHUNK = 65_536
UNTRUSTED = (18, 19, 20, 21)
"""OpenSSL: self-signed, or signed by an authority that this machine does not know."""
EXPIRED, NOT_YET, OTHER_NAME = 10, 9, 62


UNREACHABLE = (
    "Check that the server runs there and that a firewall lets this machine connect; no web proxy is used."
)


class PrivateAddressError(OSError):
    """The service does not connect to private addresses, unless the settings allow it."""


class Trouble(NamedTuple):
    """Why a server could not be looked at, and what to do."""

    problem: str
    fix: str
    kind: str = ""
    """`certificate` if the server answers but is not trusted."""


class Visit(NamedTuple):
    """One answer of a server; `at` is this machine's clock half-way (seconds since 1970)."""

    status: int
    body: bytes
    date: str
    location: str
    at: float
    seconds: float


class Visits:
    """Each address is asked once, however many checks want to know."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Visit | Trouble]] = {}

    async def get(self, url: str, *, private: bool) -> Visit | Trouble:
        """What a GET of `url` (a URL of the settings) gives."""
        if url not in self._tasks:
            self._tasks[url] = asyncio.create_task(_get(url, private))
        return await asyncio.shield(self._tasks[url])


async def _get(url: str, private: bool) -> Visit | Trouble:  # noqa: FBT001 - called here only
    refused: list[OSError] = []

    def made(address: tuple[Any, ...]) -> socket.socket:
        try:
            return socket_towards(address, private=private)
        except OSError as error:
            refused.append(error)  # the library hides it among others
            raise

    try:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(socket_factory=made, force_close=True),
            timeout=aiohttp.ClientTimeout(total=SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        ) as session:
            started = time.time()
            async with session.get(
                url, headers={"Accept": "application/json"}, allow_redirects=False
            ) as response:
                answered = time.time()
                body = bytearray()
                async for chunk in response.content.iter_chunked(CHUNK):
                    body += chunk
                    if len(body) > MAX_BYTES:
                        return Trouble(f"answers with more than {MAX_BYTES} bytes", "Check the address.")
                headers = response.headers
                return Visit(
                    response.status,
                    bytes(body),
                    headers.get("Date", ""),
                    headers.get("Location", ""),
                    (started + answered) / 2,
                    time.time() - started,
                )
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        return explain(refused[0] if refused else error)


def explain(error: Exception) -> Trouble:
    """Why a connection failed; the problem is the rest of a sentence that begins with the server's name."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return distrust(cause)
    if isinstance(cause, ssl.SSLError | aiohttp.ClientSSLError):
        return Trouble(
            "does not answer with TLS", "Check the port, and that the server speaks TLS 1.2 or newer there."
        )
    if isinstance(cause, TimeoutError):
        return Trouble(f"did not answer within {SECONDS:g} seconds", UNREACHABLE)
    if isinstance(cause, PrivateAddressError):
        return Trouble(
            "is at a private address, to which the service does not connect",
            "If it is meant to, set `allow_private_addresses: true` in that section of the settings.",
        )
    if isinstance(cause, socket.gaierror):
        return Trouble("has a name that is not known", "Check the spelling, and this machine's name service.")
    if isinstance(cause, ConnectionRefusedError):
        return Trouble("refuses connections: nothing listens at that port", UNREACHABLE)
    return Trouble(f"cannot be reached ({type(cause).__name__})", UNREACHABLE)


def socket_towards(address: tuple[Any, ...], *, private: bool) -> socket.socket:
    """As `guarded_socket`, but raises PrivateAddressError."""
    try:
        return guarded_socket(address, private=private)
    except OSError:
        raise PrivateAddressError from None


def distrust(error: ssl.SSLCertVerificationError) -> Trouble:
    """Why a certificate was refused."""
    code = error.verify_code
    if code in UNTRUSTED:
        fix = (
            "Let the server send its whole chain. If it is of an authority of your own, start the service with the "
            "variable SSL_CERT_FILE naming a file that holds that authority's certificate."
        )
    elif code == OTHER_NAME:
        fix = "Write the name that the certificate is for, or have a certificate made for this name."
    elif code == EXPIRED:
        fix = "Renew the certificate; if it is new, correct this machine's clock."
    elif code == NOT_YET:
        fix = "Correct this machine's clock, or wait until the certificate is valid."
    else:
        fix = "Have the certificate replaced."
    return Trouble(
        f"has a certificate that is not trusted ({error.verify_message.rstrip('.')})", fix, "certificate"
    )
