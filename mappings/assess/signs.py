"""The signs and symptoms of a case: examined, answered, or on the problem list; and what the last examination says of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date

from mappings.assess.evidence import clip
from mappings.facts import Answer, DataGap, Finding, PatientFacts, Problem
from mappings.knowledge import Knowledge

NORMAL_EXAM, ABNORMAL_EXAM = "neuro_exam_normal", "neuro_exam_abnormal"
EXAM, MEDICINE, EMG, EMG_TEST = "neuro_examination", "medication", "emg_abnormality", "emg_ncs"
OPPOSITE = {NORMAL_EXAM: ABNORMAL_EXAM, ABNORMAL_EXAM: NORMAL_EXAM}
PLAIN = ("true", "false")


def verdicts(
    facts: PatientFacts, answers: Iterable[Answer], knowledge: Knowledge, until: date
) -> dict[str, date]:
    """The day of the latest neurological examination by a clinician, of those that found all normal and of the others.

    What is dated after `until` has not been found yet.
    """
    latest: dict[str, date] = {}
    for finding in (*facts.findings, *answered(answers, knowledge)):
        on = finding.date or date.min
        if finding.concept in OPPOSITE and finding.present and finding.objective and on <= until:
            latest[finding.concept] = max(latest.get(finding.concept, date.min), on)
    return latest


def outdated(finding: Finding, verdicts: Mapping[str, date]) -> bool:
    """Whether it is an examination after which another found the opposite."""
    other = verdicts.get(OPPOSITE.get(finding.concept, ""))
    return other is not None and (finding.date or date.min) < other


def answered(answers: Iterable[Answer], knowledge: Knowledge) -> Iterator[Finding]:
    """What was answered with yes; a clinician's no to a normal examination is an abnormal one."""
    for answer in answers:
        question = knowledge.questions.get(answer.question)
        concept = question.concept if question else ""
        if answer.value == "false" and not answer.reported:
            concept = ABNORMAL_EXAM if concept == NORMAL_EXAM else ""
        elif answer.value != "true":
            continue
        if question and concept:
            yield Finding(
                concept,
                present=True,
                objective=not answer.reported,
                text=question.text if answer.value == "true" else f"{question.text}: {answer.text}",
                date=answer.date,
                resource=answer.resource,
            )


def unclear(answers: Iterable[Answer], knowledge: Knowledge) -> Iterator[DataGap]:
    """The answers to what is asked about a sign or symptom that are neither yes nor no."""
    for answer in answers:
        question = knowledge.questions.get(answer.question)
        if question and question.concept and answer.value not in PLAIN:
            text = knowledge.wording["answer_unclear"].format(
                question=question.text, answer=clip(answer.text)
            )
            yield DataGap(question.concept, "not-readable", text, answer.resource, answer.date)


def listed(
    problems: Iterable[Problem], examination: date | None, refutes: Collection[str]
) -> Iterator[Finding]:
    """What the problem list or the encounter names, unless a normal examination since then takes it back."""
    for problem in problems:
        noted = problem.onset or problem.recorded
        later_normal = examination is not None and (noted is None or examination >= noted)
        if problem.active and problem.kind in ("Condition", "Encounter"):
            for concept in problem.concepts:
                if later_normal and concept in refutes:
                    continue
                yield Finding(
                    concept,
                    present=True,
                    objective=True,
                    text=problem.text,
                    date=noted,
                    site=problem.site,
                    resource=problem.resource,
                )
