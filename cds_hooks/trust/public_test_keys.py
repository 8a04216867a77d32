"""Keys and issuers whose private key is published: good for trying things out, no proof of anything."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from cds_hooks.addresses import AddressError, parse

FILE = Path(__file__).with_suffix(".yaml")


class PublicTestKeys(NamedTuple):
    """JWK thumbprints (RFC 7638) and hosts."""

    thumbprints: frozenset[str]
    hosts: frozenset[str]


@lru_cache(maxsize=1)
def public_test_keys() -> PublicTestKeys:
    """The reviewed list beside this module."""
    listed = yaml.load(FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return PublicTestKeys(
        frozenset(key["thumbprint"] for key in listed["keys"]),
        frozenset(host["host"] for host in listed["hosts"]),
    )


def is_public_test_site(url: str) -> bool:
    """Whether an issuer or key set URL belongs to a site that signs with a published key."""
    try:
        return parse(url).host in public_test_keys().hosts
    except AddressError:
        return False
