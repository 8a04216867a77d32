"""Values with units: which unit is meant, whether this analyte can have it, and exact conversion.

Nothing is guessed. A value without a unit, with an unknown one, or with one in which it cannot be true is
refused with the reason; limits are compared in the unit that was reported.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal, localcontext
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from msgspec import Struct, field

from terminology.coding import UCUM, canonical_system
from terminology.tables import read_table

_LONGEST_UNIT = 40  # longer than every spelling we know, short enough to cache and to show


class Quantity(NamedTuple):
    """A value in the unit it was reported in, that unit as its UCUM code."""

    value: Decimal
    unit: str


class Refusal(NamedTuple):
    """Why a value was not read; `detail` is what a clinician is told."""

    reason: Literal["no-unit", "unknown-unit", "implausible-value"]
    detail: str


class UnitError(ValueError):
    """Two units that do not convert into each other for this analyte."""


class Unit(Struct, forbid_unknown_fields=True, frozen=True):
    """A row of units.yaml: `per` is its size in the base of its dimension."""

    dimension: str
    per: Decimal
    spellings: tuple[str, ...] = ()


class Factor(Struct, forbid_unknown_fields=True, frozen=True):
    """One `from_` is `by` times one `to`: a conversion that a source states as a number."""

    from_: str = field(name="from")
    to: str
    by: Decimal


class Analyte(Struct, forbid_unknown_fields=True, frozen=True):
    """A row of analytes.yaml: the units it is read in, each with its lowest and highest possible value."""

    title: str
    value_sets: tuple[str, ...] = ()
    units: dict[str, tuple[Decimal, Decimal]] = {}
    read_as: dict[str, str] = {}
    molar_mass: Decimal | None = None
    valence: int | None = None
    factor: Factor | None = None


class _Units(Struct, forbid_unknown_fields=True):
    source: str
    reviewed: str
    review_status: str
    units: dict[str, Unit]
    refusals: dict[str, str]


class _Analytes(Struct, forbid_unknown_fields=True):
    sources: dict[str, str]
    reviewed: str
    review_status: str
    analytes: dict[str, Analyte]
    measures: dict[str, Analyte]


@cache
def analytes() -> Mapping[str, Analyte]:
    """The analytes of analytes.yaml by id, without the measures."""
    return read_table("analytes.yaml", _Analytes).analytes


@cache
def units() -> Mapping[str, Unit]:
    """The units of units.yaml by UCUM code."""
    return _table().units


@cache
def _table() -> _Units:
    return read_table("units.yaml", _Units)


@cache
def _measurable() -> Mapping[str, Analyte]:
    table = read_table("analytes.yaml", _Analytes)
    return table.analytes | table.measures


@cache
def _spellings() -> Mapping[str, str]:
    return {
        _written(spelling): code for code, unit in units().items() for spelling in (code, *unit.spellings)
    }


def _written(unit: str) -> str:
    """Without blanks, the two micro signs as one, raised figures as ordinary ones; letter case is kept."""
    return "".join(unicodedata.normalize("NFKC", unit).split())


@lru_cache(maxsize=2048)
def unit_code(unit: str) -> str:
    """The UCUM code that `unit` is a spelling of; "" when it is unknown."""
    return _spellings().get(_written(unit), "")


def read(
    analyte: str, value: Decimal, *, unit: str | None, code: str | None, system: str | None
) -> Quantity | Refusal:
    """The quantity that a FHIR Quantity of this analyte (or measure) states, or why it is none.

    `unit` is the text, `code` and `system` the coded unit. A known UCUM code decides; a text that names
    another unit than it is a contradiction. A code of another system is no unit at all.
    """
    text, coded = (unit or "").strip()[:_LONGEST_UNIT], _ucum(code, system)[:_LONGEST_UNIT]
    meant = _meant(analyte, text, coded)
    if isinstance(meant, Refusal):
        return meant if meant.detail else meant._replace(detail=_says("no_unit").format(value=value))
    if not value.is_finite():
        return Refusal("implausible-value", _says("not_a_number").format(value=value))
    if not meant.low <= value <= meant.high:
        detail = _says("implausible").format(
            value=value, unit=meant.unit, title=meant.title, low=meant.low, high=meant.high
        )
        return Refusal("implausible-value", detail)
    return Quantity(value, meant.unit)


class _Meant(NamedTuple):
    """The unit of an analyte that a text and a code mean, and what values are plausible in it."""

    unit: str
    title: str
    low: Decimal
    high: Decimal


@lru_cache(maxsize=4096)
def _meant(analyte: str, text: str, code: str) -> _Meant | Refusal:
    found = _unit_of(analyte, text, code)
    if isinstance(found, Refusal):
        return found
    known = _measurable().get(analyte)
    title = known.title if known else analyte
    accepted = known.read_as.get(found, found) if known else found
    if known is None or accepted not in known.units:
        return Refusal("unknown-unit", _says("not_accepted").format(unit=found, title=title))
    low, high = known.units[accepted]
    return _Meant(accepted, title, low, high)


def _says(what: str) -> str:
    return _table().refusals[what]


def _ucum(code: str | None, system: str | None) -> str:
    """The code, when it stands under UCUM or under no system."""
    return (code or "").strip() if canonical_system(system) in (UCUM, "") else ""


def _unit_of(analyte: str, text: str, code: str) -> str | Refusal:
    """The unit meant by a text and a code, or the refusal; its detail is empty when there is neither."""
    by_code, by_text = unit_code(code), unit_code(text)
    if not text and not code:
        return Refusal("no-unit", "")
    if not by_code and not by_text:
        return Refusal("unknown-unit", _says("unknown").format(unit=repr(text or code)))
    if by_code and by_text and not _same_size(analyte, by_code, by_text):
        detail = _says("contradiction").format(text=by_text, code=by_code)
        return Refusal("unknown-unit", detail)
    return by_code or by_text


def _same_size(analyte: str, unit: str, other: str) -> bool:
    try:
        return convert(analyte, Decimal(1), unit, other) == 1
    except UnitError:
        return False


def convert(analyte: str, value: Decimal, from_unit: str, to_unit: str) -> Decimal:
    """`value` in another unit, with all digits it has: nothing is rounded to a display precision.

    Units are UCUM codes. Mass, substance and equivalents convert through the molar mass and valence of the
    analyte. UnitError: no such way for it.
    """
    known = _measurable().get(analyte)
    if known:
        from_unit, to_unit = known.read_as.get(from_unit, from_unit), known.read_as.get(to_unit, to_unit)
    if from_unit == to_unit:
        return value
    with localcontext(prec=60):
        exact = value * _ratio(analyte, from_unit, to_unit)
    with localcontext(prec=max(28, len(value.as_tuple().digits) + 6)):
        return +exact


@lru_cache(maxsize=4096)
def _ratio(analyte: str, from_unit: str, to_unit: str) -> Decimal:
    """How many `to_unit` are one `from_unit`."""
    try:
        first, second = units()[from_unit], units()[to_unit]
    except KeyError as error:
        raise UnitError(f"unit {error.args[0]!r} is not known") from None
    with localcontext(prec=60):
        if first.dimension == second.dimension:
            return first.per / second.per
        known = _measurable().get(analyte)
        if known:
            one = _in_moles(known, first)
            other = _in_moles(known, second)
            if one is not None and other is not None:
                return one / other
    raise UnitError(f"{analyte}: {from_unit} does not convert into {to_unit}")


def _in_moles(analyte: Analyte, unit: Unit) -> Decimal | None:
    """The size of one unit in mol/L for this analyte; None when there is no way to tell."""
    if unit.dimension == "substance":
        return unit.per
    if unit.dimension == "equivalents" and analyte.valence:
        return unit.per / analyte.valence
    if unit.dimension == "mass" and analyte.molar_mass:
        return unit.per / analyte.molar_mass
    if unit.dimension == "mass" and analyte.factor:
        stated = analyte.factor
        return unit.per / units()[stated.from_].per * stated.by * units()[stated.to].per
    return None
