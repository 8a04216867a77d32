"""The shapes of the files of `analytes/`: reference intervals, severity bands, and how calcium is put together."""

from __future__ import annotations

from typing import Literal

from mappings.rule_language import PerUnit, Review, Rule


class Band(Rule, kw_only=True, frozen=True):
    """One severity band; the first that holds, from severe to mild, is the result's band."""

    name: str
    below: PerUnit = {}
    at_most: PerUnit = {}
    above: PerUnit = {}
    at_least: PerUnit = {}
    flagged: bool = False
    """No limit of ours: only the laboratory's own critical flag (LL, HH) makes it."""
    references: tuple[str, ...] = ()


class Interval(Rule, kw_only=True, frozen=True):
    """A reference interval per unit, with its source."""

    low: PerUnit = {}
    high: PerUnit = {}
    references: tuple[str, ...] = ()


class Bands(Rule, kw_only=True, frozen=True):
    """Severity bands on both sides; a side without bands is never abnormal."""

    low: tuple[Band, ...] = ()
    high: tuple[Band, ...] = ()


class AnalyteRule(Rule, kw_only=True, frozen=True):
    """The limits of one analyte, whose limit goes first, and how long a result counts."""

    id: str
    title: str
    review: Review
    usable_days: int
    precedence: Literal["lab", "guideline"]
    """`lab`: the laboratory's own interval first. `guideline`: the decision limit, whatever the laboratory prints."""
    reference: Interval | None = None
    pregnancy: Interval | None = None
    bands: Bands
    references: tuple[str, ...]
    misuse: str = ""


class CalciumRule(Rule, kw_only=True, frozen=True):
    """How ionised, adjusted and total calcium are combined."""

    id: Literal["calcium"]
    title: str
    review: Review
    ionised: str
    adjusted: str
    total: str
    albumin: str
    trusted_albumin: Interval
    """Inside it the unadjusted total stands on its own."""
    adjustable_albumin_at_least: PerUnit
    """Below it adjustment is not used at all."""
    factor: PerUnit
    """Added to total calcium per unit of albumin below `albumin_reference`, by the unit of calcium."""
    albumin_reference: PerUnit
    """By the unit of calcium: the albumin the formula adjusts to."""
    albumin_unit: dict[str, str]
    """By the unit of calcium: the unit of albumin the formula wants."""
    references: tuple[str, ...]
    misuse: str
