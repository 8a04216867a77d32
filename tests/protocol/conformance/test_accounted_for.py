"""Every numbered requirement on a service is the name of a test, or stands in not_applicable.yaml with its reason.

A test `test_054_…` is about `cds-hooks_2.0@54`, `test_library_016_…` about `cds-hooks-library_1.0.1@16`; several numbers
are several requirements.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from cds_hooks.services import SERVICES
from cds_hooks.validation.requirements import requirements

NAME = re.compile(r"test_(library_)?(\d{3}(?:_\d{3})*)_[a-z]")
SETS = {"": "cds-hooks_2.0@", "library_": "cds-hooks-library_1.0.1@"}
LISTED = yaml.safe_load(Path(__file__).with_name("not_applicable.yaml").read_text(encoding="utf-8"))


def numbered(tests: Path) -> dict[str, list[str]]:
    """Requirement -> the tests whose names carry it."""
    found: dict[str, list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (name := NAME.match(node.name)):
                for number in name[2].split("_"):
                    identifier = f"{SETS[name[1] or '']}{int(number)}"
                    found.setdefault(identifier, []).append(node.name)
    return found


def not_applicable() -> Counter[str]:
    """How often each requirement stands in the file."""
    written = (str(number).rpartition(" ") for row in LISTED for number in row["ids"])
    return Counter(f"{SETS['library_' if name else '']}{number}" for name, _, number in written)


def on_services() -> set[str]:
    """The numbered requirements that bind or concern a service."""
    return {found.id for found in requirements().values() if "@" in found.id and found.actors != "Client"}


def test_no_requirement_on_a_service_is_unaccounted_for(root: Path) -> None:
    tested, excused = set(numbered(root / "tests")), set(not_applicable())
    assert on_services() - tested - excused == set()
    assert tested & excused == set()
    assert excused <= on_services()
    assert tested <= set(requirements())


def test_each_exception_stands_once_and_has_a_reason() -> None:
    assert {name for name, times in not_applicable().items() if times > 1} == set()
    assert all(len(row["because"]) > 20 for row in LISTED)


def test_what_is_never_sent_is_never_sent(site: Any, leaves: Callable[[Any], list[tuple[str, Any]]]) -> None:
    never = {row["never_sent"] for row in LISTED if "never_sent" in row}
    for answer in site.answers.values():
        assert not never & {name for name, _ in leaves(answer.json())}


def test_a_hook_that_is_served_is_not_excused_as_not_served() -> None:
    excused = {
        requirements()[f"{SETS['library_']}{number.split()[1]}"].says.partition(":")[0]
        for row in LISTED
        if "that no service is called by" in row["because"]
        for number in row["ids"]
    }
    assert excused == {"appointment-book", "encounter-discharge", "order-dispatch"}
    assert not excused & {service.hook for service in SERVICES}
