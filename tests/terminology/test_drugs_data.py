"""The drug tables: every code means what its row says, every row has a source, every list is what the code expects."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from terminology import drug_names
from terminology.coding import NDC, RXNORM, snomed_check_digit_ok
from terminology.drug_classes import read_classes, read_unknown_routes
from terminology.drug_names import FOLDER, read_names, read_routes
from terminology.drug_tables import drug_tables
from terminology.drugs import recognise

# By which routes a class of the source tables does not count, said again and independently of classes.yaml.
LOCAL = {
    "corticosteroid": "topical inhaled nebulised nasal rectal vaginal ophthalmic otic oromucosal implant",
    "aminoglycoside": "topical inhaled nebulised ophthalmic otic oral",
    "amphotericin_b": "oral",
    "calcineurin_inhibitor": "topical ophthalmic",
    "pentamidine": "inhaled nebulised",
    "serotonergic_other": "topical",
    "vitamin_d_supplement": "topical",
    "laxative": "",
}
# Class id -> classes of the source tables, where the name differs.
TABLE_CLASS = {
    "thiazide": "thiazide_and_thiazide_like_diuretic",
    "carbonic_anhydrase_inhibitor": "carbonic_anhydrase_inhibitor_systemic",
    "systemic_corticosteroid": "corticosteroid",
    "estrogen_systemic": "estrogen",
    "levothyroxine": "thyroid_hormone",
    "amphetamine": "cns_stimulant",
    "methylphenidate": "cns_stimulant",
    "stimulant_other": "cns_stimulant",
    "caffeine_medicine": "methylxanthine",
    "theophylline": "methylxanthine",
    "decongestant": "sympathomimetic_decongestant",
    "enzyme_inducing_anticonvulsant": "anticonvulsant_enzyme_inducer",
    "succinylcholine": "depolarizing_neuromuscular_blocker",
    "ppi": "proton_pump_inhibitor",
    "metformin": "b12_lowering_biguanide",
    "bisphosphonate": "bisphosphonate_iv",
}
# The shared identifiers of drugs, without `drug:` (inhaled_corticosteroid is a local name).
IDS = """
thiazide loop_diuretic potassium_sparing_diuretic carbonic_anhydrase_inhibitor systemic_corticosteroid
estrogen_systemic amphetamine methylphenidate caffeine_medicine decongestant beta2_agonist theophylline lithium
cholinesterase_inhibitor ssri_snri serotonergic_other ppi denosumab bisphosphonate calcimimetic foscarnet
enzyme_inducing_anticonvulsant aminoglycoside amphotericin_b platinum anti_egfr calcineurin_inhibitor pentamidine
isoniazid levothyroxine metformin laxative succinylcholine
"""
GROUPS = set(read_routes().precedence)


class Coding(NamedTuple):
    system: str
    code: str
    display: str | None = None


def rows(file: str) -> list[dict[str, str]]:
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def in_table_terms(class_id: str) -> set[str]:
    return {"ssri", "snri"} if class_id == "ssri_snri" else {TABLE_CLASS.get(class_id, class_id)}


def counts(row: dict[str, str], table_class: str) -> bool | None:
    """Whether this class of this row counts; None where another test says so."""
    ingredient, route = row["ingredient"], row["route"]
    if row["minor"]:
        return table_class == "pyridoxine_supplement"
    if ingredient in ("fentanyl", "tedizolid"):
        return False
    if not route:
        return None
    if table_class == "estrogen" and route == "vaginal":
        return ingredient == "ethinyl estradiol"
    return route not in LOCAL.get(table_class, "").split()


def test_every_product_code_gives_the_classes_of_its_ingredients_by_its_route() -> None:
    expected: dict[str, dict[str, bool | None]] = defaultdict(dict)
    named: dict[str, set[str]] = defaultdict(set)
    for row in rows("products.csv"):
        named[row["rxcui"]].add(row["ingredient"])
        for table_class in row["drug_class"].split("|"):
            verdict = counts(row, table_class)
            before = expected[row["rxcui"]].get(table_class, False)
            expected[row["rxcui"]][table_class] = before or verdict
    assert len(expected) > 12_000
    wrong = []
    for code, verdicts in expected.items():
        match = recognise([Coding(RXNORM, code)], [])
        found = {name for class_id in match.classes for name in in_table_terms(class_id)}
        must = {name for name, verdict in verdicts.items() if verdict}
        may = {name for name, verdict in verdicts.items() if verdict is None}
        if "ssri" in must | may or "snri" in must | may:
            found -= {"ssri", "snri"} - must - may
        if set(match.ingredients) != named[code] or not must <= found <= must | may:
            wrong.append((code, verdicts, match))
    assert wrong == []


def test_a_products_own_name_read_as_text_says_what_its_code_says() -> None:
    products = {row["rxcui"]: row["display"] for row in rows("products.csv")}
    different = []
    for code, display in products.items():
        by_code = recognise([Coding(RXNORM, code)], [display])
        by_text = recognise([], [display])
        if {*by_code.classes, *by_code.local} != {*by_text.classes, *by_text.local}:
            different.append(
                (display, {*by_code.classes, *by_code.local} ^ {*by_text.classes, *by_text.local})
            )
    # Minerals, whose class in a combination the source settled row by row, and a pack of two decongestants.
    settled = {
        "laxative",
        "magnesium_supplement",
        "calcium_supplement_antacid",
        "vitamin_d_supplement",
        "decongestant",
    }
    assert [found for found in different if not found[1] <= settled] == []
    assert len(different) < len(products) / 200


def test_every_ndc_gives_what_its_product_gives() -> None:
    codes = rows("ndc.csv")
    assert len(codes) > 77_000
    for row in codes[::50]:
        by_ndc = recognise([Coding(NDC, row["ndc11"])], [])
        by_product = recognise([Coding(RXNORM, row["product_rxcui"])], [])
        assert (by_ndc.classes, by_ndc.ingredients) == (by_product.classes, by_product.ingredients)
        assert by_ndc.by == "ndc"


def test_every_ndc_is_sorted_has_eleven_digits_and_a_product() -> None:
    codes = [(row["ndc11"], row["product_rxcui"]) for row in rows("ndc.csv")]
    assert codes == sorted(codes)
    assert all(len(code) == 11 and code.isdigit() for code, _ in codes)
    assert {int(product) for _, product in codes} <= drug_tables().rxnorm.keys()


@pytest.mark.parametrize("file", ["ingredients.csv", "brands.csv"])
def test_every_ingredient_and_brand_is_recognised_by_its_code_and_by_its_name(file: str) -> None:
    expected: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows(file):
        expected[row["rxcui"], row.get("name") or row["brand"]].add(row["ingredient"])
    assert len(expected) > 700
    for (code, name), ingredients in expected.items():
        if code:
            assert set(recognise([Coding(RXNORM, code)], []).ingredients) == ingredients
        if name.lower() != "correct (new formula)":
            assert ingredients <= set(recognise([], [name]).ingredients), name


def test_every_ingredient_of_the_tables_is_in_a_class_or_known_not_to_count() -> None:
    alone = [row for row in rows("ingredients.csv") if row["tty"] == "IN"]
    for row in alone:
        classes = drug_tables().rxnorm[int(row["rxcui"])].members[0].rules
        assert classes or row["ingredient"] in ("fentanyl", "tedizolid"), row["ingredient"]


@pytest.mark.parametrize("row", rows("snomed.csv"), ids=lambda row: row["display"])
def test_a_snomed_code_has_its_check_digit_and_an_ingredient(row: dict[str, str]) -> None:
    assert snomed_check_digit_ok(row["code"])
    assert row["ingredient"] in {other["ingredient"] for other in rows("ingredients.csv")}
    assert row["notes"].startswith("weak")


@pytest.mark.parametrize("file", ["products.csv", "ingredients.csv", "brands.csv"])
def test_every_row_has_a_source_and_a_known_route(file: str) -> None:
    known = {row["key"]: row["source"] for row in rows("sources.csv")}
    assert all(known.values())
    assert {row["source"] for row in rows(file)} <= known.keys()
    assert {row.get("route", "") for row in rows(file)} <= GROUPS | {""}


def test_every_class_has_what_a_reviewer_needs() -> None:
    classes = read_classes()
    assert set(IDS.split()) <= {drug_class.id for drug_class in classes}
    assert len({drug_class.id for drug_class in classes}) == len(classes)
    for drug_class in classes:
        assert drug_class.title
        assert drug_class.source
        assert drug_class.review_status
        assert (drug_class.systemic_routes or set()) <= GROUPS
        assert drug_class.local.keys() <= GROUPS | {"other"}


def test_the_classes_share_out_the_classes_of_the_source_tables() -> None:
    table_classes = {name for row in rows("ingredients.csv") for name in row["drug_class"].split("|")}
    assert {name for drug_class in read_classes() for name in drug_class.table_classes} == table_classes
    by_name = {drug_class.id: drug_class for drug_class in read_classes()}
    for split in (
        ("amphetamine", "methylphenidate", "stimulant_other"),
        ("caffeine_medicine", "theophylline"),
    ):
        (table_class,) = {name for part in split for name in by_name[part].table_classes}
        members = {
            row["ingredient"]
            for row in rows("ingredients.csv")
            if table_class in row["drug_class"].split("|")
        }
        parts = [by_name[part].only or frozenset() for part in split]
        assert set().union(*parts) == members
        assert sum(map(len, parts)) == len(members)


def test_every_name_in_the_lists_belongs_to_an_ingredient() -> None:
    names, classes = read_names(), {drug_class.id: drug_class for drug_class in read_classes()}
    ingredients = {row["ingredient"] for row in rows("ingredients.csv")}
    for listed in (names.second_names, names.abbreviations, names.further_names, names.beside):
        assert listed.keys() <= ingredients
    assert {entry.drug_class for entry in names.text_only} <= classes.keys()
    assert not {entry.name for entry in names.text_only} & ingredients
    for drug_class in classes.values():
        mentioned = {*drug_class.systemic_routes_of, *drug_class.unknown_route_of, *drug_class.not_counted}
        assert mentioned <= ingredients | {entry.name for entry in names.text_only}


def test_every_route_word_means_one_group() -> None:
    routes = read_routes()
    phrases = [phrase for group in routes.groups.values() for phrase in group]
    assert sorted(phrases) == sorted(set(phrases))
    assert {
        *routes.groups,
        *routes.order_only,
        *routes.narrower,
        *routes.narrowed_by_text,
        routes.percent,
    } <= GROUPS


def test_an_unknown_route_is_decided_for_every_ingredient_that_needs_it() -> None:
    decided = read_unknown_routes()
    assert decided["prednisolone", "systemic_corticosteroid"]
    assert not decided["betamethasone", "systemic_corticosteroid"]
    by_ingredient = {
        drug_class.id for drug_class in read_classes() if drug_class.unknown_route == "by_ingredient"
    }
    assert {class_id for _, class_id in decided} <= by_ingredient
    assert all(row["reason"] for row in rows("unknown_route.csv"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reach: 5", "reach: far"),
        ("second_names:", "second_name:"),
        ("denials: [", "denial: ["),
    ],
)
def test_a_broken_word_list_names_its_fault(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (FOLDER / "names.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "names.yaml").write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(drug_names, "FOLDER", tmp_path)
    with pytest.raises(msgspec.ValidationError, match=r"\$|field"):
        drug_names.read_names()
