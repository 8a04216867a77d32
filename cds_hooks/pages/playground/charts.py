"""Whole charts of made-up patients: a shorthand in days before today, written out as a FHIR Bundle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct

from terminology.coding import ICD_10_CM, LOINC, UCUM
from terminology.quantity import analytes
from terminology.valuesets import Code, load

Resource = dict[str, Any]
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
YEAR = 365.25


class Problem(Struct, frozen=True, forbid_unknown_fields=True):
    """A diagnosis, symptom or (`operation`) procedure; `code` is ICD-10-CM."""

    text: str
    day: int
    code: str = ""
    site: str = ""
    operation: bool = False


class Medicine(Struct, frozen=True, forbid_unknown_fields=True):
    """A medicine by its text, and the days it was taken."""

    text: str
    start: int
    end: int | None = None


class Series(Struct, frozen=True, forbid_unknown_fields=True):
    """The results of one analyte by day, with the laboratory's own interval."""

    unit: str
    values: dict[int, Decimal]
    range: tuple[Decimal | None, Decimal | None] = (None, None)


class Finding(Struct, frozen=True, forbid_unknown_fields=True):
    """An observation that is no laboratory result."""

    text: str
    category: str
    day: int
    value: str = ""
    """Empty: the finding is present."""


class Chart(Struct, frozen=True, forbid_unknown_fields=True):
    """One patient. Days count from today; those in the past are negative."""

    id: str
    title: str
    says: str
    sex: str
    age: int
    problems: tuple[Problem, ...]
    medicines: tuple[Medicine, ...] = ()
    results: dict[str, Series] = {}
    findings: tuple[Finding, ...] = ()


def codes_of(analyte: str) -> list[Code]:
    """The LOINC codes of the analyte's value sets; a few analytes have none."""
    codes = (code for name in analytes()[analyte].value_sets for code in load()[name].codes)
    return [code for code in codes if code.system == LOINC]


def loinc(analyte: str, unit: str) -> dict[str, str]:
    """The first of its LOINC codes that measures in this kind of unit: moles or mass."""
    kind = "Moles" if "mol" in unit or "meq" in unit else "Mass"
    codes = codes_of(analyte)
    found = next((code for code in codes if f"[{kind}/" in code.display), codes[0])
    return {"system": LOINC, "code": found.code, "display": found.display}


def bundle(chart: Chart, today: date) -> Resource:
    """The chart as a collection, newest results first."""
    resources: list[Resource] = [
        {"resourceType": "Patient", "id": chart.id, "gender": chart.sex, "birthDate": _birth(chart, today)}
    ]
    for kind, found in (
        ("problem", _problems(chart, today)),
        ("medicine", _medicines(chart, today)),
        ("result", _results(chart, today)),
        ("finding", _findings(chart, today)),
    ):
        for number, resource in enumerate(found, start=1):
            who = {"subject": {"reference": f"Patient/{chart.id}"}}
            resources.append({"resourceType": "", "id": f"{kind}-{number}"} | resource | who)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in resources],
    }


def _birth(chart: Chart, today: date) -> str:
    return (today - timedelta(days=round((chart.age + 0.5) * YEAR))).isoformat()


def _on(today: date, day: int) -> str:
    return (today + timedelta(days=day)).isoformat()


def _problems(chart: Chart, today: date) -> Iterator[Resource]:
    for problem in chart.problems:
        code: Resource = {"text": problem.text}
        if problem.code:
            code["coding"] = [{"system": ICD_10_CM, "code": problem.code}]
        if problem.operation:
            yield {
                "resourceType": "Procedure",
                "status": "completed",
                "code": code,
                "performedDateTime": _on(today, problem.day),
            }
            continue
        site = {"bodySite": [{"text": problem.site}]} if problem.site else {}
        yield {
            "resourceType": "Condition",
            "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
            "code": code,
            "onsetDateTime": _on(today, problem.day),
        } | site


def _medicines(chart: Chart, today: date) -> Iterator[Resource]:
    for medicine in chart.medicines:
        period = {"start": _on(today, medicine.start)}
        if medicine.end is not None:
            period["end"] = _on(today, medicine.end)
        yield {
            "resourceType": "MedicationRequest",
            "status": "active" if medicine.end is None else "completed",
            "intent": "order",
            "medicationCodeableConcept": {"text": medicine.text},
            "authoredOn": period["start"],
            "dosageInstruction": [{"text": medicine.text, "timing": {"repeat": {"boundsPeriod": period}}}],
        }


def _results(chart: Chart, today: date) -> Iterator[Resource]:
    rows = [(day, name) for name, series in chart.results.items() for day in series.values]
    for day, name in sorted(rows, key=lambda row: -row[0]):
        series = chart.results[name]
        low, high = (
            {"value": end, **_unit(series.unit)} if end is not None else None for end in series.range
        )
        limits = {side: end for side, end in (("low", low), ("high", high)) if end}
        yield {
            "resourceType": "Observation",
            "status": "final",
            "category": _category("laboratory"),
            "code": {"coding": [loinc(name, series.unit)], "text": _title(name)},
            "effectiveDateTime": _on(today, day),
            "valueQuantity": {"value": series.values[day], **_unit(series.unit)},
        } | ({"referenceRange": [limits]} if limits else {})


def _findings(chart: Chart, today: date) -> Iterator[Resource]:
    for finding in chart.findings:
        yield {
            "resourceType": "Observation",
            "status": "final",
            "category": _category(finding.category),
            "code": {"text": finding.text},
            "effectiveDateTime": _on(today, finding.day),
        } | ({"valueString": finding.value} if finding.value else {"valueBoolean": True})


def _title(analyte: str) -> str:
    title = analytes()[analyte].title
    return title[:1].upper() + title[1:]


def _unit(unit: str) -> Resource:
    return {"unit": unit, "system": UCUM, "code": unit}


def _category(code: str) -> list[Resource]:
    return [{"coding": [{"system": CATEGORIES, "code": code}]}]
