"""The settings of one installation: environment variables `TWITCHING_CDS_…` over an optional YAML file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from cds_hooks.fhir_access.settings import FhirSettings
from cds_hooks.pages.settings import PagesSection, PagesSettings
from cds_hooks.trust.settings import TrustSettings, absolute, without_query
from cds_hooks.wrong_value import in_words
from mappings.knowledge import StrictLoader

PREFIX = "TWITCHING_CDS_"
CONFIG = f"{PREFIX}CONFIG"
ALLOW_PRIVATE_ADDRESSES = f"{PREFIX}ALLOW_PRIVATE_ADDRESSES"
CONNECTING_SECTIONS = ("trust", "fhir")
FHIR_SERVERS = f"{PREFIX}FHIR_SERVERS"
SHORTEST_SECRET = 32

OTHERS = (CONFIG, ALLOW_PRIVATE_ADDRESSES, FHIR_SERVERS)
KUBERNETES = re.compile(PREFIX + r"(SERVICE_HOST|SERVICE_PORT\w*|PORT(_\d+_(TCP|UDP)\w*)?)")


class SettingsError(ValueError):
    """Settings that cannot be used: one line per problem, each with the setting and what to write."""


def _state_file() -> str:
    """A file in the state directory that systemd names (`StateDirectory=`), or else in the current directory."""
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return f"sqlite:///{Path(folder) / 'twitching-cds.sqlite3'}"


def _long(secret: SecretStr) -> SecretStr:
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"write {SHORTEST_SECRET} characters or more")
    return secret


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class _Environment(EnvSettingsSource):
    """The environment; some of its variables stand for one member of a section of the file."""

    def prepare_field_value(
        self,
        field_name: str,
        field: FieldInfo,
        value: Any,
        value_is_complex: bool,  # noqa: FBT001 - the library's signature
    ) -> Any:
        """`TWITCHING_CDS_TRUST` is the mode; the clients stay those of the file."""
        if field_name == "trust" and value is not None:
            return {"mode": value}
        if field_name == "pages":
            return value  # `on` or `off`; what is on in detail is for the file
        return super().prepare_field_value(field_name, field, value, value_is_complex)

    def __call__(self) -> dict[str, Any]:
        """The values, with `TWITCHING_CDS_ALLOW_PRIVATE_ADDRESSES` in every section that knows it."""
        values = super().__call__()
        if FHIR_SERVERS in os.environ:
            values.setdefault("fhir", {})["servers"] = os.environ[FHIR_SERVERS]
        if ALLOW_PRIVATE_ADDRESSES in os.environ:
            for section in CONNECTING_SECTIONS:
                values.setdefault(section, {})["allow_private_addresses"] = os.environ[
                    ALLOW_PRIVATE_ADDRESSES
                ]
        return values


class Settings(BaseSettings):
    """What can be set. Unknown names in the file are refused."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(without_query)] | None = None
    """Where clients reach this service; cards then link to the page of the rules."""
    history_form_url: Annotated[str, AfterValidator(absolute)] | None = None
    """Where the history form is registered as a SMART app (`…/history-form`); cards then link to it."""
    trust: TrustSettings = TrustSettings()
    """Whose calls are answered."""
    fhir: FhirSettings = FhirSettings()
    """Which FHIR servers are read for what was not prefetched."""
    pages: PagesSection = PagesSettings()
    """Which pages people can open in a browser."""
    database_url: Annotated[str, Field(default_factory=_state_file, repr=False)]
    """Where feedback is kept: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`."""
    site: FilePath | None = None
    """The site profile, a YAML file of its own; it is re-read when it changes."""
    site_secret: Annotated[SecretStr, AfterValidator(_long)] | None = None
    """What makes keyed digests of patients, for advice that stays quiet; belongs in the environment."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    max_body_bytes: Annotated[int, Field(gt=0)] = 10_000_000
    body_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 5.0
    """How long a client may take to send a body."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.trust.mode == "required" and not self.endpoint_base:
            raise ValueError(
                "trust.base: write the URL at which clients reach this service; tokens are meant for it"
            )
        if self.trust.mode == "required" and self.pages.playground and not self.pages.operators:
            raise ValueError(
                "pages.playground: with `trust: required` it is for operators who sign in; name them in pages.operators"
            )
        return self

    @property
    def endpoint_base(self) -> str:
        """The URL below which the endpoints are for the clients; empty if it was not set."""
        return self.trust.base or self.base_url or ""

    @property
    def root_path(self) -> str:
        """What stands before every path in the address bar, when a proxy serves this below its own root."""
        return urlsplit(self.endpoint_base).path

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which is handed in as the initial values."""
        return _Environment(settings_cls), init_settings


def unknown_variables() -> list[str]:
    """Variables that look like ours and set nothing. Kubernetes makes some from the name of a service."""
    known = {*Settings.model_fields, *(name.removeprefix(PREFIX).lower() for name in OTHERS)}
    ours = (name for name in os.environ if name.startswith(PREFIX))
    return sorted(
        name
        for name in ours
        if name.removeprefix(PREFIX).lower() not in known and not KUBERNETES.fullmatch(name)
    )


def load_settings(config: Path | None = None) -> Settings:
    """The settings of `config` (default: the file named by `TWITCHING_CDS_CONFIG`) and the environment.

    Raises SettingsError.
    """
    named = config or (Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None)
    try:
        return Settings(**_read(named) if named else {})
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(problem) for problem in error.errors())) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), StrictLoader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise SettingsError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if values is None:
        return {}
    if isinstance(values, dict) and not isinstance(values.get("trust", {}), dict):
        values["trust"] = {"mode": values["trust"]}  # `trust: off` in short
    if isinstance(values, dict) and isinstance(values.get("site"), str):
        values["site"] = str(path.parent / values["site"])  # beside this file, unless it says where
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise SettingsError(f"{path}: must hold names with values, as in `log_level: INFO`")
    _beside(path, values)
    return values


def _beside(path: Path, values: dict[str, Any]) -> None:
    """Files that the settings name are beside the settings file, unless their path is absolute."""
    clients = values.get("trust", {}).get("clients")
    for client in clients if isinstance(clients, list) else ():
        if isinstance(client, dict) and isinstance(client.get("jwks"), str):
            client["jwks"] = str(path.resolve().parent / client["jwks"])


def _explain(problem: Mapping[str, Any]) -> str:
    """`log_level (or TWITCHING_CDS_LOG_LEVEL): Input should be 'DEBUG', …`; the wrong value is not repeated."""
    name = ".".join(str(part) for part in problem["loc"] if "[" not in str(part))
    if problem["type"] == "extra_forbidden":
        known = f"; known are {', '.join(sorted(Settings.model_fields))}" if len(problem["loc"]) == 1 else ""
        return f"{name}: there is no such setting{known}"
    variable = "TRUST" if name == "trust.mode" else name.upper() if name in Settings.model_fields else ""
    said = in_words(problem)
    return f"{name}{f' (or {PREFIX}{variable})' if variable else ''}: {said}" if name else said
