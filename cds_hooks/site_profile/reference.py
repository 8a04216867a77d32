"""The reference of the site profile in Markdown, from the model: `python -m cds_hooks.site_profile.reference`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cds_hooks.site_profile.model import SiteProfile


def reference() -> str:
    """One table: every field with its default and what it means."""
    head = ["| field | values | default | |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *_rows(SiteProfile, "")])


def _rows(section: type[BaseModel], path: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        place = f"{path}{name}"
        inner, several = _section(field.annotation)
        says = " ".join((field.description or (inner.__doc__ if inner else "") or "").split())
        cells = f"`{place}`", ", ".join(_values(field)), _default(field, inner), says
        yield f"| {' | '.join(cells)} |"
        if inner:
            yield from _rows(inner, f"{place}{several}.")


def _section(kind: Any) -> tuple[type[BaseModel] | None, str]:
    """The section inside a field, and how a path says that there may be several."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind, ""
    several = {tuple: "[]", dict: ".*"}.get(get_origin(kind), "")
    for part in get_args(kind):
        inner, deeper = _section(part)
        if inner:
            return inner, several + deeper
    return None, ""


def _values(field: FieldInfo) -> list[str]:
    """The words or kinds that a field takes, as far as they are few."""
    kind = field.annotation
    if get_origin(kind) is Literal:
        return [f"`{value}`" for value in get_args(kind)]
    if kind is bool:
        return ["`true`", "`false`"]
    return []


def _default(field: FieldInfo, inner: type[BaseModel] | None) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or (inner and isinstance(value, BaseModel)) or value in ((), {}):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.stdout.write(f"{reference()}\n")
