"""One patient, indexed for the rules: readings, exposures, problems, findings, and what is ranked so far."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from datetime import date, timedelta
from functools import cached_property

from mappings.assess import signs
from mappings.assess.exposures import Exposures, exposures
from mappings.assess.readings import CLOCK_SKEW, Readings
from mappings.assess.signs import ABNORMAL_EXAM, NORMAL_EXAM
from mappings.assessment import Contributor, RedFlag
from mappings.facts import Answer, DataGap, Finding, Measure, PatientFacts, Problem
from mappings.knowledge import Knowledge

NO_RESULT = frozenset(
    {
        "no-value",
        "not-numeric",
        "no-unit",
        "unknown-unit",
        "implausible-value",
        "code-contradicts-text",
        "no-date",
        "status-not-usable",
    }
)
"""Why a result that exists says nothing."""
UNUSABLE = frozenset({"not-readable", "incomplete", "status-not-usable", "medication-not-resolved"})
"""Why something that is on record says nothing here."""
SPARED = re.compile(r"\b(no|not|without|except|spar(ed|ing)|other than)\b", re.IGNORECASE)
"""A problem's name that also says where it does not twitch is no statement of place."""


class Case:
    """Everything a condition may ask. Filled step by step by `assess`; no rule reads a later step."""

    def __init__(self, facts: PatientFacts, knowledge: Knowledge, today: date) -> None:
        self.facts = facts
        self.knowledge = knowledge
        self.today = today
        self.readings = Readings({}, [])
        self.present: frozenset[tuple[str, str]] = frozenset()
        self.ranked: dict[str, Contributor] = {}
        self.red_flags: dict[str, RedFlag] = {}
        self.proposed: dict[str, str] = {}
        """Analyte -> the drafted medicine before which it should be known."""
        self.unsupported: dict[str, tuple[str, ...]] = {}
        """Contributor id -> analytes it acts through that are not known since it began."""

    @cached_property
    def exposures(self) -> Exposures:
        return exposures(self.facts.medications, self.knowledge, self.today)

    @cached_property
    def problems(self) -> dict[str, tuple[Problem, ...]]:
        """Concept -> problems that name it, active ones first, oldest first."""
        found: dict[str, list[Problem]] = defaultdict(list)
        for problem in self.facts.problems:
            for concept in problem.concepts:
                found[concept].append(problem)
        return {
            concept: tuple(
                sorted(
                    group,
                    key=lambda p: (
                        not p.active,
                        p.onset or p.recorded or date.max,
                        p.resource,
                        p.text,
                        p.site,
                    ),
                )
            )
            for concept, group in found.items()
        }

    @cached_property
    def suspected(self) -> dict[str, tuple[Problem, ...]]:
        """Disease -> active problems that suspect it."""
        found: dict[str, list[Problem]] = defaultdict(list)
        for problem in self.facts.problems:
            for concept in problem.suspected if problem.active else ():
                found[concept].append(problem)
        return {
            concept: tuple(sorted(group, key=lambda p: (p.resource, p.text)))
            for concept, group in found.items()
        }

    @cached_property
    def gate(self) -> tuple[Problem, ...]:
        """The active problems that document twitching, oldest first."""
        if not any(documents_twitching(problem, self.knowledge) for problem in self.facts.problems):
            return ()
        opening = {
            (problem.resource, problem.text): problem
            for concept in self.knowledge.gate.opens
            for problem in self.problems.get(concept, ())
            if documents_twitching(problem, self.knowledge)
        }
        return tuple(
            sorted(opening.values(), key=lambda p: (p.onset or date.max, p.resource, p.text, p.site))
        )

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """The answers that hold, in a stable order, the latest first.

        What a question was answered with before its last plain answer by the same side, clinician or patient, is taken
        back, unless it is undated.
        """
        last: dict[tuple[str, bool], date] = {}
        for answer in self.facts.answers:
            if answer.date and self._is_plain(answer):
                asked = answer.question, answer.reported
                last[asked] = max(last.get(asked, answer.date), answer.date)
        standing = (
            a
            for a in self.facts.answers
            if a.date is None or a.date >= last.get((a.question, a.reported), date.min)
        )
        return tuple(
            sorted(
                standing,
                key=lambda a: (a.date or date.min, a.resource, a.question, a.value, a.text),
                reverse=True,
            )
        )

    def _is_plain(self, answer: Answer) -> bool:
        """Whether it is one that the question has, by today: `unknown` takes nothing back, nor does a later day."""
        question = self.knowledge.questions.get(answer.question)
        if question is None or answer.date is None or answer.date > self.today + CLOCK_SKEW:
            return False
        if question.type == "boolean":
            return answer.value in ("true", "false")
        return not question.options or any(answer.value == option.value for option in question.options)

    @cached_property
    def gaps(self) -> tuple[DataGap, ...]:
        """What could not be read in a stable order, the latest first."""
        return tuple(
            sorted(
                self.facts.gaps, key=lambda g: (g.on or date.max, g.resource, g.what, g.text), reverse=True
            )
        )

    @cached_property
    def onset(self) -> date | None:
        """When the twitching was first noticed: the answered question first, else the earliest onset."""
        answered = [a.value for a in self.facts.answers if a.question == "first-noticed"]
        for value in sorted(answered):
            try:
                return date.fromisoformat(value[:10])
            except ValueError:
                continue
        return min((p.onset for p in self.gate if p.onset), default=None)

    @cached_property
    def sites(self) -> tuple[str, ...]:
        """Where it twitches, in lower case: body sites and answered locations."""
        answered = [a.value for a in self.answers if a.question == "locations"]
        texts = [a.text for a in self.answers if a.question == "locations"]
        named = [p.site for p in self.gate] + [p.text for p in self.gate if not SPARED.search(p.text)]
        return tuple(text.lower() for text in (*named, *answered, *texts) if text)

    @cached_property
    def verdicts(self) -> dict[str, date]:
        """The day of the latest neurological examination by a clinician that found all normal, and not all normal."""
        return signs.verdicts(self.facts, self.answers, self.knowledge, self.today + CLOCK_SKEW)

    def unreadable(self, labs: Collection[str]) -> str:
        """Why the newest result of one of these could not be used, where nothing newer answers."""
        for gap in self._unusable_results:
            if gap.what in labs:
                return gap.text or self.knowledge.wording["test_unreadable"]
        return ""

    @cached_property
    def _unusable_results(self) -> list[DataGap]:
        """Of results that nothing newer of the same analyte answers."""
        found = []
        for gap in self.gaps:
            if gap.reason in NO_RESULT:
                on = self.readings[gap.what].on()
                if on is None or gap.on is None or gap.on >= on:
                    found.append(gap)
        return found

    @cached_property
    def examination(self) -> date | None:
        """The day of the latest neurological examination, if it was normal."""
        normal = self.verdicts.get(NORMAL_EXAM)
        return None if normal is None or normal < self.verdicts.get(ABNORMAL_EXAM, normal) else normal

    @cached_property
    def unread(self) -> tuple[DataGap, ...]:
        """What is on record and could not be read: resources, findings and answers.

        Left out are examinations before the last that could be read, and medicines and EMG too long ago to count.
        """
        unusable = [gap for gap in self.gaps if gap.reason in UNUSABLE and not self._is_past(gap)]
        return (*unusable, *signs.unclear(self.answers, self.knowledge))

    def _is_past(self, gap: DataGap) -> bool:
        if gap.on is None:
            return False
        match gap.what:
            case signs.EXAM:
                return gap.on < max(self.verdicts.values(), default=date.min)
            case signs.MEDICINE:
                classes = self.knowledge.drug_classes.values()
                days = max((drug_class.washout_days for drug_class in classes), default=0)
            case signs.EMG if rule := self.knowledge.orders.get(signs.EMG_TEST):
                days = rule.valid_days
            case _:
                return False
        return gap.on < self.today - timedelta(days=days)

    @cached_property
    def findings(self) -> dict[str, tuple[Finding, ...]]:
        """Concept -> findings present: examined, reported, or on the problem list and not refuted by examination."""
        examined = (f for f in self.facts.findings if f.present)
        answered = signs.answered(self.answers, self.knowledge)
        refutes = frozenset(self.knowledge.gate.examination_refutes)
        listed = signs.listed(self.facts.problems, self.examination, refutes)
        found: dict[str, list[Finding]] = defaultdict(list)
        for finding in (*examined, *answered, *listed):
            if not signs.outdated(finding, self.verdicts):
                found[finding.concept].append(finding)
        return {
            concept: tuple(
                sorted(group, key=lambda f: (not f.objective, f.date or date.min, f.resource, f.text))
            )
            for concept, group in found.items()
        }

    @cached_property
    def measures(self) -> dict[str, tuple[Measure, ...]]:
        found: dict[str, list[Measure]] = defaultdict(list)
        for measure in self.facts.measures:
            found[measure.item].append(measure)
        return {
            item: tuple(
                sorted(
                    group,
                    key=lambda m: (m.date or date.min, m.resource, m.text, m.value or 0, m.unit),
                    reverse=True,
                )
            )
            for item, group in found.items()
        }

    @cached_property
    def age(self) -> tuple[int, int] | None:
        """Youngest and oldest possible age in whole years."""
        if self.facts.patient.birth_date is None:
            return None
        earliest, latest = self.facts.patient.birth_date
        return years_between(latest, self.today), years_between(earliest, self.today)

    @property
    def pregnant(self) -> bool:
        return self.facts.patient.pregnant


def documents_twitching(problem: Problem, knowledge: Knowledge) -> bool:
    """Whether it opens the gate."""
    return problem.active and not set(problem.concepts).isdisjoint(knowledge.gate.opens)


def years_between(birth: date, today: date) -> int:
    """Completed years."""
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
