"""Replays the real records and the rendered vignettes that live beside the repository."""

from __future__ import annotations

import importlib.util
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mappings.facts import PatientFacts
from mappings.from_fhir.read import Source, read_patient_facts
from terminology.laboratory import identify

Json = dict[str, Any]
WITHDRAWN = ("entered-in-error", "cancelled")


def records(shared: Path) -> list[tuple[str, str, list[Source], list[Json]]]:
    """File name, patient id, sources and all resources of each record."""
    found = []
    for path in sorted((shared / "data").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if "hook" in content:
            parts = {
                **content.get("prefetch", {}),
                **{k: v for k, v in content["context"].items() if isinstance(v, dict)},
            }
            sources = [
                Source(
                    key,
                    None if value is None else json.dumps(value).encode(),
                    draft=key in content["context"],
                )
                for key, value in parts.items()
            ]
            resources = [resource for value in parts.values() for resource in resources_in(value)]
            patient_id = content["context"]["patientId"]
        else:
            sources = [Source("record", path.read_bytes())]
            resources = list(resources_in(content))
            patient_id = owner(content, resources)
        found.append((path.name, patient_id, sources, resources))
    return found


def resources_in(content: Any) -> Iterator[Json]:
    if content and content["resourceType"] == "Bundle":
        yield from (entry["resource"] for entry in content.get("entry", []))
    elif content:
        yield content


def owner(content: Json, resources: list[Json]) -> str:
    for entry in content.get("entry", []):
        if entry["resource"]["resourceType"] == "Patient":
            return str(entry["resource"].get("id") or entry["fullUrl"])
    subject = next(resource["subject"]["reference"] for resource in resources if "subject" in resource)
    return str(subject)


class Coded:
    def __init__(self, coding: Json) -> None:
        self.system, self.code, self.display = (coding.get(name) for name in ("system", "code", "display"))


def analyte(observation: Json) -> str:
    code = observation.get("code", {})
    return identify([Coded(coding) for coding in code.get("coding", [])], code.get("text")).analyte


def test_every_result_of_every_record_is_read_or_named(shared: Path) -> None:
    read = 0
    for name, patient_id, sources, resources in records(shared):
        facts = read_patient_facts(patient_id, sources)
        ours = [
            r for r in resources if r["resourceType"] == "Observation" and r.get("status") not in WITHDRAWN
        ]
        wrong = any(gap.reason == "wrong-patient" for gap in facts.gaps)
        expected = Counter(found for r in ours if (found := analyte(r)))
        accounted = Counter(lab.analyte for lab in facts.labs) + Counter(gap.what for gap in facts.gaps)
        assert wrong or expected <= accounted, name
        read += len(facts.labs)
    assert read > 100


def test_every_order_of_every_record_is_read_or_named(shared: Path) -> None:
    for name, patient_id, sources, resources in records(shared):
        facts = read_patient_facts(patient_id, sources)
        orders = [
            r
            for r in resources
            if r["resourceType"] == "MedicationRequest" and r["status"] not in (*WITHDRAWN, "on-hold")
        ]
        unresolved = sum(gap.reason == "medication-not-resolved" for gap in facts.gaps)
        if not any(gap.reason == "wrong-patient" for gap in facts.gaps):
            assert len(facts.medications) + unresolved == len(orders), name


def test_what_the_records_are_known_for_is_found(shared: Path) -> None:
    by_name = {
        name[:2]: read_patient_facts(patient_id, sources) for name, patient_id, sources, _ in records(shared)
    }

    def classes(number: str) -> set[str]:
        return {drug_class for medication in by_name[number].medications for drug_class in medication.classes}

    def analytes(number: str) -> Counter[str]:
        return Counter(lab.analyte for lab in by_name[number].labs)

    for number, potassium, calcium in (
        ("01", 1, 1),
        ("02", 1, 1),
        ("03", 3, 3),
        ("04", 4, 4),
        ("05", 1, 1),
        ("24", 1, 1),
    ):
        assert (analytes(number)["potassium"], analytes(number)["calcium_total"]) == (potassium, calcium), (
            number
        )
    assert "thiazide" in classes("01") & classes("02") & classes("04") & classes("07") & classes("24")
    assert "loop_diuretic" in classes("03") & classes("17")
    assert "systemic_corticosteroid" in classes("06")
    assert [(gap.what, gap.reason) for gap in by_name["10"].gaps] == [("glucose", "no-value")]
    assert by_name["09"].medications == by_name["11"].labs == ()
    assert [medication.status for medication in by_name["15"].medications] == ["active"]
    low = [lab for lab in by_name["24"].labs if lab.analyte == "potassium"]
    assert [str(lab.value) for lab in low] == ["3.2"]
    for number in ("19", "20", "21"):
        assert "wrong-patient" in {gap.reason for gap in by_name[number].gaps}


@pytest.fixture(scope="module")
def renderer(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "render_vignette", shared / "clinical" / "render_vignette.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CONCEPTS = {
    "weakness_objective": "muscle_weakness",
    "atrophy": "muscle_atrophy",
    "clonus_inducible": "clonus",
    "tongue_fasciculation": "fasciculation_tongue",
    "twitching_during_sleep": "twitching_in_sleep",
}
ITEMS = {"caffeine": "caffeine_intake", "sleep": "sleep_duration"}
ANALYTES = {"hemoglobin": "haemoglobin"}


def test_every_fact_of_every_vignette_is_read(shared: Path, renderer: ModuleType) -> None:
    vignettes = json.loads((shared / "clinical" / "vignettes.json").read_text(encoding="utf-8"))["vignettes"]
    assert vignettes
    for vignette in vignettes:
        resources = renderer.resources(vignette, date.fromisoformat(vignette["asOf"]))
        content = json.dumps(
            renderer.bundle("collection", [{"resource": resource} for resource in resources])
        ).encode()
        facts = read_patient_facts(vignette["id"].lower(), [Source("record", content)])
        compare(vignette, facts)


def compare(vignette: Json, facts: PatientFacts) -> None:
    stated, story = vignette["facts"], vignette["id"]
    results = Counter(
        (ANALYTES.get(o["analyte"], o["analyte"]), float(o["value"]), o["date"])
        for o in stated["observations"]
        if o["unit"]
        and o["value"] is not None
        and o["status"] in ("final", "preliminary", "amended", "corrected")
        and "subject" not in o
    )
    assert Counter((lab.analyte, float(lab.value), lab.date.isoformat()) for lab in facts.labs) == results, (
        story
    )
    taken = {
        re.sub(r" (daily|bd|qds)$", "", m["name"])
        for m in stated["medications"]
        if m["status"] not in (*WITHDRAWN, "on-hold")
    }
    assert {re.sub(r" (daily|bd|qds)$", "", m.text) for m in facts.medications} == taken, story
    signs = {CONCEPTS.get(sign, sign) for sign in stated["examFindings"]}
    assert signs <= {
        finding.concept for finding in facts.findings if finding.present and finding.objective
    }, story
    items = {ITEMS.get(entry["item"], entry["item"]) for entry in stated["socialHistory"]}
    assert {measure.item for measure in facts.measures} == items, story
    twitching = stated["twitching"]
    documented = twitching["documented"] and twitching.get("verificationStatus") not in (
        "refuted",
        "entered-in-error",
    )
    active = {c for p in facts.problems if p.active for c in p.concepts}
    if documented and twitching.get("clinicalStatus", "active") == "active":
        assert "fasciculation" in active, story
    assert facts.patient.pregnant is ("pregnancy" in vignette["patient"]), story
    assert len(facts.orders) >= len(
        [o for o in stated["orders"] if o["status"] in ("active", "draft", "completed")]
    ), story
