"""The JSON Web Token as it arrives: structure and types, nothing of it believed yet (RFC 7515, RFC 7519)."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from cds_hooks.envelope import Name
from cds_hooks.trust.refusal import Reason, Unauthorised

MAX_TOKEN = 16_384
MAX_HEADER = 8_192
COMPACT = re.compile(rb"([\w-]+)\.([\w-]+)\.[\w-]+")
ALGORITHMS = ("RS384", "ES384")
"""What CDS Hooks recommends; every other algorithm is off, `none` and the symmetric ones above all."""
REFUSED_HEADERS = frozenset({"jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})
"""By these a token brings or points at its own key, or changes what its signature means (RFC 7515 4.1, RFC 7797)."""

Text = Annotated[str, Meta(min_length=1, max_length=2_048)]
Seconds = Annotated[int, Meta(ge=0, le=2**53)] | Annotated[float, Meta(ge=0, le=2**53)]
"""A NumericDate (RFC 7519 2). A boolean, a string, NaN, infinity and 1e400 are none."""


class Header(Struct, frozen=True):
    """The header of a token; members it does not name are ignored, as RFC 7515 asks."""

    alg: str
    kid: Text
    typ: Literal["JWT"]
    jku: str | None = None


class Claims(Struct, frozen=True):
    """The claims that CDS Hooks 2.0 defines, and `nbf`. All of them are the caller's word until the signature is checked."""

    iss: Text
    aud: str | list[str]
    exp: Seconds
    iat: Seconds
    jti: Annotated[str, Meta(min_length=1, max_length=255)]
    nbf: Seconds | None = None
    tenant: Text | None = None


class Token(NamedTuple):
    """A token whose structure is in order; its signature is not yet checked."""

    compact: bytes
    header: Header
    claims: Claims


T = TypeVar("T", Header, Claims)
_header = msgspec.json.Decoder(Header)
_claims = msgspec.json.Decoder(Claims)
_members = msgspec.json.Decoder(dict[Name, Raw], dec_hook=lambda kind, name: kind(name))


def bearer(authorization: Sequence[bytes]) -> bytes:
    """The token in the `Authorization` headers of one call. Raises Unauthorised."""
    if len(authorization) != 1:
        raise Unauthorised("no-token")
    scheme, _, token = authorization[0].partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise Unauthorised("no-token")
    return token


def read_token(compact: bytes) -> Token:
    """Take a token apart. Raises Unauthorised."""
    if len(compact) > MAX_TOKEN:
        raise Unauthorised("too-long")
    parts = COMPACT.fullmatch(compact)
    if parts is None:
        raise Unauthorised("malformed")
    if len(parts[1]) > MAX_HEADER:
        raise Unauthorised("too-long")
    names, header = _read(parts[1], _header, "header")
    if header.alg not in ALGORITHMS:
        raise Unauthorised("algorithm")
    if names & REFUSED_HEADERS:
        raise Unauthorised("header")
    return Token(compact, header, _read(parts[2], _claims, "claims")[1])


def _read(part: bytes, decoder: msgspec.json.Decoder[T], wrong: Reason) -> tuple[set[str], T]:
    """The names of the members and the typed object. Raises Unauthorised; a name that stands there twice is malformed."""
    try:
        text = b64decode(part + b"=" * (-len(part) % 4), b"-_", validate=True)
        members = _members.decode(text)
        names = {str(name) for name in members}
        if len(names) < len(members):
            raise Unauthorised("malformed")
        return names, decoder.decode(text)
    except msgspec.ValidationError:
        raise Unauthorised(wrong) from None
    except (ValueError, RecursionError):  # not base64url, not JSON, or nested too deeply
        raise Unauthorised("malformed") from None
