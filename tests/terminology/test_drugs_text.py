"""What free text must not be mistaken for: longer names, salts, denials, instructions, and statements of no medicine."""

from __future__ import annotations

import pytest

from terminology.drug_text import order_route, read, says_no_medicine, words
from terminology.drugs import DrugMatch, recognise


def ingredients(text: str) -> set[str]:
    return set(recognise([], [text]).ingredients)


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("ethinyl estradiol 30 mcg", "ethinyl estradiol"),
        ("pseudoephedrine", "pseudoephedrine"),
        ("levalbuterol", "levalbuterol"),
        ("methylprednisolone", "methylprednisolone"),
        ("hydrochlorothiazide", "hydrochlorothiazide"),
        ("methamphetamine", "methamphetamine"),
        ("dextroamphetamine", "dextroamphetamine"),
        ("escitalopram", "escitalopram"),
        ("desvenlafaxine", "desvenlafaxine"),
        ("levomilnacipran", "levomilnacipran"),
        ("trimipramine", "trimipramine"),
        ("fosphenytoin", "fosphenytoin"),
        ("enalaprilat", "enalaprilat"),
        ("tedizolid", "tedizolid"),
        ("bupropion", "bupropion"),
    ],
)
def test_a_longer_name_is_not_the_shorter_one_in_it(text: str, one: str) -> None:
    assert ingredients(text) == {one}


@pytest.mark.parametrize(
    "text", ["apomorphine 10 mg/mL", "nystatin", "furosemidex", "polyethylene glycol 400 eye drops"]
)
def test_a_part_of_a_word_or_name_is_no_name(text: str) -> None:
    assert ingredients(text) == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("losartan potassium 50 mg", {"losartan"}),
        ("losartan-potassium 50 mg", {"losartan"}),
        ("Penicillin V potassium 500 mg", set()),
        ("amoxicillin / clavulanate potassium", set()),
        ("atorvastatin calcium", {"atorvastatin"}),
        ("rosuvastatin (as calcium) 10 mg", {"rosuvastatin"}),
        ("docusate calcium", {"docusate"}),
        ("esomeprazole magnesium", {"esomeprazole"}),
        ("magnesium salicylate", set()),
        ("choline magnesium trisalicylate", set()),
        ("dexamethasone sodium phosphate", {"dexamethasone"}),
        ("lithium heparin", set()),
        ("potassium iodide", set()),
        ("calcium channel blocker", set()),
        ("vitamin D deficiency", set()),
    ],
)
def test_a_salt_or_a_compound_is_no_supplement(text: str, found: set[str]) -> None:
    assert ingredients(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("potassium 20 mmol", {"potassium"}),
        ("calcium + vitamin D", {"calcium", "vitamin D"}),
        ("calcium, magnesium and zinc", {"calcium", "magnesium"}),
        ("magnesium oxide 400 mg", {"magnesium oxide"}),
        ("potassium phosphate / sodium phosphate", {"potassium phosphate", "sodium phosphate"}),
    ],
)
def test_a_mineral_by_itself_is_a_supplement(text: str, found: set[str]) -> None:
    assert ingredients(text) == found


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("frusemide", "furosemide"),
        ("salbutamol", "albuterol"),
        ("torasemide", "torsemide"),
        ("ethacrynic acid", "ethacrynate"),
        ("chlortalidone", "chlorthalidone"),
        ("pethidine", "meperidine"),
        ("ciclosporin", "cyclosporine"),
        ("colecalciferol", "cholecalciferol"),
        ("vitamin D3", "cholecalciferol"),
        ("cyanocobalamin", "vitamin B12"),
        ("vitamin B-12", "vitamin B12"),
        ("methylcobalamin", "mecobalamin"),
        ("methylthioninium", "methylene blue"),
        ("macrogol", "polyethylene glycol 3350"),
        ("senna", "sennosides, USP"),
        ("suxamethonium", "succinylcholine"),
        ("dexamfetamine", "dextroamphetamine"),
        ("ethinylestradiol", "ethinyl estradiol"),
        ("oestradiol", "estradiol"),
        ("orciprenaline", "metaproterenol"),
        ("risedronic acid", "risedronate"),
        ("pamidronic acid", "pamidronate"),
        ("Furosemid", "furosemide"),
        ("Bendroflumethiazid", "bendroflumethiazide"),
        ("furosémide", "furosemide"),
        ("".join(chr(ord(letter) + 0xFEE0) for letter in "furosemide"), "furosemide"),
    ],
)
def test_a_second_name_is_the_same_ingredient(text: str, other: str) -> None:
    assert ingredients(text) == {other}


@pytest.mark.parametrize(
    "text",
    [
        "not taking furosemide",
        "Patient is not currently taking any furosemide",
        "no furosemide",
        "no longer takes furosemide",
        "furosemide no longer taken",
        "furosemide stopped",
        "stopped furosemide",
        "furosemide 40 mg daily, stopped 3 weeks ago",
        "Furosemide (discontinued)",
        "furosemide: not taken",
        "allergy to furosemide",
        "allergic to furosemide or lithium",
        "furosemide allergy",
        "furosemide and lithium were stopped",
        "previously on furosemide",
        "instead of furosemide",
        "caffeine-free tablets",
        "not taking furosemide, lithium or metformin",
    ],
)
def test_a_denied_medicine_is_not_recognised(text: str) -> None:
    assert recognise([], [text]) == DrugMatch()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("furosemide 40 mg daily. Do not stop suddenly.", {"furosemide"}),
        ("furosemide 40 mg daily, stop if you vomit", {"furosemide"}),
        ("Do not crush. Omeprazole 20 mg", {"omeprazole"}),
        ("do not crush omeprazole 20 mg", {"omeprazole"}),
        ("no more than 8 puffs of salbutamol", {"albuterol"}),
        ("metformin stopped, furosemide 40 mg", {"furosemide"}),
        ("furosemide 40 mg; metformin stopped", {"furosemide"}),
        ("not taking metformin but furosemide 40 mg", {"furosemide"}),
        ("Sudafed Allergy Relief", {"pseudoephedrine"}),
        ("stop smoking: bupropion", {"bupropion"}),
        ("lactulose sugar free", {"lactulose"}),
        ("levothyroxine 100 mcg, not with calcium", {"levothyroxine"}),
    ],
)
def test_an_instruction_is_no_denial(text: str, found: set[str]) -> None:
    assert ingredients(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "No known medications",
        "no-known-medications",
        "No current medications",
        "None",
        "Nil regular",
        "Patient is not currently taking any medications.",
        "takes no medicines",
        "NO MEDS",
        "Patient denies taking any medication",
    ],
)
def test_a_statement_of_no_medicine_is_understood(text: str) -> None:
    assert says_no_medicine(text)
    assert recognise([], [text]) == DrugMatch(no_medicine=True)


@pytest.mark.parametrize(
    "text",
    [
        "No medication information available",
        "no-medication-info",
        "no drug allergies",
        "no medication changes",
        "unknown medication",
        "aspirin",
        "",
    ],
)
def test_anything_else_is_no_such_statement(text: str) -> None:
    assert not recognise([], [text]).no_medicine


def test_no_medicine_must_be_what_every_text_says() -> None:
    assert recognise([], ["No current medications", "None"]).no_medicine
    assert not recognise([], ["amlodipine 5 mg", "None"]).no_medicine
    assert not recognise([], []).no_medicine


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("oral", "oral"),
        ("PO", "oral"),
        ("by mouth", "oral"),
        ("Oral route (qualifier value)", "oral"),
        ("26643006", "oral"),
        ("Oral anvendelse", "oral"),
        ("zum Einnehmen", "oral"),
        ("Per vía oral", "oral"),
        ("nasogastric tube", "oral"),
        ("IV", "injection"),
        ("Intravenous", "injection"),
        ("i.v.", "injection"),
        ("Subcutaneous", "injection"),
        ("SC", "injection"),
        ("intramuscular", "injection"),
        ("transdermal", "transdermal"),
        ("skin patch", "transdermal"),
        ("cutaneous", "topical"),
        ("topical", "topical"),
        ("inhalation", "inhaled"),
        ("INH", "inhaled"),
        ("Oral inhalation", "inhaled"),
        ("nebulised", "nebulised"),
        ("via nebuliser", "nebulised"),
        ("intranasal", "nasal"),
        ("nasal inhalation", "nasal"),
        ("rectal", "rectal"),
        ("PR", "rectal"),
        ("per vagina", "vaginal"),
        ("PV", "vaginal"),
        ("eye drops", "ophthalmic"),
        ("Left eye", "ophthalmic"),
        ("otic", "otic"),
        ("sublingual", "oromucosal"),
        ("intra-articular", "intra_articular"),
        ("Intra-articular injection", "intra_articular"),
        ("subcutaneous implant", "implant"),
        ("as directed", ""),
        ("", ""),
        ("\x00☃", ""),
    ],
)
def test_an_orders_route_is_understood(text: str, group: str) -> None:
    assert order_route(text) == group


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("Modified release tablet", "oral"),
        ("vaginal tablet", "vaginal"),
        ("eye ointment", "ophthalmic"),
        ("Powder for Oral Solution", "oral"),
        ("liquid gel capsules", "oral"),
        ("0.1%", "topical"),
        ("quetiapine PR", ""),
        ("INH 300", ""),
    ],
)
def test_a_dose_form_says_the_route(text: str, group: str) -> None:
    assert read(text).route == group


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("20 mg", True),
        ("20mg", True),
        ("40 mg/day", True),
        ("10 mg/mL", False),
        ("0.5 mg/2 mL", False),
        ("1 mg / g", False),
        ("0.09 MG/ACTUAT", False),
        ("mg", False),
        ("200 micrograms", False),
    ],
)
def test_an_amount_is_told_from_a_concentration(text: str, amount: bool) -> None:
    assert read(text).amount is amount


def test_a_text_is_read_up_to_a_limit() -> None:
    assert len(words("a " * 1_000_000)) <= 1_000
    assert recognise([], ["furosemide " + "x " * 1_000_000]).classes == ("loop_diuretic",)
