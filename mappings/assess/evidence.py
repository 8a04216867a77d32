"""Facts as evidence: one line a clinician can read, with value, unit, date, limit and whose limit."""

from __future__ import annotations

from datetime import date
from decimal import Context, Decimal

from msgspec.structs import replace

from mappings.assess.readings import Reading, shown
from mappings.assessment import Evidence
from mappings.facts import Answer, Finding, LabResult, Measure, Medication, Problem
from mappings.knowledge import Knowledge

FIVE_FIGURES = Context(prec=5)
LONGEST = 90
"""Record text is cut here: a card line is no place for a note."""


def clip(text: str) -> str:
    """Record text on one line, cut to a readable length."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


def of_reading(reading: Reading, knowledge: Knowledge) -> Evidence:
    """The result, the limit it was held against, and whose limit that is."""
    result, say = reading.result, knowledge.wording
    if result is None:
        return Evidence(label=reading.title, text=reading.gap.text if reading.gap else reading.title)
    value = result.comparator + shown(result.value, reading.limit)
    line = {"analyte": reading.title, "value": value, "unit": result.unit, "date": result.date.isoformat()}
    side = (
        "low"
        if reading.direction == "low" or (reading.direction == "normal" and _nearer_low(reading))
        else "high"
    )
    if reading.limit is not None:
        name = (
            "critical" if reading.band == "critical" else "graded" if _is_graded(reading, knowledge) else side
        )
        text = say["result_limit"].format(
            **line,
            limit_name=say[f"limit_{name}"],
            limit=_limit(reading.limit),
            whose=say[f"whose_{reading.limit_source}"],
        )
    else:
        text = say["result"].format(**line)
        if reading.limit_source == "lab":
            text += f"; {say['flagged_critical' if reading.band == 'critical' else 'flagged']}"
    text += "".join(f"; {say[name]}" for name in caveats(result))
    if reading.says:
        text += f"; {reading.says}"
    return Evidence(
        label=reading.title,
        text=text,
        resource=result.resource,
        value=value,
        unit=result.unit,
        date=result.date,
        limit="" if reading.limit is None else f"{_limit(reading.limit)} {result.unit}",
        limit_source=reading.limit_source,
    )


def _is_graded(reading: Reading, knowledge: Knowledge) -> bool:
    """Whether the limit makes the grade, where the laboratory's or our own interval begins elsewhere."""
    rule = knowledge.analytes.get(reading.result.analyte) if reading.result else None
    if reading.limit_source != "guideline" or rule is None or rule.precedence != "lab":
        return False
    bands = (*rule.bands.low, *rule.bands.high)
    return any(b.name == reading.band and (b.below or b.at_most or b.above or b.at_least) for b in bands)


def _limit(limit: Decimal) -> str:
    """As stated; one that was converted from another unit with five figures."""
    return f"{FIVE_FIGURES.plus(limit).normalize():f}"


def _nearer_low(reading: Reading) -> bool:
    return reading.result is not None and reading.limit is not None and reading.result.value >= reading.limit


def caveats(result: LabResult) -> list[str]:
    """Wording ids of what a reader must know about a result before trusting it."""
    return [
        name
        for name, applies in (
            ("preliminary", result.preliminary),
            ("haemolysed", result.specimen_problem == "haemolysed"),
            ("by_text", result.by_text),
        )
        if applies
    ]


def of_medication(medication: Medication, knowledge: Knowledge) -> Evidence:
    """The medicine, and since or until when."""
    drug = clip(medication.text)
    if medication.status == "ended" and medication.end:
        text = knowledge.wording["ended"].format(drug=drug, date=medication.end.isoformat())
    elif medication.status == "ended" and medication.start:
        text = knowledge.wording["ended_unknown"].format(drug=drug, date=medication.start.isoformat())
    elif medication.start:
        text = knowledge.wording["taking_since"].format(drug=drug, date=medication.start.isoformat())
    else:
        text = knowledge.wording["taking"].format(drug=drug)
    return Evidence(label=drug, text=text, resource=medication.resource, date=medication.start)


def of_problem(problem: Problem, knowledge: Knowledge) -> Evidence:
    """The problem, and since when there is it or the suspicion; without an onset when it was recorded, seen or done."""
    on = problem.onset or problem.recorded
    word = "recorded" if problem.concepts or not problem.suspected else "suspected"
    dated = f"{word}_since" if problem.onset and problem.kind != "Procedure" else f"{word}_on"
    return _dated(word, dated, problem.text, on, problem.resource, knowledge)


def of_finding(finding: Finding, knowledge: Knowledge) -> Evidence:
    """The finding, when it was seen, and whether only the patient reports it."""
    if not finding.objective:
        text = knowledge.wording["reported"].format(text=clip(finding.text))
        return Evidence(label=clip(finding.text), text=text, resource=finding.resource, date=finding.date)
    return _dated("found", "found_on", finding.text, finding.date, finding.resource, knowledge)


def of_answer(answer: Answer, knowledge: Knowledge) -> Evidence:
    """The answer in the words of the question's options, when it was given, and whether by the patient."""
    question = knowledge.questions.get(answer.question)
    options = {option.value: option.text for option in question.options} if question else {}
    said = Finding(
        answer.question,
        present=True,
        objective=not answer.reported,
        text=options.get(answer.value, answer.text),
        date=answer.date,
        resource=answer.resource,
    )
    return of_finding(said, knowledge)


def of_measure(measure: Measure, knowledge: Knowledge) -> Evidence:
    """The history item with its number."""
    text = measure.text
    if measure.value is not None:
        text = f"{measure.text}: {measure.value.normalize():f} {measure.unit}".strip()
    said = _dated("measured", "measured_on", text, measure.date, measure.resource, knowledge)
    return replace(said, unit=measure.unit)


def _dated(
    plain: str, dated: str, text: str, on: date | None, resource: str, knowledge: Knowledge
) -> Evidence:
    line = clip(text)
    said = knowledge.wording[dated if on else plain].format(text=line, date=on.isoformat() if on else "")
    return Evidence(label=line, text=said, resource=resource, date=on)
