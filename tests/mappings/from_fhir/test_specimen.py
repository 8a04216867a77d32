from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mappings.facts import PatientFacts

Json = dict[str, Any]
Read = Callable[..., PatientFacts]
Make = Callable[..., Json]


def specimen(id_: str = "s", **elements: Any) -> Json:
    return {"resourceType": "Specimen", "id": id_} | elements


def drawn(*results: Json, read: Read) -> list[str]:
    return [lab.specimen for lab in sorted(read(*results).labs, key=lambda lab: lab.resource)]


def test_results_of_one_accession_share_a_specimen_however_it_is_referenced(read: Read, lab: Make) -> None:
    tube = specimen(accessionIdentifier={"value": "20260225-1"})
    other = specimen("t", accessionIdentifier={"value": "20260225-1"})
    keys = drawn(
        lab(id="1", specimen={"reference": "Specimen/s"}),
        lab(id="2", specimen={"reference": "https://ehr.example/fhir/Specimen/s"}),
        lab(id="3", specimen={"reference": "Specimen/t"}),
        tube,
        other,
        read=read,
    )
    assert keys == ["20260225-1"] * 3


def test_without_accession_the_reference_is_the_specimen(read: Read, lab: Make) -> None:
    keys = drawn(
        lab(id="1", specimen={"reference": "Specimen/s"}),
        lab(id="2", specimen={"reference": "https://ehr.example/fhir/Specimen/s"}),
        lab(id="3", specimen={"reference": "Specimen/unsent"}),
        lab(id="4", specimen={"display": "Serum"}),
        lab(id="5"),
        lab(id="6", specimen={"reference": "Specimen/s"}),
        specimen(),
        read=read,
    )
    assert keys == ["Specimen/s", "Specimen/s", "Specimen/unsent", "", "", "Specimen/s"]


def test_a_contained_specimen_is_shared_with_nobody(read: Read, lab: Make) -> None:
    contained = {"contained": [specimen("specimen")], "specimen": {"reference": "#specimen"}}
    assert drawn(lab(id="1", **contained), lab(id="2", **contained), read=read) == ["", ""]


HEM = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0493", "code": "HEM"}]}


@pytest.mark.parametrize(
    "elements",
    [
        {"contained": [specimen("#s", condition=[HEM])], "specimen": {"reference": "#s"}},
        {
            "contained": [5, specimen("other"), specimen(condition=[{"text": "Hemolyzed"}])],
            "specimen": {"reference": "#s"},
        },
        {"contained": [specimen(note=[{"text": "Grossly haemolysed."}])], "specimen": {"reference": "#s"}},
        {"note": [{"text": "clotted"}, {"text": "Specimen haemolysed."}]},
        {"comment": "slight hemolysis"},
        {"interpretation": [{"text": "hemolyzed specimen"}]},
        {"interpretation": [{"coding": [{"code": "X", "display": "Haemolysed"}]}]},
    ],
)
def test_haemolysis_is_found_wherever_it_is_said(elements: Json, read: Read, lab: Make) -> None:
    (result,) = read(lab(**elements)).labs
    assert result.specimen_problem == "haemolysed"


@pytest.mark.parametrize(
    "text",
    [
        "Hemolysis 1+",
        "Hemolysis index 2+",
        "Hemolysis: slight, no icterus",
        "Hemolysis, no icterus",
        "hemolyzed - not repeated",
        "Specimen hemolyzed. No clots.",
        "Not repeated. Hemolyzed.",
        "Hemolysis may have falsely raised potassium",
        "Could not exclude haemolysis",
        "Haemolysis can not be excluded",
        "Haemolysis not excluded",
        "Not sure whether haemolysed",
        "It is not clear if the sample was hemolysed",
        "Probe hämolytisch",
        "Échantillon hémolysé",
    ],
)
def test_a_denial_of_something_else_is_none_of_haemolysis(text: str, read: Read, lab: Make) -> None:
    (result,) = read(lab(note=[{"text": text}])).labs
    assert result.specimen_problem == "haemolysed"


def test_haemolysis_of_a_referenced_specimen_counts(read: Read, lab: Make) -> None:
    facts = read(
        specimen(condition=[{"coding": [{"display": "Hemolyzed"}]}]),
        lab(specimen={"reference": "Specimen/s"}),
    )
    assert facts.labs[0].specimen_problem == "haemolysed"


@pytest.mark.parametrize(
    "text",
    [
        "not haemolysed",
        "No visible hemolysis",
        "non-hemolyzed",
        "icteric",
        "without haemolysis",
        "",
        "no evidence of hemolysis",
        "Free of hemolysis.",
        "HEMOLYSIS: NONE SEEN",
        "Hemolysis: negative",
        "Hemolysis not detected",
        "Hemolysis: not significant",
        "Haemolysis excluded",
        "haemolysis was ruled out",
        "Hemolysis: No. Icterus: No.",
        "hemolysis, icterus, lipemia: none",
        "Hemolysis index 0",
        "Hemolysis Index (H): <10",
        "Hemolysis index: 5 (not hemolyzed)",
        "Hemolysis may increase potassium.",
        "keine Hämolyse",
        "Hämolyse: nein",
        "Hämolyse nicht nachweisbar",
    ],
)
def test_its_denial_is_no_haemolysis(text: str, read: Read, lab: Make) -> None:
    (result,) = read(lab(note=[{"text": text}], interpretation=[{"text": "High"}])).labs
    assert result.specimen_problem == ""
