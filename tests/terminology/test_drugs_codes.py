"""What a code stands for, in which order code systems are consulted, and what a code is not."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from terminology.coding import ATC, NDC, RXNORM, SNOMED_CT
from terminology.drugs import DrugMatch, recognise


class Coding(NamedTuple):
    system: str | None = None
    code: str | None = None
    display: str | None = None


# system and code | text | the order's route | classes that count | local | by
BY_CODE = """
RXNORM 310798    |                        |              | thiazide                  |                        | rxnorm
RXNORM 197886    |                        |              | thiazide ace_inhibitor    |                        | rxnorm
RXNORM 1246304   |                        |              | beta2_agonist             | inhaled_corticosteroid | rxnorm
RXNORM 1246304   |                        | by mouth     | beta2_agonist             | inhaled_corticosteroid | rxnorm
RXNORM 197407    |                        |              |                           | local_corticosteroid   | rxnorm
RXNORM 429199    |                        |              | systemic_corticosteroid   |                        | rxnorm
RXNORM 429199    |                        | rectal       |                           | local_corticosteroid   | rxnorm
RXNORM 797022    |                        |              | systemic_corticosteroid   |                        | rxnorm
RXNORM 884707    |                        |              |                           | vaginal_estrogen       | rxnorm
RXNORM 242891    |                        | topical      | estrogen_systemic         |                        | rxnorm
RXNORM 1367436   |                        |              | estrogen_systemic         |                        | rxnorm
RXNORM 728118    |                        | cutaneous    | estrogen_systemic         |                        | rxnorm
RXNORM 5492      |                        |              |                           | local_corticosteroid   | rxnorm
RXNORM 5492      | 20 mg twice daily      |              | systemic_corticosteroid   |                        | rxnorm
RXNORM 5492      | by mouth               |              | systemic_corticosteroid   |                        | rxnorm
RXNORM 5492      |                        | PO           | systemic_corticosteroid   |                        | rxnorm
RXNORM 115264    |                        |              | bisphosphonate_oral       |                        | rxnorm
RXNORM 115264    |                        | IV           | bisphosphonate            |                        | rxnorm
RXNORM 6878      |                        | IV           | serotonergic_other        |                        | rxnorm
RXNORM 202991    |                        |              | loop_diuretic             |                        | rxnorm
RXNORM 389132    |                        | inhalation   | beta2_agonist             | inhaled_corticosteroid | rxnorm
NDC 00002323030  |                        |              | ssri_snri antipsychotic   |                        | ndc
NDC 0002-3230-30 |                        |              | ssri_snri antipsychotic   |                        | ndc
NDC 0002323030   |                        |              | ssri_snri antipsychotic   |                        | ndc
ATC C03AA01      | bendroflumethiazide    |              | thiazide                  |                        | atc
ATC c03ca01      | one in the morning     |              | loop_diuretic             |                        | atc
ATC H02AB07      |                        |              | systemic_corticosteroid   |                        | atc
ATC R03AC02      |                        |              | beta2_agonist             |                        | atc
ATC N05AN01      |                        |              | lithium                   |                        | atc
ATC N05AH04      |                        |              | antipsychotic             |                        | atc
ATC M05BA06      |                        |              | bisphosphonate_oral       |                        | atc
ATC M05BA08      |                        | IV           | bisphosphonate            |                        | atc
ATC N06BA04      | methylphenidate 10 mg  |              | methylphenidate           |                        | atc
ATC N06BA09      |                        |              | stimulant_other           |                        | atc
ATC C09BA05      | ramipril/hydrochlorothiazide |        | ace_inhibitor thiazide    |                        | atc
ATC C08CA01      | furosemide             |              | loop_diuretic             |                        | text
SNOMED_CT 116602009 |                     |              | systemic_corticosteroid   |                        | snomed
SNOMED_CT 396458002 | hydrocortisone cream |             |                           | local_corticosteroid   | snomed
SNOMED_CT 387324004 |                     |              | thiazide                  |                        | snomed
SNOMED_CT 91667005  |                     |              | thiazide                  |                        | snomed
SNOMED_CT 52388000  |                     | eye drops    |                           | local_corticosteroid   | snomed
SNOMED_CT 255641001 |                     |              | caffeine_medicine         |                        | snomed
RXNORM 99999999  | Furosemide 20 MG Oral Tablet |        | loop_diuretic             |                        | text
RXNORM 310798    | furosemide             |              | thiazide                  |                        | rxnorm
"""
SYSTEMS = {"RXNORM": RXNORM, "NDC": NDC, "ATC": ATC, "SNOMED_CT": SNOMED_CT}


def rows(table: str, columns: int) -> list[list[str]]:
    found = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [row + [""] * (columns - len(row)) for row in found]


@pytest.mark.parametrize(("code", "text", "route", "classes", "local", "by"), rows(BY_CODE, 6))
def test_a_code_stands_for_its_classes(
    code: str, text: str, route: str, classes: str, local: str, by: str
) -> None:
    system, number = code.split()
    match = recognise([Coding(SYSTEMS[system], number)], [text], route)
    assert (set(match.classes), set(match.local)) == (set(classes.split()), set(local.split()))
    assert match.by == by


def test_rxnorm_comes_before_the_other_systems_wherever_it_stands() -> None:
    codings = [Coding(ATC, "C03CA01"), Coding(NDC, "00002323030"), Coding(RXNORM, "310798")]
    assert recognise(codings, []).classes == ("thiazide",)


def test_a_product_says_more_than_its_ingredient() -> None:
    match = recognise([Coding(RXNORM, "5492"), Coding(RXNORM, "197407"), Coding(RXNORM, "1514")], [])
    assert (match.ingredients, match.route) == (("betamethasone",), "topical")


def test_a_combination_says_more_than_one_of_its_ingredients() -> None:
    match = recognise([Coding(RXNORM, "29046"), Coding(RXNORM, "214618")], [])
    assert set(match.classes) == {"ace_inhibitor", "thiazide"}


def test_ingredient_codes_side_by_side_are_a_combination() -> None:
    match = recognise([Coding(RXNORM, "29046"), Coding(RXNORM, "5487"), Coding(RXNORM, "202991")], [])
    assert match.ingredients == ("lisinopril", "hydrochlorothiazide")
    displays = [Coding(None, "1", "Lisinopril"), Coding(None, "2", "Hydrochlorothiazide")]
    assert recognise(displays, []).ingredients == ("lisinopril", "hydrochlorothiazide")


def test_a_code_that_is_not_known_leaves_the_word_to_the_next_one() -> None:
    codings = [Coding(SNOMED_CT, "138875005"), Coding(SNOMED_CT, "116602009"), Coding(ATC, "V03")]
    assert recognise(codings, []).ingredients == ("prednisone",)


@pytest.mark.parametrize("system", ["urn:oid:2.16.840.1.113883.6.88", f"{RXNORM}/", f" {RXNORM}"])
def test_a_system_is_known_under_its_other_names(system: str) -> None:
    assert recognise([Coding(system, "310798")], []).by == "rxnorm"


@pytest.mark.parametrize(
    "code", ["", "abc", "3107 98", "-310798", "9" * 400, "٣١٠٧٩٨", "00002-3230", "0002323031", "0002-323-30"]
)
def test_a_code_that_is_none_is_not_recognised(code: str) -> None:
    assert recognise([Coding(RXNORM, code), Coding(NDC, code), Coding(ATC, code)], []) == DrugMatch()
