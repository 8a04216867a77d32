"""The JSON Schemas that are shipped say what the validator says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from cds_hooks.validation.json_schema import FOLDER, write
from cds_hooks.validation.shapes import KINDS
from cds_hooks.validation.validate import structure_findings, validate_value

HERE = Path(__file__).parent
GOOD = sorted(path.stem for path in (HERE / "good").glob("*.json"))
CHANGES = [
    row for row in yaml.safe_load((HERE / "violations.yaml").read_text(encoding="utf-8")) if "text" not in row
]
REPLACEMENTS: list[Any] = [
    None, "", "x", [], {}, ["x"], {"a": "b"}, 0, 1.5, True, [None], {"resourceType": "Bundle"}, "https://example.com",
]  # fmt: skip
SEVERAL = [
    "discovery",
    "response",
    "feedback",
    "request-patient-view",
    "request-order-select",
    "request-order-dispatch",
]


@pytest.fixture(scope="module")
def checkers() -> dict[str, Draft202012Validator]:
    """The shipped schemas, ready to check with."""
    schemas = {
        kind: json.loads((FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8")) for kind in KINDS
    }
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    return {kind: Draft202012Validator(schema) for kind, schema in schemas.items()}


def errors_a_schema_can_see(document: Any, kind: str) -> list[str]:
    """The errors about structure, and the invariant that the schema knows besides."""
    found = [finding.path for finding in structure_findings(document, kind) if finding.severity == "error"]
    rules = validate_value(document, kind=kind).findings
    return found + [finding.path for finding in rules if "cds-resp-1" in finding.requirements]


def paths(value: Any, at: str = "$") -> Iterator[str]:
    """The place of every value below this one."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, member in members:
        place = f"{at}[{step}]" if isinstance(step, int) else f"{at}.{step}"
        if "." not in str(step):
            yield place
            yield from paths(member, place)


def test_the_files_are_what_the_shapes_say(tmp_path: Path) -> None:
    write(tmp_path)
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    shipped = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert shipped == made, "run `python -m cds_hooks.validation.json_schema`"


@pytest.mark.parametrize("name", GOOD)
def test_the_schema_accepts_good_documents(
    name: str, good: Callable[[str], Any], checkers: dict[str, Draft202012Validator]
) -> None:
    assert [error.message for error in checkers[name.partition("-")[0]].iter_errors(good(name))] == []


@pytest.mark.parametrize("row", CHANGES, ids=[f"{n}: {row['id']}" for n, row in enumerate(CHANGES, start=1)])
def test_schema_and_validator_agree_on_violations(
    row: dict[str, Any],
    good: Callable[[str], Any],
    change: Callable[..., None],
    checkers: dict[str, Draft202012Validator],
) -> None:
    document = good(row["in"])
    kind = row["in"].partition("-")[0]
    change(document, row["at"], *([row["set"]] if "set" in row else []))
    seen = errors_a_schema_can_see(document, kind)
    assert checkers[kind].is_valid(document) == (not seen), seen


@pytest.mark.parametrize("name", SEVERAL)
def test_schema_and_validator_agree_wherever_anything_is_replaced(
    name: str,
    good: Callable[[str], Any],
    change: Callable[..., None],
    checkers: dict[str, Draft202012Validator],
) -> None:
    kind = name.partition("-")[0]
    disagree = []
    for place in paths(good(name)):
        for replacement in REPLACEMENTS:
            document = good(name)
            change(document, place, replacement)
            seen = errors_a_schema_can_see(document, kind)
            if checkers[kind].is_valid(document) != (not seen):
                disagree.append((place, replacement, seen))
    assert disagree == []
