"""The value sets of `valuesets/`: FHIR R4 ValueSet resources, one concept each, as a table of codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec
from msgspec import Struct

from terminology.coding import HPO, ICD_10, ICD_10_CM, ICD_10_NATIONAL, canonical_system

FOLDER = files("terminology") / "valuesets"
CANONICAL = "http://twitching-cds.invalid/fhir"
"""Base of every canonical url. `.invalid` belongs to nobody and never resolves (RFC 2606); whoever
publishes the value sets puts their own base here and in the files."""
COMMENT = "http://hl7.org/fhir/StructureDefinition/valueset-concept-comments"
"""FHIR's own extension on a concept; it carries where the code was read, how far to trust it, and notes."""


class Code(NamedTuple):
    """One code of a value set. `comment` names its source; `descendants` means the codes below it too."""

    system: str
    code: str
    display: str
    comment: str
    descendants: bool


class ValueSet(NamedTuple):
    """One concept and its codes."""

    id: str
    title: str
    codes: tuple[Code, ...]


class _Extension(Struct, rename="camel"):
    url: str
    value_string: str


class _Concept(Struct):
    code: str
    display: str
    extension: tuple[_Extension, ...] = ()


class _Filter(Struct):
    property: str
    op: str
    value: str


class _Include(Struct):
    system: str
    concept: tuple[_Concept, ...] = ()
    filter: tuple[_Filter, ...] = ()


class _Compose(Struct):
    include: tuple[_Include, ...]


class _Resource(Struct):
    id: str
    title: str
    compose: _Compose


@cache
def load() -> Mapping[str, ValueSet]:
    """All value sets by id."""
    decoder = msgspec.json.Decoder(_Resource)
    found = (path for path in FOLDER.iterdir() if path.name.endswith(".json"))
    return {
        resource.id: _value_set(resource)
        for resource in (
            decoder.decode(path.read_bytes()) for path in sorted(found, key=lambda path: path.name)
        )
    }


def _value_set(resource: _Resource) -> ValueSet:
    headers = {
        (include.system, rule.value)
        for include in resource.compose.include
        for rule in include.filter
        if (rule.property, rule.op) == ("concept", "is-a")
    }
    codes = (
        Code(
            include.system,
            concept.code,
            concept.display,
            next((extension.value_string for extension in concept.extension if extension.url == COMMENT), ""),
            (include.system, concept.code) in headers,
        )
        for include in resource.compose.include
        for concept in include.concept
    )
    return ValueSet(resource.id, resource.title, tuple(codes))


_SHARED_WITH_WHO = 4


class CodeTable:
    """What codes mean, for one family of meanings (analytes, concepts, tests)."""

    def __init__(self, meanings: Mapping[str, Iterable[str]], not_in_icd_10: Collection[str] = ()) -> None:
        """Compile `meanings` (meaning id -> value set ids).

        ICD-10-CM codes also count under WHO's ICD-10, except those of `not_in_icd_10`. Of a code of another country's
        edition the first four characters count: what follows divides it in that country's own way (E83.39 is not
        everywhere the same). KeyError: no such value set.
        """
        self._not_in_icd_10 = {_normal(ICD_10_CM, code) for code in not_in_icd_10}
        self._exact: dict[tuple[str, str], tuple[str, ...]] = {}
        self._headers: list[tuple[str, str, str]] = []
        for meaning, value_sets in meanings.items():
            for code in (code for name in value_sets for code in load()[name].codes):
                key = (code.system, _normal(code.system, code.code))
                self._exact[key] = (*self._exact.get(key, ()), meaning)
                if code.descendants:
                    self._headers.append((*key, meaning))

    def find(self, system: str | None, code: str | None) -> tuple[str, ...]:
        """The meanings of a code; () when it has none here."""
        if not code:
            return ()
        canonical = canonical_system(system)
        normal = _normal(canonical, code)
        if canonical == ICD_10_NATIONAL:
            canonical, normal = ICD_10, normal[:_SHARED_WITH_WHO]
        if canonical == ICD_10:
            if normal in self._not_in_icd_10:
                return ()
            canonical = ICD_10_CM
        exact = self._exact.get((canonical, normal))
        if exact is not None:
            return exact
        return tuple(
            meaning
            for header_system, header, meaning in self._headers
            if header_system == canonical and normal.startswith(header)
        )


def _normal(system: str, code: str) -> str:
    """ICD-10 travels with and without its dot and in small letters, HPO with a colon or an underscore."""
    code = code.strip()
    if system in (ICD_10_CM, ICD_10, ICD_10_NATIONAL):
        return code.replace(".", "").upper()
    if system == HPO:
        return code.replace("_", ":").upper()
    return code
