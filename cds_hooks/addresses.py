"""Which addresses this service may connect to: allow-listed servers only, never a private address by accident.

URLs are compared by parsed origin and path segments, never by text prefix (`https://ehr.org.evil` is not
`https://ehr.org`). A URL that two parsers could read differently is refused rather than interpreted. The socket itself
refuses private addresses, whatever a name resolves to.
Sources: OWASP ASVS 5.0 1.3.6 and 1.5.3; GHSA-vr79-8m62-wh98 (a prefix check that leaked tokens).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

DEFAULT_PORTS = {"https": 443, "http": 80}
MAX_LENGTH = 8_192
MAX_HOST = 253
PRINTABLE = re.compile(r"[!-\[\]^-~]*")
"""ASCII without blanks, control characters and backslashes; other scripts arrive percent- or Punycode-encoded."""
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""The last label of a host that resolvers take for an IPv4 address (WHATWG URL, `ends in a number`)."""
UNICAST = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses as seen through a translator (RFC 6052)."""


class Address(NamedTuple):
    """A parsed http(s) URL: where it goes and which path it names. `host` is canonical and lower case."""

    scheme: str
    host: str
    port: int
    path: tuple[str, ...]


class AddressError(ValueError):
    """A URL this service does not connect to; the message says why, without the URL."""


def parse(url: str) -> Address:
    """The origin and path segments of an absolute http(s) URL. Raises AddressError."""
    if len(url) > MAX_LENGTH:
        raise AddressError(f"the address is longer than {MAX_LENGTH} characters")
    if not PRINTABLE.fullmatch(url):
        raise AddressError("the address holds a blank, a backslash, a control character or one outside ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressError("the address is malformed") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not url.partition(":")[2].startswith("//"):
        raise AddressError("the address is not an absolute http or https URL")
    if "@" in parts.netloc or "%" in parts.netloc or "#" in url:
        raise AddressError("the address holds credentials, an encoded host, a zone or a fragment")
    if port == 0 or parts.netloc.endswith(":"):
        raise AddressError("the address has no usable port")
    return Address(parts.scheme, _host(parts), port or DEFAULT_PORTS[parts.scheme], _segments(parts.path))


def allowed(url: str, servers: Iterable[str]) -> bool:
    """Whether `url` is one of `servers` or below it: same scheme, host and port, path segment by segment.

    Raises AddressError for a server that is no address; `url` may be anything.
    """
    try:
        asked = parse(url)
    except AddressError:
        return False
    bases = (parse(server) for server in servers)
    return any(asked[:3] == base[:3] and asked.path[: len(base.path)] == base.path for base in bases)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when it carries an IPv4 address inside."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)))
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        return ip in UNICAST and ip.is_global
    return ip.is_global and not ip.is_multicast


def guarded_socket(address: tuple[Any, ...], *, private: bool) -> socket.socket:
    """A socket towards the result of `getaddrinfo`, as aiohttp's `TCPConnector(socket_factory=…)` wants it.

    Raises OSError for a private address, unless `private` allows it. This is the one place that every connection
    passes, whether the URL held a name, a number or a name that resolves differently the second time.
    """
    family, kind, protocol, _, target = address
    if not private and not (family in (socket.AF_INET, socket.AF_INET6) and is_public(str(target[0]))):
        raise OSError("private address refused")
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    return made


def _host(parts: SplitResult) -> str:
    """The canonical host. Raises AddressError."""
    host = parts.hostname or ""
    labels = host.split(".")
    try:
        if "[" in parts.netloc:
            return str(ipaddress.IPv6Address(host))
        if NUMBER.fullmatch(labels[-1]):
            return str(ipaddress.IPv4Address(host))  # four decimal numbers; every other spelling is refused
    except ValueError:
        raise AddressError("the address has an unusable host") from None
    if len(host) > MAX_HOST or not all(LABEL.fullmatch(label) for label in labels):
        raise AddressError("the address has an unusable host")
    return host


def _segments(path: str) -> tuple[str, ...]:
    """The decoded segments, without the empty one of a trailing slash. Raises AddressError.

    `..;x` is refused as well, because some servers drop what follows the semicolon before they climb.
    """
    segments = tuple(unquote(segment, errors="replace") for segment in path.split("/")[1:])
    for segment in segments:
        climbs = segment.partition(";")[0] in (".", "..")
        if climbs or "%" in segment or not all(c.isprintable() and c not in "/\\\ufffd" for c in segment):
            raise AddressError("the path of the address is ambiguous")
    return segments[:-1] if segments and not segments[-1] else segments


def is_loopback(host: str) -> bool:
    """Whether a server that listens at this host or address is reached from its own machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
