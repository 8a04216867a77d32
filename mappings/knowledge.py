"""Loads the reviewed files into one immutable `Knowledge`, and says plainly what is wrong with a file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import msgspec.inspect
import yaml

from mappings.limit_rules import AnalyteRule, CalciumRule
from mappings.rule_language import When
from mappings.rules import (
    ContributorRule,
    DrugClass,
    GateRule,
    Note,
    OrderRule,
    Publication,
    Question,
    Ranking,
    RedFlagRule,
    Reference,
    Release,
    SpuriousRule,
)


class HasId(Protocol):
    """A rule that is found by its id."""

    @property
    def id(self) -> str:
        """The id."""


T = TypeVar("T")
Named = TypeVar("Named", bound=HasId)
FOLDER = Path(__file__).parent
FOLDERS = ("analytes", "contributors", "orders", "red_flags", "spurious")
COMPANIONS = (
    "drug_classes.yaml",
    "gate.yaml",
    "notes.yaml",
    "questionnaire.yaml",
    "ranking.yaml",
    "references.yaml",
    "release.yaml",
    "source_attributes.yaml",
    "wording.yaml",
)
"""The files beside the folders."""


class KnowledgeError(ValueError):
    """A rule file that cannot be used: `file`, where in it, what is wrong and what to write instead."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = file
        self.problem = problem


class StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses a key given twice: YAML keeps the last and drops the first in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    None, None, f"the key `{key.value}` is given twice", key.start_mark
                )
            seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


class Knowledge:
    """All rules, by id. Compared by identity; `version` changes with every byte of every file."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.release = _one(folder / "release.yaml", Release)
        self.references: Mapping[str, Reference] = _list(folder / "references.yaml", Reference)
        analytes = {path: _raw(path) for path in _files(folder / "analytes")}
        self.calcium = _convert(*_pick(analytes, "calcium"), CalciumRule)
        self.analytes: Mapping[str, AnalyteRule] = _by_id(
            (path, _convert(path, raw, AnalyteRule))
            for path, raw in analytes.items()
            if path.stem != "calcium"
        )
        self.contributors: Mapping[str, ContributorRule] = _folder(folder / "contributors", ContributorRule)
        self.red_flags: Mapping[str, RedFlagRule] = _folder(folder / "red_flags", RedFlagRule)
        self.orders: Mapping[str, OrderRule] = _folder(folder / "orders", OrderRule, skip="panels")
        self.panels = _one(folder / "orders" / "panels.yaml", dict[str, tuple[str, ...]])
        self.spurious: Mapping[str, SpuriousRule] = _folder(folder / "spurious", SpuriousRule)
        self.drug_classes: Mapping[str, DrugClass] = _list(folder / "drug_classes.yaml", DrugClass)
        self.ranking = _one(folder / "ranking.yaml", Ranking)
        self.questions: Mapping[str, Question] = _list(folder / "questionnaire.yaml", Question)
        self.gate = _one(folder / "gate.yaml", GateRule)
        self.notes: Mapping[str, Note] = _list(folder / "notes.yaml", Note)
        self.wording: Mapping[str, str] = _one(folder / "wording.yaml", dict[str, str])
        self.publication = _one(folder / "source_attributes.yaml", Publication)
        self.version = f"{self.release.version}+{_digest(folder)}"


@cache
def load_knowledge(folder: Path = FOLDER) -> Knowledge:
    """The rules of `folder` (the shipped ones by default). Raises `KnowledgeError`."""
    return Knowledge(folder)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def _digest(folder: Path) -> str:
    """Twelve hex digits over names and contents of every rule file, and of the reader's words, the same for all rules."""
    files = {path.relative_to(folder): path for path in folder.rglob("*.yaml")}
    files |= {path.relative_to(FOLDER): path for path in FOLDER.glob("from_fhir/*.yaml")}
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(name.as_posix().encode())
        total.update(files[name].read_bytes())
    return total.hexdigest()[:12]


def _raw(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506 - a safe loader
    except FileNotFoundError:
        raise KnowledgeError(_name(path), MISSING) from None
    except UnicodeDecodeError as error:
        raise KnowledgeError(_name(path), f"not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except yaml.YAMLError as error:
        raise KnowledgeError(_name(path), f"not valid YAML: {_yaml_problem(error)}") from None


def _yaml_problem(error: yaml.YAMLError) -> str:
    """`line 3: the key …`."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    return f"line {mark.line + 1}: {problem}" if mark else problem


def _convert(path: Path, raw: Any, shape: type[T]) -> T:
    try:
        rule = msgspec.convert(raw, shape)
        for where, when in conditions(rule):
            _check_word(where, when)
    except ValueError as error:
        raise KnowledgeError(
            _name(path), f"{error}{_allowed(str(error), shape)}".replace("`$.", "`")
        ) from None
    return rule


def _allowed(problem: str, shape: Any) -> str:
    """For a word that is not allowed in a place, those that are."""
    place = re.search(r"^Invalid enum value .*`\$(.*)`$", problem)
    if not place:
        return ""
    kinds = [msgspec.inspect.type_info(shape)]
    for name in re.findall(r"[a-z_]\w*|\[", place[1]):
        kinds = [inner for kind in kinds for inner in _inside(kind, name)]
    values = [
        value for kind in kinds if isinstance(kind, msgspec.inspect.LiteralType) for value in kind.values
    ]
    return f"; use {', '.join(map(str, values))}" if values else ""


def _inside(kind: msgspec.inspect.Type, name: str) -> Iterator[msgspec.inspect.Type]:
    """The types of a field of a rule, or (`[`) of the items of a list."""
    found: list[msgspec.inspect.Type] = []
    if isinstance(kind, msgspec.inspect.StructType):
        found = [field.type for field in kind.fields if field.encode_name == name]
    elif isinstance(kind, msgspec.inspect.VarTupleType) and name == "[":
        found = [kind.item_type]
    for inner in found:
        yield from inner.types if isinstance(inner, msgspec.inspect.UnionType) else [inner]


MISSING = "the file is missing; every rule set needs it"


def _name(path: Path) -> str:
    """`orders/potassium.yaml`, because there is an `analytes/potassium.yaml` too."""
    return f"{path.parent.name}/{path.name}" if path.parent.name in FOLDERS else path.name


def _check_word(where: str, when: When) -> None:
    try:
        when.check()
    except ValueError as error:
        raise ValueError(f"{error} - at `{where}`") from None


def conditions(rule: Any, where: str = "$") -> Iterator[tuple[str, When]]:
    """Every condition inside a rule, with its place: `$.tiers[0].when`."""
    if isinstance(rule, When):
        yield where, rule
    if isinstance(rule, msgspec.Struct):
        for field in rule.__struct_fields__:
            yield from conditions(getattr(rule, field), f"{where}.{field}")
    elif isinstance(rule, tuple | list):
        for index, item in enumerate(rule):
            yield from conditions(item, f"{where}[{index}]")


def _one(path: Path, shape: Any) -> Any:
    return _convert(path, _raw(path), shape)


def _list(path: Path, shape: type[Named]) -> Mapping[str, Named]:
    return _by_id((path, item) for item in _one(path, tuple[shape, ...]))  # type: ignore[valid-type]


def _folder(folder: Path, shape: type[Named], skip: str = "") -> Mapping[str, Named]:
    return _by_id((path, _convert(path, _raw(path), shape)) for path in _files(folder) if path.stem != skip)


def _pick(files: Mapping[Path, Any], stem: str) -> tuple[Path, Any]:
    for path, raw in files.items():
        if path.stem == stem:
            return path, raw
    raise KnowledgeError(f"analytes/{stem}.yaml", MISSING)


def _by_id(rules: Iterable[tuple[Path, Named]]) -> Mapping[str, Named]:
    found: dict[str, Named] = {}
    for path, rule in rules:
        if rule.id in found:
            raise KnowledgeError(_name(path), f"the id `{rule.id}` is used twice; ids must be unique")
        found[rule.id] = rule
    return found
