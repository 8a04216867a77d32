"""Rule sets by name, copies of them to change, and what two of them do differently on paper."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mappings.knowledge import FOLDER, load_knowledge

SHIPPED = "shipped"


class RuleSetError(ValueError):
    """No rule set goes by this name: says which do."""


def folder_of(name: str) -> str:
    """The folder of a rule set; empty for the shipped rules.

    `name` is a folder of rule files, `shipped`, or the version of the shipped rules. Raises RuleSetError.
    """
    if name == SHIPPED:
        return ""
    path = Path(name)
    if path.is_dir():
        return "" if path.resolve() == FOLDER.resolve() else str(path.resolve())
    version = load_knowledge().version
    if name in (version, version.partition("+")[2]):
        return ""
    raise RuleSetError(
        f"{name}: is neither a folder of rule files nor `{SHIPPED}` nor the version of the shipped rules, {version}. "
        "Rules of another version: give the folder `mappings` of its source tree or of its installation."
    )


def copy_rules(folder: Path) -> int:
    """Write the shipped rule files below `folder`, to be changed there; their number. Raises RuleSetError, OSError."""
    if folder.exists() and any(folder.iterdir()):
        raise RuleSetError(f"{folder}: is not empty; choose a new folder.")
    files = sorted(FOLDER.glob("*.yaml")) + sorted(
        path for path in FOLDER.glob("*/*.yaml") if path.parent.name != "from_fhir"
    )
    for path in files:
        copy = folder / path.relative_to(FOLDER)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return len(files)


def differences(before: str, after: str) -> Iterator[str]:
    """`analytes/potassium.yaml: reference.low.mmol/L: 3.5 -> 3.6`, for every value that differs."""
    one, other = (_files(Path(folder) if folder else FOLDER) for folder in (before, after))
    for name in sorted(one.keys() | other.keys()):
        if name not in other:
            yield f"{name}: removed"
        elif name not in one:
            yield f"{name}: added"
        else:
            yield from (f"{name}: {line}" for line in _compare(one[name], other[name]))


def _files(folder: Path) -> dict[str, Any]:
    found = [*folder.glob("*.yaml"), *folder.glob("*/*.yaml")]
    return {
        path.relative_to(folder).as_posix(): yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        for path in found
        if path.parent.name != "from_fhir"
    }


def _compare(one: Any, other: Any, where: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys([*one, *other]):
            place = f"{where}.{name}" if where else str(name)
            if name not in other:
                yield f"{place}: {one[name]} removed"
            elif name not in one:
                yield f"{place}: {other[name]} added"
            else:
                yield from _compare(one[name], other[name], place)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            label = left.get("name") or left.get("id") or number if isinstance(left, dict) else number
            yield from _compare(left, right, f"{where}[{label}]")
    elif one != other:
        yield f"{where}: {one} -> {other}"
