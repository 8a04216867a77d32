"""The public keys of a JSON Web Key Set (RFC 7517), as far as this service uses them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from msgspec import Raw, Struct

from cds_hooks.trust.public_test_keys import public_test_keys
from cds_hooks.trust.token import ALGORITHMS, MAX_HEADER, MAX_TOKEN, Token

logger = logging.getLogger("twitching_cds")
MAX_KEYS = 200
RSA_BITS = range(2_048, 8_193)
"""Shorter ones can be broken (NIST SP 800-131A), longer ones take long to check."""
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""A key with one of these is no longer a secret of its owner (or symmetric)."""
ALGORITHM_OF = {"RSA": "RS384", "EC": "ES384"}


class KeyId(NamedTuple):
    """What a token names its key by."""

    kid: str
    algorithm: str


Key = ECKey | RSAKey


class KeySetError(ValueError):
    """Not a JSON Web Key Set."""


class _KeySet(Struct, frozen=True):
    keys: list[Raw]


class _Registry(jws.JWSRegistry):
    """The library's limits, set to those that `read_token` has applied."""

    max_header_length = MAX_HEADER
    max_payload_length = MAX_TOKEN
    max_signature_length = MAX_TOKEN


_registry = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


def read_key_set(document: bytes, *, public_test: bool = False) -> Mapping[KeyId, Key]:
    """The usable keys of a key set: P-384 for ES384, RSA from 2,048 bits for RS384; of equal ids the first.

    Others are left out: private and symmetric keys, keys for encryption or another algorithm, keys without an id,
    keys whose private half is published (unless `public_test`). Raises KeySetError.
    """
    try:
        listed = msgspec.json.decode(document, type=_KeySet).keys
    except (ValueError, RecursionError):
        raise KeySetError("not a JSON Web Key Set") from None
    keys: dict[KeyId, Key] = {}
    for raw in listed[:MAX_KEYS]:
        found = _read_key(raw, public_test=public_test)
        if found is None:
            logger.info("a key of a key set is not usable and is ignored")
        else:
            keys.setdefault(*found)
    return keys


def signed(token: Token, key: Key) -> bool:
    """Whether this key signed this token."""
    try:
        jws.deserialize_compact(token.compact, key, registry=_registry)
    except (JoseError, ValueError, TypeError, RecursionError):
        return False
    return True


def _read_key(raw: Raw, *, public_test: bool) -> tuple[KeyId, Key] | None:
    try:
        members = msgspec.json.decode(raw, type=dict[str, str | list[str] | int | bool | None])
        kid, kind = members.get("kid"), members.get("kty")
        if not (isinstance(kid, str) and kid and isinstance(kind, str)) or PRIVATE_MEMBERS & members.keys():
            return None
        ...
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return None
