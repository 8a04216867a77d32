from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.valueset import ValueSet

from terminology.coding import HPO, ICD_10_CM, LOINC, SNOMED_CT
from terminology.concepts import concepts
from terminology.orders import tests as orderable_tests
from terminology.quantity import analytes
from terminology.valuesets import CANONICAL, COMMENT, CodeTable, load

SYSTEMS = {"LOINC": LOINC, "SNOMED CT": SNOMED_CT, "ICD-10-CM": ICD_10_CM, "HPO": HPO}
COPYRIGHTS = {
    LOINC: "Regenstrief",
    SNOMED_CT: "SNOMED International",
    ICD_10_CM: "NCHS",
    HPO: "Human Phenotype",
}
TABLES = ("labs_loinc", "tests_to_order", "conditions", "hpo", "social_history")


@pytest.fixture(scope="module")
def documents(root: Path) -> dict[str, dict[str, Any]]:
    """Every value set file, by file name."""
    paths = sorted((root / "terminology" / "valuesets").glob("*.json"))
    assert len(paths) > 150
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def test_every_value_set_is_a_valid_fhir_r4_resource(documents: dict[str, dict[str, Any]]) -> None:
    for name, document in documents.items():
        assert ValueSet.model_validate(document).id == name


def test_every_value_set_has_its_id_url_and_status(documents: dict[str, dict[str, Any]]) -> None:
    for name, document in documents.items():
        assert document["id"] == name
        assert document["url"] == f"{CANONICAL}/ValueSet/{name}"
        assert document["status"] == "draft"
        assert "no clinician has reviewed" in document["description"]


def test_every_value_set_carries_the_copyright_of_its_code_systems(
    documents: dict[str, dict[str, Any]],
) -> None:
    for document in documents.values():
        for include in document["compose"]["include"]:
            assert COPYRIGHTS[include["system"]] in document["copyright"]


def test_every_code_names_its_source(documents: dict[str, dict[str, Any]]) -> None:
    for name, value_set in load().items():
        assert value_set.codes, name
        for code in value_set.codes:
            assert code.comment.startswith("Source: "), (name, code.code)
    assert all(COMMENT in json.dumps(document) for document in documents.values())


def test_a_code_stands_in_one_value_set_only() -> None:
    counted = Counter((code.system, code.code) for value_set in load().values() for code in value_set.codes)
    assert [key for key, times in counted.items() if times > 1] == []


def test_every_value_set_is_used_and_every_used_one_exists() -> None:
    rows = [*analytes().values(), *concepts().values(), *orderable_tests().values()]
    used = Counter(name for row in rows for name in row.value_sets)
    assert used.keys() == load().keys()
    assert [name for name, times in used.items() if times > 1] == []


@pytest.mark.parametrize("table", TABLES)
def test_every_verified_code_is_in_a_value_set_with_its_source(shared: Path, table: str) -> None:
    known = {(code.system, code.code): code for value_set in load().values() for code in value_set.codes}
    with (shared / "terminology" / f"{table}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        code = known[SYSTEMS[row["system"]], row["code"]]
        if table != "tests_to_order":  # a laboratory row states the same code with another display
            assert row["source"] in code.comment
            assert row.get("confidence", "") in code.comment


def test_no_unverified_code_is_in_a_value_set(shared: Path) -> None:
    known = {(code.system, code.code) for value_set in load().values() for code in value_set.codes}
    with (shared / "terminology" / "unverified.csv").open(encoding="utf-8") as file:
        unverified = {(SYSTEMS.get(row["system"], ""), row["code"]) for row in csv.DictReader(file)}
    assert known.isdisjoint(unverified)


@pytest.fixture(scope="module")
def table() -> CodeTable:
    return CodeTable(
        {"gut": ["diarrhea"], "weak": ["muscle-weakness"], "twitch": ["fasciculation"]}, ["M62.81"]
    )


@pytest.mark.parametrize(
    ("system", "code", "meaning"),
    [
        (ICD_10_CM, "R25.3", ("twitch",)),
        (ICD_10_CM, "R253", ("twitch",)),
        (ICD_10_CM, " r25.3 ", ("twitch",)),
        ("http://hl7.org/fhir/sid/icd-10", "R25.3", ("twitch",)),
        ("urn:oid:2.16.840.1.113883.6.90", "R25.3", ("twitch",)),
        (ICD_10_CM, "R25.30", ()),
        (ICD_10_CM, "R25", ()),
        (ICD_10_CM, "K52.2", ("gut",)),
        (ICD_10_CM, "K52.29", ("gut",)),
        (ICD_10_CM, "K5229", ("gut",)),
        (ICD_10_CM, "K52.9", ("gut",)),
        (ICD_10_CM, "K52.99", ()),
        (ICD_10_CM, "M62.81", ("weak",)),
        ("http://hl7.org/fhir/sid/icd-10", "M62.81", ()),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "R25.3", ("twitch",)),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "K52.29", ("gut",)),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "M62.81", ()),
        ("http://hl7.org/fhir/sid/icd-10-am", "r253", ("twitch",)),
        (SNOMED_CT, "82470000", ("twitch",)),
        (LOINC, "82470000", ()),
        (None, "82470000", ()),
        (HPO, "HP_0002380", ("twitch",)),
        ("http://purl.obolibrary.org/obo/hp.owl", "HP:0002380", ("twitch",)),
        (SNOMED_CT, None, ()),
        (SNOMED_CT, "", ()),
    ],
)
def test_codes_are_found_as_they_travel(
    table: CodeTable, system: str | None, code: str | None, meaning: tuple[str, ...]
) -> None:
    assert table.find(system, code) == meaning


def test_an_unknown_value_set_is_an_error() -> None:
    with pytest.raises(KeyError, match="no-such-set"):
        CodeTable({"x": ["no-such-set"]})
