"""What conditions may ask of the record: results, medicines, problems, findings, history."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache

from mappings.assess import evidence
from mappings.assess.case import Case
from mappings.assess.limits import bounds_in, span_of
from mappings.assessment import Evidence
from mappings.facts import Medication
from mappings.knowledge import Knowledge
from mappings.rule_language import Limit, When
from terminology.drugs import recognise

Proof = tuple[Evidence, ...]
Condition = Callable[[Case], Proof | None]
NOTHING: Proof = ()


def lab(when: When, knowledge: Knowledge) -> Condition:
    """The reading of an analyte points this way, in this band, at this age."""
    name, directions = str(when.lab), _DIRECTIONS[str(when.is_)]
    bands, within, older = frozenset(when.band), when.within_days, when.older_than_days

    def holds(case: Case) -> Proof | None:
        reading = case.readings[name]
        if reading.direction not in directions or (bands and reading.band not in bands):
            return None
        if within is not None and (reading.result is None or reading.age_days > within):
            return None
        if older is not None and (reading.result is None or reading.age_days <= older):
            return None
        if reading.result is None or (reading.direction == "unknown" and not reading.answered):
            return NOTHING
        return (evidence.of_reading(reading, knowledge),)

    return holds


_DIRECTIONS = {
    "low": frozenset({"low"}),
    "high": frozenset({"high"}),
    "normal": frozenset({"normal"}),
    "unknown": frozenset({"unknown"}),
    "abnormal": frozenset({"low", "high"}),
    "known": frozenset({"low", "normal", "high"}),
}


def exposure(when: When, knowledge: Knowledge) -> Condition:
    """A medicine of one of these classes counts now."""
    classes = when.exposure
    assert isinstance(classes, tuple)  # noqa: S101
    group = frozenset(classes)

    def holds(case: Case) -> Proof | None:
        taken = {
            m.resource or m.text: m
            for name in classes
            for m in case.exposures.get(name, ())
            if _counts(when, m, case)
        }
        if not taken or (when.agents > 1 and _agents(taken.values(), group) < when.agents):
            return None
        return tuple(evidence.of_medication(medication, knowledge) for medication in taken.values())

    return holds


def _agents(medications: Iterable[Medication], classes: frozenset[str]) -> int:
    """Distinct ingredients of these classes; a medicine without known ingredients is one agent."""
    names: set[str] = set()
    for medication in medications:
        named = {name for name in medication.ingredients if classes & _classes_of(name)}
        names.update(named or {medication.text})
    return len(names)


@lru_cache(maxsize=2048)
def _classes_of(ingredient: str) -> frozenset[str]:
    match = recognise((), (ingredient,))
    return frozenset((*match.classes, *match.local))


def _counts(when: When, medication: Medication, case: Case) -> bool:
    start = medication.start
    return (
        (not when.routes or medication.route in when.routes)
        and (not when.min_days or start is None or (case.today - start).days >= when.min_days)
        and not (when.before_onset and start and case.onset and start > case.onset)
        and (when.dose_mg is None or stated_dose_mg(medication.text) >= when.dose_mg)
    )


DOSE = re.compile(r"(?<![\d.,])(\d[\d.,]*)\s*(mg|mcg|micrograms?|µg|μg|ug|g)\b", re.IGNORECASE)
TO_MG = {"mg": Decimal(1), "g": Decimal(1000)}


def stated_dose_mg(text: str) -> Decimal:
    """The largest strength a medicine's text states, in mg; 0 when it states none."""
    doses = []
    for number, unit in DOSE.findall(text):
        plain = (
            number.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", number) else number.replace(",", ".")
        )
        if re.fullmatch(r"\d+(\.\d+)?", plain):
            doses.append(Decimal(plain) * TO_MG.get(unit.lower(), Decimal("0.001")))
    return max(doses, default=Decimal(0))


def problem(when: When, knowledge: Knowledge) -> Condition:
    """One of these problems is on record."""
    concepts = when.problem
    assert isinstance(concepts, tuple)  # noqa: S101

    def holds(case: Case) -> Proof | None:
        found = {
            (problem.resource, problem.text): problem
            for concept in concepts
            for problem in (case.suspected if when.suspected else case.problems).get(concept, ())
            if (problem.active or when.past)
            and _recent(problem.onset or problem.recorded, when.within_days, case)
        }
        return tuple(evidence.of_problem(p, knowledge) for p in found.values()) if found else None

    return holds


def _recent(on: date | None, within: int | None, case: Case) -> bool:
    return within is None or (on is not None and 0 <= (case.today - on).days <= within)


def finding(when: When, knowledge: Knowledge) -> Condition:
    """One of these findings is present."""
    concepts = when.finding
    assert isinstance(concepts, tuple)  # noqa: S101

    def holds(case: Case) -> Proof | None:
        found = {
            (finding.resource, finding.text): finding
            for concept in concepts
            for finding in case.findings.get(concept, ())
            if (finding.objective or when.reported)
            and _recent(finding.date, when.within_days, case)
            and not (when.since_onset and finding.date and case.onset and finding.date < case.onset)
        }
        return tuple(evidence.of_finding(f, knowledge) for f in found.values()) if found else None

    return holds


def measure(when: When, knowledge: Knowledge) -> Condition:
    """A history item is within a limit, or says one of these words."""
    item, limit = str(when.measure), when.limit
    words = words_pattern(when.text) if when.text else None

    def holds(case: Case) -> Proof | None:
        found = case.measures.get(item, ())
        if limit is not None:
            found = found[:1]
            found = tuple(m for m in found if m.value is not None and bounds_hold(limit, m.value, m.unit))
        if words is not None:
            found = tuple(m for m in found if words.search(m.text.lower()))
        return tuple(evidence.of_measure(m, knowledge) for m in found) if found else None

    return holds


def bounds_hold(limit: Limit, value: Decimal, unit: str) -> bool:
    """A limit on a history item; a unit the limit does not name never holds."""
    stated = limit.below or limit.at_most or limit.above or limit.at_least
    return unit in stated and bounds_in("", limit, unit).hold(span_of(value))


def words_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the words, as whole words."""
    return re.compile(r"\b(?:" + "|".join(re.escape(word.lower()) for word in words) + r")\b")


def answer(when: When, knowledge: Knowledge) -> Condition:
    """A history question was answered so."""
    question, values = str(when.answer), frozenset(when.values)

    def holds(case: Case) -> Proof | None:
        found = [a for a in case.answers if a.question == question and (not values or a.value in values)]
        return tuple(evidence.of_answer(a, knowledge) for a in found) or None

    return holds
