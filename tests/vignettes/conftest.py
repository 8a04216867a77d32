"""A clinician's shorthand, turned into FHIR, read and assessed as in service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from mappings.assess.assess import assess
from mappings.assessment import Assessment
from mappings.from_fhir.read import Source, read_patient_facts
from mappings.knowledge import load_knowledge
from terminology.valuesets import load

LAB = re.compile(
    r"(?P<analyte>\w+) (?P<value>[<>]?=?[\d.]+)(?: (?!\d{4}-)(?P<unit>[^\s\[]+(?:\[IU\]\S*)?))?(?: \[(?P<low>[\d.]*)-(?P<high>[\d.]*)\])?"
    r"(?: (?P<date>\d{4}-\d\d-\d\d))?(?P<rest>.*)"
)
SHORTHAND = Path(__file__).parent / "shorthand.json"
NORMAL, TEXT_LABS, FINDING_TEXT, MEASURES = json.loads(SHORTHAND.read_text(encoding="utf-8")).values()
VERDICTS = {"neuro_exam_normal": "Normal", "neuro_exam_abnormal": "Abnormal"}
SENT = ("Patient", "Condition", "Observation", "MedicationRequest", "ServiceRequest", "QuestionnaireResponse")
ANALYTES, CONCEPTS = (
    yaml.load((files("terminology") / file).read_text(encoding="utf-8"), yaml.CSafeLoader)[name]
    for file, name in (("analytes.yaml", "analytes"), ("text/concepts.yaml", "concepts"))
)


def coding_of(table: dict[str, Any], name: str) -> list[dict[str, str]]:
    """The first code of a concept or analyte; none when it comes as text only."""
    for value_set in table.get(name, {}).get("value_sets", []):
        code = load()[value_set].codes[0]
        return [{"system": code.system, "code": code.code}]
    return []


def phrase_of(concept: str) -> str:
    phrases = CONCEPTS.get(concept, {}).get("phrases", [])
    return phrases[0] if phrases else concept.replace("_", " ")


def lab(line: str, number: int) -> dict[str, Any]:
    match = LAB.fullmatch(line)
    assert match, f"cannot read the laboratory line {line!r}"
    sign = re.match(r"[<>]?=?", match["value"])
    value = match["value"].lstrip("<>=")
    coded = coding_of(ANALYTES, match["analyte"])
    quantity: dict[str, Any] = {"value": float(value)}
    if match["unit"]:
        quantity |= {"unit": match["unit"], "system": "http://unitsofmeasure.org", "code": match["unit"]}
    if sign and sign[0]:
        quantity["comparator"] = sign[0]
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"lab-{number}",
        "status": "preliminary" if "preliminary" in match["rest"] else "final",
        "code": {"coding": coded} if coded else {"text": TEXT_LABS[match["analyte"]]},
        "effectiveDateTime": match["date"] or "2026-02-20",
        "valueQuantity": quantity,
    }
    limits = {side: dict(quantity, value=float(match[side])) for side in ("low", "high") if match[side]}
    if limits:
        observation["referenceRange"] = [limits]
    if flag := re.search(r"\b(LL|HH)\b", match["rest"]):
        observation["interpretation"] = [{"coding": [{"code": flag[1]}]}]
    if "haemolysed" in match["rest"]:
        observation["note"] = [{"text": "Specimen haemolysed."}]
    if specimen := re.search(r"specimen=(\S+)", match["rest"]):
        observation["specimen"] = {"reference": f"Specimen/{specimen[1]}"}
    return observation


def labs(lines: list[str]) -> list[dict[str, Any]]:
    expanded: list[str] = []
    for line in lines:
        if line.startswith("normal first line"):
            left_out = re.findall(r"\w+", line.removeprefix("normal first line").replace("except", ""))
            expanded += [f"{name} {text}" for name, text in NORMAL.items() if name not in left_out]
        else:
            expanded.append(line)
    return [lab(line, number) for number, line in enumerate(expanded)]


def medication(line: str, number: int) -> dict[str, Any]:
    """`omeprazole 20 mg oral since 2024-01-01`, with ` ended 2026-02-01`, or ` completed` on a day that is not said."""
    completed = line.endswith(" completed")
    text, _, ended = line.removesuffix(" completed").partition(" ended ")
    text, _, since = text.partition(" since ")
    name, _, route = text.rpartition(" ")
    request: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": f"med-{number}",
        "status": "stopped" if ended else "completed" if completed else "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": name or route},
        "dosageInstruction": [{"text": name, "route": {"text": route}}],
    }
    period = {"start": since, "end": ended}
    if since or ended:
        request["dosageInstruction"][0]["timing"] = {
            "repeat": {"boundsPeriod": {k: v for k, v in period.items() if v}}
        }
    return request


def problem(line: str, number: int) -> dict[str, Any]:
    """`als`, `als since 2025-05-01`, `als refuted`, `als provisional` or `als resolved`; `"words"`; `without_a_name`."""
    name, _, since = line.partition(" since ")
    concept, _, status = name.partition(" ") if name[0] != '"' else (name, "", "")
    coded = coding_of(CONCEPTS, concept)
    code = (
        {"coding": coded} if coded else {"text": concept[1:-1] if concept[0] == '"' else phrase_of(concept)}
    )
    condition: dict[str, Any] = {"resourceType": "Condition", "id": f"problem-{number}", "code": code}
    if concept == "without_a_name":
        del condition["code"]
    if since:
        condition["onsetDateTime"] = since
    if status:
        system = "http://terminology.hl7.org/CodeSystem/condition-"
        verified = status in ("refuted", "unconfirmed", "provisional", "differential")
        kind, field = ("ver-status", "verificationStatus") if verified else ("clinical", "clinicalStatus")
        condition[field] = {"coding": [{"system": system + kind, "code": status}]}
    return condition


def finding(line: str, number: int, today: str) -> dict[str, Any]:
    """`neuro_exam_normal` of today, or `neuro_exam_normal 2025-11-21`; `dysphagia "see letter"` in other words than yes."""
    line, _, words = line.partition(' "')
    concept, _, on = line.partition(" ")
    text = FINDING_TEXT.get(concept) or phrase_of(concept)
    seen: dict[str, Any] = {"valueBoolean": True}
    if words or concept in VERDICTS:
        seen = {"valueCodeableConcept": {"text": words.removesuffix('"') or VERDICTS[concept]}}
    return {
        "resourceType": "Observation",
        "id": f"finding-{number}",
        "status": "final",
        "category": [{"coding": [{"code": "exam"}]}],
        "code": {"text": text},
        "effectiveDateTime": on or today,
    } | seen


def measure(line: str, number: int, today: str) -> dict[str, Any]:
    item, _, rest = line.partition(" ")
    observation = {
        "resourceType": "Observation",
        "id": f"measure-{number}",
        "status": "final",
        "category": [{"coding": [{"code": "social-history"}]}],
        "code": MEASURES[item],
        "effectiveDateTime": today,
    }
    number_of = re.fullmatch(r"([\d.]+) (\S+)", rest)
    if number_of:
        unit = number_of[2]
        return observation | {
            "valueQuantity": {
                "value": float(number_of[1]),
                "unit": unit,
                "code": unit,
                "system": "http://unitsofmeasure.org",
            }
        }
    return observation | {"valueString": rest}


def order(line: str, number: int, today: str) -> dict[str, Any]:
    """`magnesium active`: a request of today by its name and status."""
    name, _, status = line.rpartition(" ")
    return {
        "resourceType": "ServiceRequest",
        "id": f"order-{number}",
        "status": status,
        "intent": "order",
        "code": {"text": name},
        "authoredOn": today,
    }


def questionnaire(answers: dict[str, Any], by: str, today: str) -> dict[str, Any]:
    """The history form, filled in by the patient or by a clinician."""
    author = {"reference": "Patient/p" if by == "patient" else "Practitioner/c"}
    item = [
        {
            "linkId": question,
            "answer": [
                {"valueBoolean": value} if isinstance(value, bool) else {"valueCoding": {"code": value}}
            ],
        }
        for question, value in answers.items()
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "answers",
        "status": "completed",
        "questionnaire": "https://example.org/Questionnaire/twitching-history",
        "authored": today,
        "source": author,
        "item": item,
    }


def resources(vignette: dict[str, Any]) -> list[dict[str, Any]]:
    today = str(vignette.get("today", "2026-03-01"))
    patient = vignette["patient"]
    this_year = date.fromisoformat(today)
    born = patient.get("born") or this_year.replace(year=this_year.year - patient["age"]) - timedelta(days=30)
    record: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "id": "p",
            "gender": patient.get("sex", "female"),
            "birthDate": born.isoformat(),
        }
    ]
    if patient.get("pregnant"):
        record.append(
            {
                "resourceType": "Observation",
                "id": "pregnancy",
                "status": "final",
                "effectiveDateTime": today,
                "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
                "valueCodeableConcept": {
                    "coding": [{"system": "http://snomed.info/sct", "code": "77386006"}],
                    "text": "Pregnant",
                },
            }
        )
    twitching = vignette.get("twitching")
    if twitching is not None:
        condition: dict[str, Any] = {
            "resourceType": "Condition",
            "id": "twitching",
            "code": {
                "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}],
                "text": "Fasciculation",
            },
        }
        if twitching.get("onset"):
            condition["onsetDateTime"] = str(twitching["onset"])
        if twitching.get("site"):
            condition["bodySite"] = [{"text": twitching["site"]}]
        record.append(condition)
    record += labs(vignette.get("labs", []))
    for key, build in (("medications", medication), ("problems", problem)):
        record += [build(line, number) for number, line in enumerate(vignette.get(key, []))]
    for key, build_dated in (("findings", finding), ("measures", measure), ("orders", order)):
        record += [build_dated(line, number, today) for number, line in enumerate(vignette.get(key, []))]
    if "answers" in vignette:
        record.append(questionnaire(vignette["answers"], vignette.get("answered_by", "clinician"), today))
    return record


class Stated(NamedTuple):
    """What a laboratory line says: the result, and the laboratory's own limits."""

    analyte: str
    value: Decimal
    unit: str
    limits: frozenset[Decimal]


@pytest.fixture(scope="session")
def stated() -> Callable[[dict[str, Any]], Iterator[Stated]]:
    """The laboratory lines of a vignette that give a result."""

    def lines(vignette: dict[str, Any]) -> Iterator[Stated]:
        for line in vignette.get("labs", []):
            if (match := LAB.fullmatch(line)) and not line.startswith("normal first line"):
                own = frozenset(Decimal(match[side]) for side in ("low", "high") if match[side])
                yield Stated(match["analyte"], Decimal(match["value"].strip("<>=")), match["unit"] or "", own)

    return lines


@pytest.fixture(scope="session")
def assessed() -> Callable[[dict[str, Any]], Assessment]:
    """The assessment of a vignette on its day."""

    def judge(vignette: dict[str, Any]) -> Assessment:
        bundle = {
            "resourceType": "Bundle",
            "entry": [{"resource": resource} for resource in resources(vignette)],
        }
        facts = read_patient_facts("p", [Source("record", json.dumps(bundle).encode(), SENT)])
        return assess(facts, load_knowledge(), date.fromisoformat(str(vignette.get("today", "2026-03-01"))))

    return judge
