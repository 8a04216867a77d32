"""The published hooks: what their context holds and which of its fields may be prefetch tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from cds_hooks.validation.findings import Severity

FILE = Path(__file__).parent / "hooks.yaml"
_NOT_A_LETTER = re.compile(r"[^a-z]")


class Holds(Struct, frozen=True, forbid_unknown_fields=True):
    """What the entries of a Bundle must be; another status is as bad as `otherwise` says."""

    otherwise: Severity
    requests: bool = False
    types: tuple[str, ...] = ()
    status: tuple[str, ...] = ()


class HookField(Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "is"}):
    """One field of a hook's context."""

    kind: Literal["string", "reference", "references", "resource", "resources", "object"]
    ids: tuple[str | tuple[str, ...], ...]
    required: bool = False
    token: bool = False
    id_of: str = ""
    types: tuple[str, ...] = ()
    holds: Holds | None = None

    def ids_for(self, aspect: Literal["presence", "type", "content", "token"]) -> tuple[str, ...]:
        """The requirements about one aspect; a single one stands for all but the use as a token."""
        if aspect == "token":
            ids = self.ids[3] if len(self.ids) > 3 else ()
        else:
            ids = self.ids[("presence", "type", "content").index(aspect) if len(self.ids) > 1 else 0]
        return (ids,) if isinstance(ids, str) else ids


class Hook(Struct, frozen=True, forbid_unknown_fields=True, rename={"name": "hook"}):
    """One hook of the library."""

    name: str
    fields: dict[str, HookField]
    replaced_by: str = ""


class HookLibrary(Struct, frozen=True, forbid_unknown_fields=True):
    """All published hooks, and the resource types that are orders."""

    requests: tuple[str, ...]
    hooks: tuple[Hook, ...]


@cache
def library() -> HookLibrary:
    """The library. Raises msgspec.ValidationError if the file is not well formed."""
    return msgspec.convert(yaml.safe_load(FILE.read_text(encoding="utf-8")), HookLibrary)


@cache
def hooks() -> Mapping[str, Hook]:
    """The hooks by name."""
    return {hook.name: hook for hook in library().hooks}


def hook_named(name: object) -> Hook | None:
    """The hook of this name; None for a custom hook and for what is no name."""
    return hooks().get(name) if isinstance(name, str) else None


def meant(name: str) -> str:
    """The hook whose name differs only in case and punctuation (`PatientView`), or nothing."""
    letters = _NOT_A_LETTER.sub("", name.lower())
    return next((hook for hook in hooks() if hook.replace("-", "") == letters and hook != name), "")
