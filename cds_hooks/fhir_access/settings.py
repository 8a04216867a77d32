"""The part of the settings that says which FHIR servers may be read (`fhir:` in the settings file)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from cds_hooks.addresses import AddressError, parse


def _listed(value: object) -> object:
    """A comma-separated text is a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _server(url: str) -> str:
    try:
        parse(url)
    except AddressError as error:
        raise ValueError(str(error)) from None
    return url.rstrip("/")


class FhirSettings(BaseModel):
    """Which FHIR servers may be read, and for how long a call may wait for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: Annotated[tuple[Annotated[str, AfterValidator(_server)], ...], BeforeValidator(_listed)] = ()
    """Base URLs; a call that names another server is answered from its prefetch alone."""
    allow_private_addresses: bool = False
    """Servers may be at private addresses, and over http: for tests and closed networks."""
    budget_ms: Annotated[int, Field(gt=0, le=10_000)] = 400
    """Milliseconds for all reading of one call together; what has not arrived by then is a gap."""
