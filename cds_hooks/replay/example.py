# ruff: noqa: S311 - chance here makes examples, not secrets
"""A generated export with the faults of real ones, for trying the replay out: nobody in it has ever lived."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Any, Final

DAY: Final = date(2026, 11, 1)
"""The day of the export."""
FILES: Final = 2
"""Observations are spread over so many files, the second one compressed."""
LOINC: Final = "http://loinc.org"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD_10_CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
UCUM: Final = "http://unitsofmeasure.org"
LOCAL: Final = "urn:oid:2.999.1"

LABS: Final = (
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 4.2, 0.35, 3.5, 5.1),
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 140, 2.5, 135, 145),
    ("17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL", 9.4, 0.4, 8.5, 10.2),
    ("1751-7", "Albumin [Mass/volume] in Serum or Plasma", "g/dL", 4.2, 0.3, 3.5, 5.0),
    ("19123-9", "Magnesium [Mass/volume] in Serum or Plasma", "mg/dL", 2.0, 0.2, 1.7, 2.4),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.9, 0.2, 0.6, 1.2),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 13.8, 1.2, 12.0, 16.0),
    ("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "m[IU]/L", 2.1, 0.8, 0.4, 4.0),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 98, 14, 70, 100),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 6.8, 1.5, 4.0, 11.0),
    ("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "mg/dL", 52, 10, 40, 80),
)
"""LOINC, name, unit, mean, spread, limits."""
MEDICINES: Final = (
    ("310798", "hydrochlorothiazide 25 MG Oral Tablet"),
    ("313988", "furosemide 40 MG Oral Tablet"),
    ("861004", "metformin hydrochloride 1000 MG Oral Tablet"),
    ("197361", "amlodipine 5 MG Oral Tablet"),
    ("200329", "omeprazole 40 MG Delayed Release Oral Capsule"),
    ("198145", "prednisone 10 MG Oral Tablet"),
    ("", "sertraline 50 MG Oral Tablet"),
    ("", "albuterol 90 mcg inhaler"),
    ("", "house water tablet"),
    ("", "pain cream, pharmacy's own"),
)
PROBLEMS: Final = (
    (ICD_10_CM, "I10", "Essential (primary) hypertension"),
    (ICD_10_CM, "K21.9", "Gastro-esophageal reflux disease without esophagitis"),
    ("", "", "Low back pain"),
    ("", "", "Tremor of both hands"),
)
LOW: Final = {
    "hydrochlorothiazide": ("2823-3", 0.9),
    "furosemide": ("2823-3", 1.2),
    "omeprazole": ("19123-9", 0.5),
}
"""What a medicine does to a result in some of those who take it."""
TWITCHING: Final = 0.5
"""How many have documented twitching: as in a clinic for it, so that a small example shows something."""

Json = dict[str, Any]


def write_example(
    folder: Path, patients: int = 1000, seed: int = 1, results: int = 30, twitching: float = TWITCHING
) -> int:
    """Write an export of `patients` below `folder`; the same seed gives the same bytes. Returns the lines written.

    `results`: about so many per patient. `twitching`: the share of patients for whom it is documented.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    lines = 0
    with ExitStack() as stack:
        files: dict[str, IO[bytes]] = {}
        for line, name in _shuffled(_all_lines(patients, chance, results, twitching), chance):
            if name not in files:
                files[name] = stack.enter_context(_create(folder / name, stack))
            files[name].write(line + b"\n")
            lines += 1
    return lines


def _create(path: Path, stack: ExitStack) -> IO[bytes]:
    if path.suffix != ".gz":
        return path.open("wb")
    raw = stack.enter_context(path.open("wb"))
    # No name and no time inside: the same seed gives the same bytes.
    return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)  # type: ignore[return-value]


def _shuffled(lines: Iterator[tuple[bytes, str]], chance: random.Random) -> Iterator[tuple[bytes, str]]:
    """Out of order, as exports are, without holding more than a few thousand lines."""
    held: list[tuple[bytes, str]] = []
    for line in lines:
        held.append(line)
        if len(held) >= 5000:
            place = chance.randrange(len(held))
            held[place], held[-1] = held[-1], held[place]
            yield held.pop()
    chance.shuffle(held)
    yield from held


def _all_lines(
    patients: int, chance: random.Random, results: int, twitching: float
) -> Iterator[tuple[bytes, str]]:
    for number in range(patients):
        for resource in _patient(f"p{number:06d}", chance, results, twitching):
            line = json.dumps(resource, separators=(",", ":"), ensure_ascii=False).encode()
            type_ = resource["resourceType"]
            name = f"{type_}.ndjson"
            if type_ == "Observation":
                part = chance.randrange(FILES)
                name = f"Observation.{part}.ndjson{'.gz' if part else ''}"
            yield line, name
            fault = chance.random()
            if fault < 0.002:
                yield line, name  # sent twice
            elif fault < 0.0025:
                yield line[: len(line) // 2], name  # cut off


def _patient(name: str, chance: random.Random, results: int, twitching: float) -> Iterator[Json]:
    born = DAY - timedelta(days=chance.randrange(14 * 365, 90 * 365))
    sex = chance.choice(["female", "female", "female", "male", "male", "male", "other"])
    resource: Json = {"resourceType": "Patient", "id": name, "gender": sex, "birthDate": born.isoformat()}
    if chance.random() < 0.02:
        del resource["birthDate"]
    if chance.random() < 0.02:
        resource["deceasedDateTime"] = _day(chance, 300).isoformat()
    yield resource
    medicines = chance.sample(MEDICINES, k=min(6, int(chance.expovariate(0.4))))
    yield from _medicines(name, medicines, chance)
    yield from _problems(name, chance, twitching)
    yield from _encounters(name, chance)
    shift = _shift(medicines, chance)
    for number in range(max(0, round(chance.gauss(results, results / 3)))):
        yield _observation(name, number, shift, chance)
    if chance.random() < 0.1:
        yield _request(name, chance)


def _shift(medicines: list[tuple[str, str]], chance: random.Random) -> dict[str, float]:
    shift: dict[str, float] = {}
    for _, text in medicines:
        code, by = LOW.get(text.split()[0], ("", 0.0))
        if code and chance.random() < 0.5:
            shift[code] = by
    return shift


def _day(chance: random.Random, days: int) -> date:
    return DAY - timedelta(days=int(chance.triangular(0, days, 0)))


def _subject(name: str, chance: random.Random) -> Json:
    base = "https://ehr.example.org/fhir/" if chance.random() < 0.1 else ""
    return {"reference": f"{base}Patient/{name}"}


def _problems(name: str, chance: random.Random, twitching: float) -> Iterator[Json]:
    twitches = chance.random() < twitching
    named = chance.sample(PROBLEMS, k=chance.randrange(3)) + ([TWITCH] if twitches else [])
    for number, (system, code, text) in enumerate(named):
        resolved = chance.random() < 0.1
        onset = _day(chance, 400)
        problem: Json = {
            "resourceType": "Condition",
            "id": f"{name}-c{number}",
            "clinicalStatus": {"coding": [{"code": "resolved" if resolved else "active"}]},
            "code": {"coding": [{"system": system, "code": code, "display": text}]}
            if code
            else {"text": text},
            "subject": _subject(name, chance),
            "onsetDateTime": onset.isoformat(),
            "recordedDate": min(DAY, onset + timedelta(days=chance.randrange(14))).isoformat(),
        }
        if resolved:
            problem["abatementDateTime"] = min(DAY, onset + timedelta(days=60)).isoformat()
        yield problem


TWITCH: Final = (ICD_10_CM, "R25.3", "Fasciculation")


def _encounters(name: str, chance: random.Random) -> Iterator[Json]:
    for number in range(chance.randrange(1, 5)):
        day = _day(chance, 500).isoformat()
        yield {
            "resourceType": "Encounter",
            "id": f"{name}-e{number}",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": _subject(name, chance),
            "period": {"start": f"{day}T09:00:00Z", "end": f"{day}T09:30:00Z"},
        }


def _medicines(name: str, medicines: list[tuple[str, str]], chance: random.Random) -> Iterator[Json]:
    for number, (rxnorm, text) in enumerate(medicines):
        start = _day(chance, 600)
        system, code = (RXNORM, rxnorm) if rxnorm else (LOCAL, f"H{hash_of(text) % 10000:04d}")
        concept = {"coding": [{"system": system, "code": code, "display": text}], "text": text}
        ended = chance.random() < 0.2
        order: Json = {
            "resourceType": "MedicationRequest",
            "id": f"{name}-m{number}",
            "status": "stopped" if ended else "active",
            "intent": "order",
            "subject": _subject(name, chance),
            "authoredOn": start.isoformat(),
        }
        if ended:
            end = min(DAY, start + timedelta(days=90)).isoformat()
            order["dispenseRequest"] = {"validityPeriod": {"start": start.isoformat(), "end": end}}
        if chance.random() < 0.25:
            reference = f"{name}-d{number}"
            order["medicationReference"] = {"reference": f"Medication/{reference}"}
            if chance.random() < 0.97:  # some are missing, as they are in real exports
                yield {"resourceType": "Medication", "id": reference, "code": concept}
        else:
            order["medicationCodeableConcept"] = concept
        yield order


def hash_of(text: str) -> int:
    """A number that is the same in every run."""
    return sum(ord(letter) * place for place, letter in enumerate(text, start=1))


def _observation(name: str, number: int, shift: dict[str, float], chance: random.Random) -> Json:
    code, text, unit, mean, spread, low, high = chance.choice(LABS)
    value = round(max(0.1, chance.gauss(mean - shift.get(code, 0), spread)), 1)
    when = f"{_day(chance, 300)}T{chance.randrange(24):02d}:{chance.randrange(60):02d}:00Z"
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
    result: Json = {
        "resourceType": "Observation",
        "id": f"{name}-o{number}",
        "meta": {"versionId": "1", "lastUpdated": when},
        "status": "final",
        "category": [{"coding": [category]}],
        "code": {"coding": [{"system": LOINC, "code": code, "display": text}], "text": text},
        "subject": _subject(name, chance),
        "effectiveDateTime": when,
        "issued": when,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        "referenceRange": [{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}],
    }
    if chance.random() < 0.4:
        del result["referenceRange"]
    if chance.random() < 0.12:
        _spoil(result, text, chance)
    return result


def _spoil(result: Json, text: str, chance: random.Random) -> None:
    """One of the faults that real records have."""
    quantity, coding = result["valueQuantity"], result["code"]["coding"][0]
    match chance.randrange(10):
        case 0:
            del quantity["unit"], quantity["code"], quantity["system"]
        case 1:
            quantity.update(unit="mq/dL", code="mq/dL")
        case 2:
            coding.update(system=LOCAL, code=f"L{hash_of(text) % 1000}")
        case 3:
            coding.update(system=LOCAL, code=f"L{hash_of(text) % 1000}", display="Chem 7")
            result["code"]["text"] = "Chem 7"
        case 4:
            result["status"] = "entered-in-error"
        case 5:
            result["status"] = "unknown"
        case 6:
            result["valueString"] = f"{result.pop('valueQuantity')['value']}"
        case 7:
            del result["effectiveDateTime"], result["issued"]
        case 8:
            del result["valueQuantity"]
            result["dataAbsentReason"] = {"coding": [{"code": "unknown"}]}
        case _:
            quantity["comparator"] = "<"


def _request(name: str, chance: random.Random) -> Json:
    code, text, *_ = chance.choice(LABS)
    return {
        "resourceType": "ServiceRequest",
        "id": f"{name}-s",
        "status": "active",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": code, "display": text}]},
        "subject": _subject(name, chance),
        "authoredOn": _day(chance, 60).isoformat(),
    }
