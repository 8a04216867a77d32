"""The part of the settings that says whose calls are answered (`trust:` in the settings file)."""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    TypeAdapter,
    model_validator,
)

from cds_hooks.addresses import AddressError, parse
from cds_hooks.trust.key_source import FetchError, KeySource, read_key_file
from cds_hooks.trust.public_test_keys import is_public_test_site


def absolute(url: str) -> str:
    """An absolute http(s) URL without a slash at its end. Raises ValueError."""
    TypeAdapter(HttpUrl).validate_python(url)
    return url.rstrip("/")


def without_query(url: str) -> str:
    """Such a URL that paths can be put behind. Raises ValueError."""
    if "?" in url or "#" in url:
        raise ValueError("write the URL without `?` and `#`: paths are put behind it")
    return absolute(url)


def _mode(value: object) -> object:
    """`off`, which YAML reads as false."""
    return "off" if value is False else value


def _digest(text: str) -> str:
    if not SHA_256.fullmatch(text):
        raise ValueError("write the SHA-256 of the key, 64 characters of 0 to 9 and a to f")
    return text


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


SHA_256 = re.compile(r"[0-9a-f]{64}")
Mode = Annotated[Literal["off", "required"], BeforeValidator(_mode)]
Text = Annotated[str, Field(min_length=1, max_length=2_048)]


class Client(BaseModel):
    """One registered CDS client. Several may share an issuer if their tenants differ."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Text
    """The `iss` of its tokens, to the letter."""
    jku: Text | None = None
    """Where its key set is; the `jku` of its tokens, if they have one, to the letter."""
    jwks: Annotated[Path | dict[str, Any] | None, Field(repr=False)] = None
    """Instead of `jku`: its key set as it was handed over, a file or the JSON Web Key Set itself."""
    audience: Annotated[tuple[Text, ...], BeforeValidator(_list)] = ()
    """Values of `aud` accepted besides the URL of the endpoint, for clients where it is typed in by hand."""
    tenant: Text | None = None
    """The `tenant` of its tokens; without it, every tenant that no other entry names."""

    @cached_property
    def key_source(self) -> KeySource:
        """Where its keys are."""
        if isinstance(self.jwks, dict):
            return json.dumps(self.jwks).encode()
        return self.jwks or self.jku or b""


class Operator(BaseModel):
    """Somebody who may see the pages of a protected service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    """What the log calls them."""
    key_sha256: Annotated[str, AfterValidator(_digest), Field(repr=False)]
    """SHA-256 of their key, in hexadecimal. Enough for a key of random letters; never choose one yourself."""


class TrustSettings(BaseModel):
    """Who may call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Mode = "off"
    """`off`: callers are not authenticated, so `serve` listens on loopback addresses only."""
    base: Annotated[str, AfterValidator(without_query)] | None = None
    """Where clients reach this service, if that is not `base_url`: the `aud` of a token is an endpoint below it."""
    allow_private_addresses: bool = False
    """Key sets may be at private addresses, and over http: for tests and closed networks."""
    allow_public_test_keys: bool = False
    """Tokens signed with a published private key count, as those of the CDS Hooks sandbox: for trying out only."""
    clients: tuple[Client, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        """What the fields alone do not say. Raises ValueError."""
        if self.mode == "required" and not self.clients:
            raise ValueError("`required` needs `clients`: name at least one, or nobody can call")
        names = [(client.issuer, client.tenant) for client in self.clients]
        for number, client in enumerate(self.clients, 1):
            if (problem := self._problem(client)) or names.index(names[number - 1]) != number - 1:
                raise ValueError(
                    f"client {number}: {problem or 'an earlier one has the same issuer and tenant'}"
                )
        return self

    def _problem(self, client: Client) -> str:
        if (client.jku is None) == (client.jwks is None):
            return "write either `jku` (where its keys are) or `jwks` (the keys, if they were handed over)"
        if not self.allow_public_test_keys and any(
            map(is_public_test_site, (client.issuer, client.jku or ""))
        ):
            return (
                "the private key of this issuer is published, anybody can sign as it; to try the service out, "
                "set `allow_public_test_keys: true`"
            )
        return self._wrong_jwks(client) if client.jku is None else self._wrong_jku(client.jku)

    def _wrong_jku(self, jku: str) -> str:
        try:
            scheme = parse(jku).scheme
        except AddressError as error:
            return f"`jku` cannot be used, {error}"
        if scheme != "https" and not self.allow_private_addresses:
            return "`jku` must be an https URL (http only with `allow_private_addresses`)"
        return ""

    def _wrong_jwks(self, client: Client) -> str:
        from cds_hooks.trust.keys import KeySetError, sort_keys  # noqa: PLC0415 - loads the cryptography

        source = client.key_source
        try:
            document = source if isinstance(source, bytes) else read_key_file(Path(source))
            keys, unusable = sort_keys(document, public_test=self.allow_public_test_keys)
        except FetchError as error:
            return f"`jwks`: the file cannot be read, {error}"
        except KeySetError:
            return '`jwks` is not a JSON Web Key Set, as in {"keys": [...]}'
        if keys:
            return ""
        why = "; ".join(f"key {number}: {problem}" for number, problem in unusable)
        return f"`jwks` holds no usable key{f' ({why})' if why else ''}"
