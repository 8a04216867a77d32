"""The settings of one installation: environment variables `TWITCHING_CDS_…` over an optional YAML file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, TypeAdapter, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "TWITCHING_CDS_"
CONFIG = f"{PREFIX}CONFIG"


class SettingsError(ValueError):
    """Settings that cannot be used: one line per problem, each with the setting and what to write."""


def _mode(value: object) -> object:
    """`trust: {mode: off}` as well as `trust: off`, which YAML reads as false."""
    if isinstance(value, Mapping) and set(value) == {"mode"}:
        value = value["mode"]
    return "off" if value is False else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _absolute(url: str) -> str:
    TypeAdapter(HttpUrl).validate_python(url)
    return url.rstrip("/")


class Settings(BaseSettings):
    """What can be set. Unknown names in the file are refused."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(_absolute)] | None = None
    """Where clients reach this service; cards then link to the page of the rules."""
    trust: Annotated[Literal["off"], BeforeValidator(_mode)] = "off"
    """`off`: callers are not authenticated, so `serve` listens on loopback addresses only."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    max_body_bytes: Annotated[int, Field(gt=0)] = 10_000_000
    body_seconds: Annotated[float, Field(gt=0)] = 5.0
    """How long a client may take to send a body."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which is handed in as the initial values."""
        return env_settings, init_settings


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
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise SettingsError(f"{path}: must hold names with values, as in `log_level: INFO`")
    return values


def _explain(problem: Mapping[str, Any]) -> str:
    """`log_level: Input should be 'DEBUG', … (or TWITCHING_CDS_LOG_LEVEL)`; the wrong value is not repeated."""
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = ", ".join(sorted(Settings.model_fields))
        return f"{name}: there is no such setting; known are {known}"
    return f"{name} (or {PREFIX}{name.upper()}): {problem['msg']}"
