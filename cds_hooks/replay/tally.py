"""What is counted: for each cell of each table the patients and the moments in it. Sums are the same in any order."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

import msgspec

from cds_hooks.replay.patient import Outcome
from cds_hooks.replay.record import Moment
from mappings.assess.case import years_between
from mappings.assessment import Assessment
from mappings.from_fhir.dates import when
from mappings.from_fhir.details import DATA_ERRORS

Cell = tuple[str, ...]
"""`(side, table, *what)`, e.g. `("0", "card", "twitching-tests", "info")`."""
Counts = dict[Cell, tuple[int, int]]
"""Patients and moments."""

CHANGE: Final = "-"
"""The side of the cells that compare two."""
KEPT_BACK: Final = {"card": "keptBackCard", "finding": "keptBackFinding"}
"""The tables of what the site does not let through, by kind."""
SEVERITY: Final = ("none", "info", "warning", "critical")
BANDS: Final = ((80, "80 and over"), (60, "60-79"), (40, "40-59"), (18, "18-39"), (0, "0-17"))
SIDES: Final = ("0", "1")
"""What the sides are called in a cell."""


class _Patient(msgspec.Struct, rename="camel"):
    birth_date: str = ""
    gender: str = ""


_patient: Final = msgspec.json.Decoder(_Patient)
_encoder: Final = msgspec.json.Encoder(order="deterministic")
MODULUS: Final = 2**256


class Tally:
    """Counts of many patients, and one number that depends on every answer but not on their order."""

    def __init__(self) -> None:
        self.patients = 0
        self.moments = 0
        self.without_resource = 0
        self.digest = 0
        self._patients_in, self._moments_in = Counter[Cell](), Counter[Cell]()

    @property
    def counts(self) -> Counts:
        """All cells so far."""
        return {cell: (patients, self._moments_in[cell]) for cell, patients in self._patients_in.items()}

    def add(
        self, patient: str, about: Sequence[bytes], answers: Iterable[tuple[Moment, tuple[Outcome, ...]]]
    ) -> list[tuple[Moment, tuple[Outcome, ...]]]:
        """Count one patient; the moments that said something or changed are returned."""
        mine: set[Cell] = set()
        highest: dict[str, int] = {}
        said = []
        last: date | None = None
        for moment, outcomes in answers:
            self.moments += 1
            last = moment.day
            cells: set[Cell] = set()
            for number, (name, outcome) in enumerate(zip(SIDES, outcomes, strict=False)):
                cells.update(_cells_of(name, outcome, moment))
                worst = max(map(_severity, outcome.cards)) if outcome.cards else 0
                highest[name] = max(worst, highest.get(name, 0))
                self._digest(patient, moment, number, outcome)
            changed = set(_changes(*outcomes)) if len(outcomes) == 2 else set()
            cells.update((CHANGE, *cell) for cell in changed)
            self._moments_in.update(cells)
            mine |= cells
            if changed or not all(map(_is_silent, outcomes)):
                said.append((moment, outcomes))
        self.patients += 1
        self.without_resource += not about
        age, sex = stratum(about, last)
        for name, worst in highest.items():
            mine.add((name, "highest", SEVERITY[worst]))
            mine.add((name, "stratum", age, sex, "cards" if worst else "none"))
        self._patients_in.update(mine)
        return said

    def merge(self, counts: Counts) -> None:
        """Add the counts of other patients."""
        for cell, (patients, moments) in counts.items():
            self._patients_in[cell] += patients
            self._moments_in[cell] += moments

    def _digest(self, patient: str, moment: Moment, number: int, outcome: Outcome) -> None:
        said = _encoder.encode((patient, moment.day, moment.encounter, number, outcome))
        self.digest = (self.digest + int.from_bytes(hashlib.sha256(said).digest())) % MODULUS


def _is_silent(outcome: Outcome) -> bool:
    return not (outcome.cards or outcome.kept_back or outcome.failed)


def _severity(card: tuple[str, str]) -> int:
    return SEVERITY.index(card[1])


def _cells_of(side: str, outcome: Outcome, moment: Moment) -> Iterable[Cell]:
    """Where one answer of a side counts. What is behind an answer without cards is not shown, so it does not count."""
    month = moment.day.isoformat()[:7]
    if outcome.assessment and _is_silent(outcome):
        return _silent_cells(side, month, outcome.assessment.silent_reason)
    return [(side, *cell) for cell in _cells(outcome, month)]


@lru_cache(1000)
def _silent_cells(side: str, month: str, reason: str | None) -> tuple[Cell, ...]:
    """Nearly all answers say nothing."""
    return (
        (side, "assessed"),
        (side, "month", month, "none"),
        (side, "silent", reason or "nothing-to-add"),
    )


def _cells(outcome: Outcome, month: str) -> Iterator[Cell]:
    yield ("assessed",)
    yield "month", month, "cards" if outcome.cards else "none"
    if outcome.failed:
        yield "failed", outcome.failed
    if outcome.kept_back:
        yield ("keptBackFrom",)
        for kind, what, indicator, why in outcome.kept_back:
            yield KEPT_BACK[kind], what, indicator, why
    assessment = outcome.assessment
    if assessment is None:
        return
    if not outcome.cards:
        yield "silent", assessment.silent_reason or "nothing-to-add"
        return
    yield ("withCards",)
    for topic, indicator in outcome.cards:
        yield "card", topic, indicator
        yield "topic", topic
    if assessment.out_of_scope:
        yield ("outOfScope",)
    for cause in assessment.contributors:
        yield "contributor", cause.id
        yield "tier", cause.tier
        yield "ranked", cause.id, cause.tier, cause.strength
    yield from (("redFlag", flag.id) for flag in assessment.red_flags)
    yield from (("safety", item.id) for item in assessment.safety)
    yield from (("test", test.id, test.status) for test in assessment.tests)
    for gap in assessment.gaps:
        yield "gapReason", gap.reason
        yield "gap", gap.reason, gap.what


def _changes(before: Outcome, after: Outcome) -> Iterator[Cell]:
    """What the second side says differently."""
    said = [shown(before), shown(after)]
    found: set[Cell] = set()
    if bool(before.cards) != bool(after.cards):
        found.add(("change", "cards", "appear" if after.cards else "disappear"))
    worst = [
        max((indicator for _, indicator in outcome.cards), key=SEVERITY.index, default="none")
        for outcome in (before, after)
    ]
    if worst[0] != worst[1]:
        found.add(("change", "indicator", f"{worst[0]} to {worst[1]}"))
    if before.failed != after.failed:
        found.add(("change", "failed", f"{before.failed or 'none'} to {after.failed or 'none'}"))
    for kind in ("contributor", "explanation", "tier", "red flag", "safety", "suggested test"):
        one, other = (_shown_names(kind, assessment) for assessment in said)
        found.update(("change", f"{kind} added", name) for name in other - one)
        found.update(("change", f"{kind} removed", name) for name in one - other)
    if found:
        found.add(("change", "any", ""))
    yield from found


def _shown_names(kind: str, assessment: Assessment | None) -> set[str]:
    """What a reader saw of one kind."""
    if assessment is None:
        return set()
    match kind:
        case "contributor":
            return {cause.id for cause in assessment.contributors}
        case "explanation":
            return {
                f"{name} of {cause.id}" for cause in assessment.contributors for name in cause.explained_by
            }
        case "tier":
            return {f"{cause.id} {cause.tier}" for cause in assessment.contributors}
        case "red flag":
            return {flag.id for flag in assessment.red_flags}
        case "safety":
            return {item.id for item in assessment.safety}
        case _:
            return {test.id for test in assessment.tests if test.status == "suggested"}


def stratum(about: Sequence[bytes], day: date | None) -> tuple[str, str]:
    """Age band on the day, and sex; `unknown` where the record does not say."""
    try:
        patient = _patient.decode(max(about)) if about else _Patient()
    except DATA_ERRORS:
        return "unknown", "unknown"
    born = when(patient.birth_date)
    age = "unknown"
    if born and day and born.earliest <= day:
        years = max(years_between(born.latest, day), 0)
        age = next(name for least, name in BANDS if years >= least)
    sex = patient.gender.strip().lower()
    return age, sex if sex in ("female", "male", "other") else "unknown"


def shown(outcome: Outcome) -> Assessment | None:
    """The assessment of which a reader saw cards."""
    return outcome.assessment if outcome.cards else None
