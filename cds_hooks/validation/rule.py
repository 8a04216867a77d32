"""What a rule is: a check of one kind of object that `shapes.yaml` cannot express."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from cds_hooks.validation.findings import Path, Severity
from cds_hooks.validation.walk import Node


class Violation(NamedTuple):
    """One violation, at a place below the object that was checked.

    `severity` and `ids`, where the hook's table decides about them, replace those of the rule.
    """

    at: Path
    problem: str
    fix: str
    severity: Severity | None = None
    ids: tuple[str, ...] = ()


class Rule(NamedTuple):
    """One check, declared once. `shape` is a name of `shapes()`, `context:` for all contexts, or empty for all shapes."""

    shape: str
    severity: Severity
    ids: tuple[str, ...]
    check: Callable[[Node], Iterator[Violation]]

    def applies_to(self, node: Node) -> bool:
        return (
            node.shape.startswith(self.shape) if self.shape in ("", "context:") else node.shape == self.shape
        )


def text(value: Mapping[str, Any], name: str) -> str:
    """A member that is a string; empty if it is missing or something else."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def objects(value: Mapping[str, Any], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an array with their positions; nothing if it is missing or something else."""
    found = value.get(name)
    for position, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield position, item


def resources(bundle: object) -> Iterator[tuple[int, dict[str, Any]]]:
    """The resources of a Bundle with the positions of their entries."""
    if isinstance(bundle, dict):
        for position, entry in objects(bundle, "entry"):
            resource = entry.get("resource")
            if isinstance(resource, dict):
                yield position, resource
