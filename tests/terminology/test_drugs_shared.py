"""The records and vignettes beside the repository: every medicine they name is what they say it is."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from terminology import drug_rebuild
from terminology.drug_names import FOLDER
from terminology.drugs import DrugMatch, recognise

# What each medicine of the vignettes is, whether by its code or by its text alone.
MEDICINES = {
    "hydrochlorothiazide 25 mg": "thiazide",
    "hydrochlorothiazide 12.5 mg": "thiazide",
    "lisinopril/hydrochlorothiazide 20/12.5": "ace_inhibitor thiazide",
    "chlorthalidone 12.5 mg": "thiazide",
    "chlortalidone 25 mg": "thiazide",
    "indapamide 2.5 mg": "thiazide",
    "bendroflumethiazide 2.5 mg": "thiazide",
    "spironolactone 25 mg": "potassium_sparing_diuretic",
    "furosemide 40 mg": "loop_diuretic",
    "omeprazole 40 mg": "ppi",
    "omeprazole 20 mg OTC": "ppi",
    "lansoprazole 30 mg": "ppi",
    "pantoprazole 40 mg": "ppi",
    "levothyroxine 175 micrograms": "levothyroxine",
    "levothyroxine 100 micrograms": "levothyroxine",
    "metformin 1 g": "metformin",
    "lithium carbonate 600 mg": "lithium",
    "lithium carbonate 800 mg": "lithium",
    "pyridostigmine 60 mg": "cholinesterase_inhibitor",
    "dexamfetamine 20 mg": "amphetamine",
    "salbutamol 5 mg nebuliser": "beta2_agonist",
    "budesonide/formoterol 200/6 two puffs": "beta2_agonist inhaled_corticosteroid",
    "betamethasone valerate 0.1% cream": "local_corticosteroid",
    "prednisolone 40 mg": "systemic_corticosteroid",
    "estradiol 2 mg oral": "estrogen_systemic",
    "estradiol 10 microgram vaginal tablet": "vaginal_estrogen",
    "estradiol 50 microgram/24h patch": "estrogen_systemic",
    "ethinylestradiol/levonorgestrel": "estrogen_systemic",
    "denosumab 60 mg SC": "denosumab",
    "ramipril 10 mg": "ace_inhibitor",
    "biotin 10 mg": "biotin",
    "sertraline 150 mg": "ssri_snri",
    "escitalopram 10 mg": "ssri_snri",
    "tramadol 100 mg": "serotonergic_other",
    "linezolid 600 mg": "serotonergic_other",
}
# The classes that vignettes.json states, where our id is another one.
STATED = {
    "biotin_high_dose": {"biotin"},
    "estrogen": {"estrogen_systemic", "vaginal_estrogen"},
    "corticosteroid": {"systemic_corticosteroid", "local_corticosteroid"},
}
# Texts of the real records that name a member of a class, and that class.
NAMED = {
    r"hydrochlorothiazide|chlorthalidone": "thiazide",
    r"furosemide|lasix": "loop_diuretic",
    r"prednisone": "systemic_corticosteroid",
    r"ethinyl estradiol": "estrogen_systemic",
    r"proventil|albuterol": "beta2_agonist",
    r"levothyroxine": "levothyroxine",
    r"nizatidine": "h2_blocker",
    r"lisinopril": "ace_inhibitor",
    r"simvastatin|atorvastatin": "statin",
    r"vitamin b 12": "vitamin_b12_supplement",
    r"vitamin d\b": "vitamin_d_supplement",
}


class Coding(NamedTuple):
    system: str | None = None
    code: str | None = None
    display: str | None = None


def said(match: DrugMatch) -> set[str]:
    return {*match.classes, *match.local}


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


@pytest.mark.parametrize("name", MEDICINES)
def test_a_medicine_of_the_vignettes_is_recognised_by_code_and_by_text(
    renderer: ModuleType, name: str
) -> None:
    code = renderer.MEDICATIONS[name]
    assert said(recognise([], [name])) == set(MEDICINES[name].split())
    if code:
        stated = renderer.coding(code)
        assert said(recognise([Coding(**stated)], [name])) == set(MEDICINES[name].split())
        assert recognise([Coding(stated["system"], stated["code"])], [name]).by in ("rxnorm", "atc")


def test_no_medicine_of_the_vignettes_is_forgotten(renderer: ModuleType) -> None:
    assert set(renderer.MEDICATIONS) <= set(MEDICINES)


def test_the_class_that_a_vignette_states_is_found_by_its_route(shared: Path) -> None:
    vignettes = json.loads((shared / "clinical" / "vignettes.json").read_text(encoding="utf-8"))["vignettes"]
    stated = [medication for vignette in vignettes for medication in vignette["facts"]["medications"]]
    assert len(stated) > 20
    for medication in stated:
        match = recognise([], [medication["name"]], medication["route"])
        assert said(match) & STATED.get(medication["class"], {medication["class"]}), medication
        assert match.route


def concepts(value: Any) -> list[dict[str, Any]]:
    """Every medication concept in a resource, bundle or list of them."""
    if isinstance(value, list):
        return [found for item in value for found in concepts(item)]
    if not isinstance(value, dict):
        return []
    found = [value["medicationCodeableConcept"]] if "medicationCodeableConcept" in value else []
    if value.get("resourceType") == "Medication" and "code" in value:
        found.append(value["code"])
    return found + [other for item in value.values() for other in concepts(item)]


def test_the_medicines_of_the_real_records_are_recognised(shared: Path) -> None:
    seen = 0
    for path in sorted((shared / "data").glob("*.json")):
        for concept in concepts(json.loads(path.read_text(encoding="utf-8"))):
            codings = [
                Coding(**{key: coding.get(key) for key in Coding._fields})
                for coding in concept.get("coding", [])
            ]
            name = " ".join([concept.get("text", ""), *(coding.display or "" for coding in codings)]).lower()
            match = recognise(codings, [concept["text"]] if "text" in concept else [])
            for pattern, class_id in NAMED.items():
                if re.search(pattern, name):
                    assert class_id in match.classes, concept
                    seen += 1
    assert seen >= 15


def test_the_files_are_what_a_rebuild_from_the_source_tables_gives(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drug_rebuild, "FOLDER", tmp_path)
    assert drug_rebuild.main([str(shared / "terminology")]) == 0
    written = sorted(path.name for path in tmp_path.iterdir())
    assert len(written) == 6
    for name in written:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
