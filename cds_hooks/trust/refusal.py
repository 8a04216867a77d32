"""Why a caller is not trusted. The caller never learns it; the log names the code and nothing else of the token."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "no-token",  # no `Authorization: Bearer`, or more than one
    "too-long",
    "malformed",  # not three parts of base64url around JSON objects without repeated names
    "algorithm",
    "header",  # `typ` or `kid` missing or wrong, or a header that brings its own key
    "claims",  # a required claim is missing or of the wrong type
    "issuer",
    "tenant",
    "key-set-url",  # `jku` is not the one that was registered
    "audience",
    "expired",
    "not-yet-valid",
    "lifetime",
    "key",  # the key set holds no usable key of that id, or could not be read
    "signature",
    "replayed",
]


class Unauthorised(Exception):  # noqa: N818 - it is an answer, not a fault
    """The caller is not trusted; `issuer_host` is empty unless the token could be read that far."""

    def __init__(self, reason: Reason, issuer_host: str = "") -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.issuer_host = issuer_host
