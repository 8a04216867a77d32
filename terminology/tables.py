"""Reading the YAML tables of this package into the types that describe them."""

from __future__ import annotations

from importlib.resources import files
from typing import TypeVar

import msgspec
import yaml

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
T = TypeVar("T")


def read_table(path: str, shape: type[T]) -> T:
    """The table `terminology/{path}` as a `shape`. Numbers keep every digit they are written with.

    msgspec.ValidationError names what does not fit and where.
    """
    text = files("terminology").joinpath(path).read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=_Loader), shape, strict=False)  # noqa: S506 - reads strings only
