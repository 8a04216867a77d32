"""The public keys of a JSON Web Key Set (RFC 7517), as far as this service uses them."""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from msgspec import Raw, Struct

from cds_hooks.trust.public_test_keys import public_test_keys
from cds_hooks.trust.token import ALGORITHMS, MAX_HEADER, MAX_TOKEN, Text, Token

logger = logging.getLogger("twitching_cds")
MAX_KEYS = 200
MODULUS_BITS = range(2_048, 8_193)
"""Shorter moduli can be factored (NIST SP 800-131A), longer ones take long to check."""
EXPONENT_BITS = range(2, 65)
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""A key with one of these is symmetric, or has told its secret to everybody."""

Key = ECKey | RSAKey


class KeyId(NamedTuple):
    """What a token names its key by."""

    kid: str
    algorithm: str


class KeySetError(ValueError):
    """Not a JSON Web Key Set."""


class _UnusableKeyError(ValueError):
    """A key that is left out, with our own words for why."""


class _KeySet(Struct, frozen=True):
    keys: list[Raw]


class _Usable(Struct, frozen=True, kw_only=True):
    """What every usable key has in common; decoding fails for others."""

    kid: Text
    use: Literal["sig"] = "sig"
    key_ops: tuple[str, ...] = ("verify",)


class _EllipticCurve(_Usable, frozen=True, kw_only=True, tag_field="kty", tag="EC"):
    crv: Literal["P-384"]
    x: str
    y: str
    alg: Literal["ES384"] = "ES384"


class _Rsa(_Usable, frozen=True, kw_only=True, tag_field="kty", tag="RSA"):
    n: str
    e: str
    alg: Literal["RS384"] = "RS384"


class _Registry(jws.JWSRegistry):
    """The library's limits, set to those that `read_token` has applied."""

    max_header_length = MAX_HEADER
    max_payload_length = MAX_TOKEN
    max_signature_length = MAX_TOKEN


WRONG_TYPE = "it is not a well-formed public key"
_WHY = {
    "kid": "it has no `kid`, so no token can name it",
    "kty": "its `kty` is neither EC nor RSA",
    "crv": "its curve is not P-384, which ES384 needs",
    "alg": "its `alg` is neither ES384 (EC) nor RS384 (RSA)",
    "use": "its `use` is not `sig`",
}
"""By the member that the decoder complains about."""
_MEMBER = re.compile(r"`(?:\$\.)?(\w+)`")
_members = msgspec.json.Decoder(dict[str, Raw])
_key_set = msgspec.json.Decoder(_KeySet)
_key = msgspec.json.Decoder(_EllipticCurve | _Rsa)
_registry = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


class Unusable(NamedTuple):
    """A key that is left out: which of its set, counted from 1, and why, in words that name nothing of the key."""

    number: int
    problem: str


def read_key_set(document: bytes, *, public_test: bool = False) -> Mapping[KeyId, Key]:
    """The usable keys of a key set: P-384 for ES384, RSA from 2,048 bits for RS384; of equal ids the first.

    Others are left out: private and symmetric keys, keys for encryption or another algorithm, keys without an id,
    keys whose private half is published (unless `public_test`). Raises KeySetError.
    """
    keys, unusable = sort_keys(document, public_test=public_test)
    if unusable:
        logger.info("%d of %d keys of a key set are not usable", len(unusable), len(keys) + len(unusable))
    return keys


def sort_keys(
    document: bytes, *, public_test: bool = False
) -> tuple[Mapping[KeyId, Key], tuple[Unusable, ...]]:
    """The usable keys as `read_key_set` gives them, and the others with what is wrong with each. Raises KeySetError."""
    try:
        listed = _key_set.decode(document).keys[:MAX_KEYS]
    except (ValueError, RecursionError):
        raise KeySetError("not a JSON Web Key Set") from None
    keys: dict[KeyId, Key] = {}
    unusable: list[Unusable] = []
    for number, raw in enumerate(listed, 1):
        try:
            identifier, key = _read_key(raw)
        except msgspec.ValidationError as error:
            problem = _WHY.get(_place(error), WRONG_TYPE)
        except _UnusableKeyError as error:
            problem = str(error)
        except (JoseError, ValueError, RecursionError):
            problem = WRONG_TYPE
        else:
            if not public_test and key.thumbprint() in public_test_keys().thumbprints:
                problem = "its private half is published, anybody can sign with it"
            elif keys.setdefault(identifier, key) is key:
                continue
            else:
                problem = "an earlier key has the same `kid` and algorithm"
        unusable.append(Unusable(number, problem))
    return keys, tuple(unusable)


def signed(token: Token, key: Key) -> bool:
    """Whether this key signed this token. 0.06 ms for RS384 and 0.6 ms for ES384, during which nothing else runs."""
    try:
        jws.deserialize_compact(token.compact, key, registry=_registry)
    except (JoseError, ValueError, TypeError, RecursionError):
        return False
    return True


def _read_key(raw: Raw) -> tuple[KeyId, Key]:
    """One key. Raises ValueError, RecursionError or JoseError for one that is not usable."""
    if PRIVATE_MEMBERS & _members.decode(raw).keys():
        raise _UnusableKeyError("it is a private or symmetric key; whoever sent it must make a new one")
    found = _key.decode(raw)
    if "verify" not in found.key_ops:
        raise _UnusableKeyError("its `key_ops` does not hold `verify`")
    identifier = KeyId(found.kid, found.alg)
    if isinstance(found, _EllipticCurve):
        return identifier, ECKey.import_key({"kty": "EC", "crv": found.crv, "x": found.x, "y": found.y})
    if _bits(found.n) not in MODULUS_BITS or _bits(found.e) not in EXPONENT_BITS:
        raise _UnusableKeyError(
            f"its modulus is not between {MODULUS_BITS[0]} and {MODULUS_BITS[-1]} bits long"
        )
    return identifier, RSAKey.import_key({"kty": "RSA", "n": found.n, "e": found.e})


def _place(error: msgspec.ValidationError) -> str:
    """The member of a key that is missing or wrong."""
    found = _MEMBER.search(str(error))
    return found[1] if found else ""


def _bits(number: str) -> int:
    """The length of a base64url number. Raises ValueError."""
    data = b64decode(number + "=" * (-len(number) % 4), b"-_", validate=True)
    return int.from_bytes(data, "big").bit_length()
