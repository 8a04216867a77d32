from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import pytest

from terminology.coding import LOINC
from terminology.laboratory import LabMatch, identify, named_analytes, named_in
from terminology.quantity import analytes
from terminology.valuesets import load


class Coding(NamedTuple):
    system: str | None
    code: str | None
    display: str | None = None


def loinc(code: str, display: str | None = None) -> Coding:
    return Coding(LOINC, code, display)


LOCAL = "http://laboratory.example.org/codes"
OWN = {
    code.code: (name, code.display)
    for name, analyte in analytes().items()
    for value_set in analyte.value_sets
    for code in load()[value_set].codes
    if code.system == LOINC
}


def test_every_code_is_its_analyte_and_its_own_display_does_not_contradict_it() -> None:
    assert len(OWN) > 200
    for code, (name, display) in OWN.items():
        assert identify([loinc(code, display)], display) == LabMatch(name, "code", "", not_loinc=False), (
            display
        )


def test_no_display_names_another_analyte_than_its_own() -> None:
    blurred = {"plp_blood": "plp", "folate_blood": "folate_serum"}
    for name, display in OWN.values():
        found = named_in(display)
        assert found.analytes in ((name,), (), (blurred.get(name),)), display
        assert not found.refused, display


def test_every_display_of_the_laboratory_table_is_identified(shared: Path) -> None:
    with (shared / "terminology" / "labs_loinc.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 200
    for row in rows:
        found = identify([loinc(row["code"], row["display"])], None)
        assert found == LabMatch(OWN[row["code"]][0], "code", "", not_loinc=False)


NAMES = """
potassium: Potassium | K | K+ | k | Kalium | POTASSIUM | Serum potassium | Potassium (serum) | K (mmol/L) | S-Kalium | K, serum
potassium: Potassium, lithium heparin plasma | Potassium SerPl-sCnc | Potassium [Moles/volume] in Venous blood
sodium: Sodium | Na | Na+ | NA | Natrium | Sodium level
chloride: Chloride | Cl | Cl-
bicarbonate: Bicarbonate | HCO3 | HCO3- | CO2 | CO2, total | Total CO2 | Carbon dioxide, total | TCO2 | Bicarb
calcium_total: Calcium | Ca | Ca++ | Ca2+ | Calcium, total | Total calcium
calcium_adjusted: Adjusted calcium | Corrected calcium | Calcium corrected for albumin | Calcium (albumin-adjusted) | Corrected Ca
calcium_adjusted: Calcium [Mass/volume] corrected for albumin in Serum or Plasma | Albumin-corrected calcium
calcium_ionised: Ionised calcium | Ionized Ca | Calcium, ionized | Ca++ ionised | iCa | Calcium.ionized | Free calcium
calcium_ionised_ph_adjusted: Calcium.ionized [Moles/volume] adjusted to pH 7.4 in Blood
albumin: Albumin | Alb | ALB | Albumin, serum
magnesium: Magnesium | Mg | Mg++ | Mg2+ | Magnesium, serum | Mg (mg/dL)
magnesium_ionised: Ionized magnesium
phosphate: Phosphate | Phosphorus | PO4 | Inorganic phosphate | Phosphorous | Phos
creatinine: Creatinine | Creat | Kreatinin | Creatinine, serum | Crea
urea: Urea
urea_nitrogen: BUN | Blood urea nitrogen | Urea nitrogen
egfr: eGFR | GFR | Estimated GFR | eGFR (CKD-EPI 2021) | Estimated Glomerular Filtration Rate | eGFRcr
tsh: TSH | Thyrotropin | Thyroid stimulating hormone | Thyroid-stimulating hormone (TSH) | TSH w/ reflex to FT4
ft4: FT4 | Free T4 | T4, free | Free thyroxine | Thyroxine (T4) free
ft3: FT3 | Free T3 | Triiodothyronine, free
t4_total: T4 | Thyroxine
vitamin_d_25oh: 25-OH vitamin D | Vitamin D, 25-Hydroxy | 25-hydroxyvitamin D3 | Vitamin D | 25(OH)D | Calcidiol
vitamin_d_25oh: 25-Hydroxyvitamin D2+25-Hydroxyvitamin D3 | 25-hydroxyvitamin D | Vitamin D 25-OH total
vitamin_d_25oh_d2: 25-hydroxyvitamin D2
vitamin_d_metabolites: Vitamin D+Metabolites
vitamin_b12: Vitamin B12 | B12 | Cobalamin (Vitamin B12) | Vit B12 | Cobalamin
active_b12: Active B12 | Holotranscobalamin
mma: Methylmalonic acid | MMA
plp: Pyridoxal phosphate (vitamin B6) | Vitamin B6 | PLP | Pyridoxal-5-phosphate
pth: PTH | Parathyroid hormone, intact | Parathyrin.intact
ck: CK | CPK | Creatine kinase | Creatinine kinase | CK (U/L)
alp: Alkaline phosphatase | ALP | Alk Phos
lithium: Lithium | Lithium level | Li
theophylline: Theophylline
haemoglobin: Haemoglobin | Hemoglobin | Hb | Hgb
mcv: MCV | Mean corpuscular volume | Mean Cell Volume
glucose: Glucose | Fasting glucose | Random glucose | Glu
"""
NOT_OURS = """Potassium, urine | Potassium [Moles/volume] in Urine | Urine K | U-Kalium | K, U | 24 hour urine calcium | CSF glucose
Sodium, urine random | Sweat chloride | Fractional excretion of sodium | Albumin/creatinine ratio | Albumin/Globulin | Microalbumin
Prealbumin | Creatinine clearance | Protein/creatinine | Magnesium RBC | Magnesium, red blood cell | TSH receptor antibody | Anti-TSH
Potassium hydroxide prep | Calcium score | Coronary calcium score | Calcium oxalate crystals | CK-MB | CK index, relative index
Hemoglobin A1c | Glycated haemoglobin | Mean corpuscular hemoglobin | Glucose-6-phosphate dehydrogenase | 1,25-dihydroxyvitamin D
1,25 (OH)2 vitamin D | Calcitriol | PTH-related peptide | Free thyroxine index | T3 uptake | Reverse T3 | Anion gap | pCO2
Vitamin B12 binding capacity | Corrected sodium | Sodium corrected for glucose | Voltage-gated potassium channel antibody
Calcium channel antibody | Bone alkaline phosphatase | Glucose tolerance test | Potassium chloride dose | Dialysate potassium
Body fluid albumin | Hair magnesium | Saliva cortisol | Transtubular potassium gradient | Calcium phosphate product | Vitamin K
CA 125 | CA 19-9 | N/A | Na/K ratio | Lead II | Mg sulfate | Carbon dioxide [Partial pressure] in Blood | Sodium and potassium"""


def named_rows() -> list[tuple[str, str]]:
    return [
        (name, text.strip())
        for line in NAMES.strip().splitlines()
        for name, _, texts in [line.partition(": ")]
        for text in texts.split(" | ")
    ]


@pytest.mark.parametrize(("analyte", "text"), named_rows())
def test_a_name_is_read_without_a_code(analyte: str, text: str) -> None:
    assert identify([], text) == LabMatch(analyte, "text", "", not_loinc=False)
    assert identify([Coding(LOCAL, "X1", text)], None) == LabMatch(analyte, "text", "", not_loinc=False)


@pytest.mark.parametrize(
    "text", [text.strip() for line in NOT_OURS.splitlines() for text in line.split(" | ")]
)
def test_other_specimens_quantities_and_substances_are_not_read(text: str) -> None:
    assert identify([], text) == LabMatch("", "", "", not_loinc=False)


def test_the_loinc_code_decides_wherever_it_stands() -> None:
    local = Coding(LOCAL, "POTASSIUM", "Potassium")
    for codings in ([local, loinc("2823-3")], [loinc(" 2823-3 "), local], [loinc("2823-3")]):
        assert identify(codings, "Potassium") == LabMatch("potassium", "code", "", not_loinc=False)


@pytest.mark.parametrize("code", ["5432", "14999-9", "K", "2823-4", "LA6576-8"])
def test_what_is_no_loinc_code_is_read_by_its_text_and_said_so(code: str) -> None:
    assert identify([loinc(code, "Potassium")], None) == LabMatch("potassium", "text", "", not_loinc=True)
    assert identify([loinc(code)], "Urine potassium") == LabMatch("", "", "", not_loinc=True)


@pytest.mark.parametrize(
    ("display", "text", "analyte", "contradicted_by"),
    [
        ("Potassium [Moles/volume] in Urine", "Potassium", "", ""),
        (None, "Potassium", "potassium", "unknown-loinc"),
        (None, "Serum potassium", "potassium", ""),
        ("Potassium [Moles/volume] in Serum or Plasma --pre dialysis", "K+", "potassium", ""),
        (None, "Alkaline phosphatase", "alp", ""),
        (None, "eGFR", "egfr", ""),
    ],
)
def test_a_loinc_code_we_do_not_know_may_be_of_another_specimen(
    display: str | None, text: str, analyte: str, contradicted_by: str
) -> None:
    by = "text" if analyte else ""
    found = identify([loinc("2828-2", display)], text)
    assert found == LabMatch(analyte, by, contradicted_by, not_loinc=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "text", "other"),
    [
        ("2823-3", "Phosphate", "phosphate"),
        ("2823-3", "Phosphate [Mass/volume] in Serum or Plasma", "phosphate"),
        ("2823-3", "Urine potassium", "urine"),
        ("13959-2", "Calcium adjusted", "calcium_adjusted"),
        ("1995-0", "Calcium", "calcium_total"),
        ("17861-6", "Ionised calcium", "calcium_ionised"),
        ("17861-6", "Calcium corrected for albumin", "calcium_adjusted"),
        ("17861-6", "Coronary calcium score", "score"),
        ("49054-0", "25-hydroxyvitamin D", "vitamin_d_25oh"),
        ("35365-6", "Vitamin D, 25-hydroxy", "vitamin_d_25oh"),
        ("3016-3", "Free T4", "ft4"),
        ("2160-0", "Creatine kinase", "ck"),
        ("1751-7", "Prealbumin", "prealbumin"),
    ],
)
def test_a_text_that_names_something_else_contradicts_the_code(code: str, text: str, other: str) -> None:
    found = identify([loinc(code)], text)
    assert (found.by, found.contradicted_by) == ("code", other)
    assert identify([loinc(code, text)], None).contradicted_by == other


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("2823-3", "Result"),
        ("2823-3", "Chem panel: potassium and sodium"),
        ("29265-6", "Calcium"),
        ("14937-7", "Urea"),
        ("33914-3", "GFR (creatinine)"),
        ("62292-8", "25-hydroxyvitamin D3"),
        ("1989-3", "25-Hydroxyvitamin D2+D3"),
        ("2160-0", "Creatinine with eGFR"),
        ("2132-9", "Vitamin B12"),
        ("2028-9", "Carbon Dioxide"),
        ("3016-3", "TSH with reflex to free T4"),
        ("2900-9", "Vitamin B6"),
    ],
)
def test_a_text_that_agrees_or_says_nothing_is_no_contradiction(code: str, text: str) -> None:
    assert identify([loinc(code)], text) == LabMatch(OWN[code][0], "code", "", not_loinc=False)


def test_two_codes_or_two_texts_that_disagree_are_a_contradiction() -> None:
    assert identify([loinc("2823-3"), loinc("2777-1")], None).contradicted_by == "phosphate"
    two = identify([Coding(LOCAL, "1", "Sodium")], "Potassium")
    assert two == LabMatch("potassium", "text", "sodium", not_loinc=False)


def test_nothing_at_all_is_nothing() -> None:
    assert identify([], None) == identify([Coding(None, None)], "") == LabMatch("", "", "", not_loinc=False)


def test_an_order_may_name_several_analytes() -> None:
    assert named_analytes([], "Na, K, Mg") == ("sodium", "potassium", "magnesium")
    assert named_analytes([], "Sodium, potassium and ionised calcium") == (
        "sodium",
        "potassium",
        "calcium_ionised",
    )
    assert named_analytes([], "Urine sodium and potassium") == ()
    assert named_analytes([loinc("2828-2")], "Potassium") == ()


def test_a_long_text_is_read_to_its_limit_and_quickly() -> None:
    assert identify([], "potassium " * 50_000).analyte == "potassium"
    assert identify([], "x " * 50_000).analyte == ""
