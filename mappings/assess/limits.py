"""Is a value abnormal, how far, against which limit and whose? In the unit it was reported in."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NamedTuple

from mappings.facts import LabResult, Limits
from mappings.limit_rules import AnalyteRule, Band, Interval
from mappings.rule_language import Limit, PerUnit
from terminology.quantity import UnitError, convert

Side = Literal["low", "high"]
Direction = Literal["low", "normal", "high", "unknown"]
Source = Literal["", "lab", "guideline", "default"]
Sided = tuple[Decimal | None, Source]
SIDES: tuple[Side, Side] = ("low", "high")


class Span(NamedTuple):
    """The values a result may stand for: `<4.0` is everything below 4.0."""

    low: Decimal | None
    low_open: bool
    high: Decimal | None
    high_open: bool

    def below(self, limit: Decimal) -> bool:
        """Surely below the limit."""
        return self.high is not None and (self.high < limit or (self.high == limit and self.high_open))

    def at_most(self, limit: Decimal) -> bool:
        return self.high is not None and self.high <= limit

    def above(self, limit: Decimal) -> bool:
        return self.low is not None and (self.low > limit or (self.low == limit and self.low_open))

    def at_least(self, limit: Decimal) -> bool:
        return self.low is not None and self.low >= limit


def span_of(value: Decimal, comparator: str = "") -> Span:
    """What `comparator value` stands for."""
    if comparator in ("<", "<="):
        return Span(None, False, value, comparator == "<")
    if comparator in (">", ">="):
        return Span(value, comparator == ">", None, False)
    return Span(value, False, value, False)


class Bounds(NamedTuple):
    """A limit or band in one unit."""

    below: Decimal | None
    at_most: Decimal | None
    above: Decimal | None
    at_least: Decimal | None

    def hold(self, span: Span) -> bool:
        return (
            (self.below is None or span.below(self.below))
            and (self.at_most is None or span.at_most(self.at_most))
            and (self.above is None or span.above(self.above))
            and (self.at_least is None or span.at_least(self.at_least))
        )


NO_BOUNDS = Bounds(None, None, None, None)
NEVER = Bounds(Decimal("-Infinity"), None, None, None)
"""Bounds that no value keeps: a limit that cannot be held against it must not count as kept."""


class Verdict(NamedTuple):
    """`limit` is the one that was crossed, or for a normal value the nearer one that was not."""

    direction: Direction
    band: str
    limit: Decimal | None
    source: Source


class UnitLimits:
    """The bands and default interval of one analyte in one unit."""

    def __init__(self, rule: AnalyteRule, unit: str) -> None:
        self.rule = rule
        self.bands: dict[Side, tuple[tuple[str, Bounds], ...]] = {
            side: tuple((band.name, bounds_in(rule.id, band, unit)) for band in getattr(rule.bands, side))
            for side in SIDES
        }
        self.critical: tuple[tuple[Side, str, tuple[Bounds, ...]], ...] = tuple(
            (side, _CRITICAL_FLAG[side], critical)
            for side in SIDES
            if (critical := tuple(bounds for name, bounds in self.bands[side] if name == "critical"))
        )
        self.reference = interval_in(rule.id, rule.reference, unit)
        self.pregnancy = interval_in(rule.id, rule.pregnancy, unit)
        self.bounded = tuple(
            (side, name, bounds)
            for place, side in enumerate(SIDES)
            for name, bounds in self.bands[side]
            if self.reference[place] is None and bounds != NO_BOUNDS
        )
        """Bands that hold by a bound of their own, on a side without an interval of ours."""
        self.own: tuple[Sided, Sided] = (self._own(0), self._own(1))

    @property
    def stated(self) -> bool:
        """The limits of the rule, if it has any, can be told in this unit."""
        bands = [bounds for side in SIDES for _, bounds in self.bands[side]]
        told = any(limit is not None for limit in self.reference)
        return told or (self.rule.reference is None and NEVER not in bands)

    def judge(self, result: LabResult, *, pregnant: bool) -> Verdict:
        """The verdict on one result; `unknown` when its comparator leaves it open or no limit exists."""
        span, lab = span_of(result.value, result.comparator), result.range
        limits = low_limit, high_limit = (
            self._limit(0, lab.low if lab else None, pregnant=pregnant),
            self._limit(1, lab.high if lab else None, pregnant=pregnant),
        )
        if self.critical and (critical := self._critical(span, result.interpretation)):
            return critical
        if lab is None and self.rule.precedence == "lab" and not pregnant and result.interpretation:
            return self._flagged(span, result.interpretation, limits)
        low, high = low_limit[0], high_limit[0]
        if low is not None and span.below(low):
            return self._crossed("low", self._band("low", span), low_limit)
        if high is not None and span.above(high):
            return self._crossed("high", self._band("high", span), high_limit)
        if self.bounded and (crossed := self._bounded(span, limits)):
            return crossed
        if low is None and high is None:
            return Verdict("unknown", "", None, "")
        normal = (low is None or span.at_least(low)) and (high is None or span.at_most(high))
        return Verdict("normal" if normal else "unknown", "", *(low_limit if low is not None else high_limit))

    def _critical(self, span: Span, interpretation: str) -> Verdict | None:
        """By a limit, else by the laboratory's own flag."""
        for side, _, bands in self.critical:
            if _any_holds(bands, span):
                return self._crossed(side, "critical", (None, ""))
        for side, flag, _ in self.critical:
            if interpretation == flag:
                return Verdict(side, "critical", None, "lab")
        return None

    def _bounded(self, span: Span, limits: tuple[Sided, Sided]) -> Verdict | None:
        """A band that needs no interval, where nobody states one."""
        for side, name, bounds in self.bounded:
            if limits[SIDES.index(side)][0] is None and bounds.hold(span):
                return self._crossed(side, name, (None, ""))
        return None

    def _crossed(self, side: Side, band: str, limit: Sided) -> Verdict:
        """With the limit that makes the severity: the band's own, unless it is the laboratory's and not critical."""
        if band == "critical" or limit[1] != "lab":
            for name, bounds in self.bands[side]:
                stated = next((bound for bound in bounds if bound is not None), None)
                if name == band and stated is not None and bounds != NEVER:
                    return Verdict(side, band, stated, "guideline")
        return Verdict(side, band, *limit)

    def _flagged(self, span: Span, interpretation: str, limits: tuple[Sided, Sided]) -> Verdict:
        """The laboratory's own flag, when it states no interval."""
        direction = _FLAGS[interpretation]
        if direction in ("low", "high"):
            return Verdict(direction, self._band(direction, span), None, "lab")
        return Verdict("normal", "", *(limits[0] if limits[0][0] is not None else limits[1]))

    def contradicts(self, lab: Limits) -> bool:
        """The laboratory's interval lies wholly beside any this unit could have: the unit is wrong."""
        low, high = self.reference
        return (high is not None and lab.low is not None and lab.low > high) or (
            low is not None and lab.high is not None and lab.high < low
        )

    def _own(self, place: int) -> Sided:
        ours = self.reference[place]
        if ours is None or not self.bands[SIDES[place]]:
            return None, ""
        return ours, "guideline" if self.rule.precedence == "guideline" else "default"

    def _limit(self, place: int, theirs: Decimal | None, *, pregnant: bool) -> Sided:
        """The limit that goes first on this side, and whose it is; none for a side that is never abnormal."""
        own = self.own[place]
        if own[1] == "guideline" or not self.bands[SIDES[place]]:
            return own
        if pregnant and (expected := self.pregnancy[place]) is not None:
            wider = max if place else min
            return (expected if theirs is None else wider(expected, theirs)), "guideline"
        return own if theirs is None else (theirs, "lab")

    def _band(self, side: Side, span: Span) -> str:
        return next((name for name, bounds in self.bands[side] if bounds.hold(span)), "")


def _any_holds(bands: tuple[Bounds, ...], span: Span) -> bool:
    for bounds in bands:  # noqa: SIM110 - a generator costs more than what it would ask
        if bounds.hold(span):
            return True
    return False


_FLAGS: dict[str, Direction] = {"LL": "low", "L": "low", "N": "normal", "H": "high", "HH": "high"}
_CRITICAL_FLAG: dict[Side, str] = {"low": "LL", "high": "HH"}


def bounds_in(analyte: str, limit: Band | Limit, unit: str) -> Bounds:
    """The bounds of a band or condition in `unit`; `NEVER` when one is stated that has no equal in this unit."""
    if isinstance(limit, Band) and limit.flagged:
        return NEVER
    stated = (limit.below, limit.at_most, limit.above, limit.at_least)
    found = [limit_in(analyte, bound, unit) for bound in stated]
    if any(bound and value is None for bound, value in zip(stated, found, strict=True)):
        return NEVER
    return Bounds(*found)


def interval_in(analyte: str, interval: Interval | None, unit: str) -> tuple[Decimal | None, Decimal | None]:
    """Low and high of an interval in `unit`."""
    if interval is None:
        return None, None
    return limit_in(analyte, interval.low, unit), limit_in(analyte, interval.high, unit)


def limit_in(analyte: str, limit: PerUnit, unit: str) -> Decimal | None:
    """The limit stated for this unit, else the canonical one (the first) converted exactly."""
    if not limit:
        return None
    if unit in limit:
        return limit[unit]
    canonical = next(iter(limit))
    try:
        return convert(analyte, limit[canonical], canonical, unit)
    except UnitError:
        return None
