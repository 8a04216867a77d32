"""Rebuild the CSV files under terminology/drugs from the source tables: `python -m terminology.drug_rebuild FOLDER`.

FOLDER holds drug_ingredients.csv, drug_products.csv, drug_brand_names.csv and drug_ndc.csv. What is changed on the way is
said in terminology/drugs/README.md and, row by row, in the column `notes`. A code that would change its ingredient or class
stops the build unless `--accept-changes` is given.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from terminology.drug_classes import ClassRules, DrugClass, read_classes
from terminology.drug_names import FOLDER
from terminology.drug_text import route_in

Row: TypeAlias = dict[str, str]
MINOR = "minor component"
ANTISEPTIC = "methenamine"
# Ingredients without a row in some combinations whose display names them, and their class in the source tables.
COMPLETED = {
    "albuterol": "beta2_agonist",
    "bendroflumethiazide": "thiazide_and_thiazide_like_diuretic",
    "hydroflumethiazide": "thiazide_and_thiazide_like_diuretic",
    "polythiazide": "thiazide_and_thiazide_like_diuretic",
    "gentamicin": "aminoglycoside",
    "neomycin": "aminoglycoside",
    "vitamin D": "vitamin_d_supplement",
}
# A route group of the source that the dose form in the product's own name corrects, or says more exactly.
CORRECTED = {
    ("topical", "oral"),
    ("", "topical"),
    ("irrigation or dialysis", "topical"),
    ("inhaled", "nebulised"),
}
# Sold as an inhaler too ("Proventil HFA"): the brand name alone says nothing about the route.
SEVERAL_FORMS = {"Proventil"}


def main(arguments: list[str]) -> int:
    """Write the files; the exit status is 1 if codes changed their meaning and that was not accepted."""
    source = Path(next(argument for argument in arguments if not argument.startswith("-")))
    sources: dict[str, str] = {}
    ingredients = list(_ingredients(_read(source / "drug_ingredients.csv")))
    products = list(_products(_read(source / "drug_products.csv")))
    brands = list(_brands(_read(source / "drug_brand_names.csv"), products))
    _complete(products, brands)
    _mark_brand_groups(products, brands)
    changed = list(_changed("products.csv", products)) + list(_changed("ingredients.csv", ingredients))
    if changed and "--accept-changes" not in arguments:
        sys.stderr.write("\n".join(["These codes would change their ingredient or class:", *changed, ""]))
        return 1
    for file, rows in (("ingredients.csv", ingredients), ("products.csv", products), ("brands.csv", brands)):
        for row in rows:
            row["source"] = sources.setdefault(row["source"], f"S{len(sources) + 1:03}")
        _write(file, rows)
    _write("sources.csv", ({"key": key, "source": name} for name, key in sources.items()))
    ndc = {row["ndc11"]: row["product_rxcui"] for row in _read(source / "drug_ndc.csv")}
    _write("ndc.csv", ({"ndc11": code, "product_rxcui": ndc[code]} for code in sorted(ndc)))
    _write("unknown_route.csv", _unknown_routes(products))
    return 0


def _ingredients(rows: list[Row]) -> Iterator[Row]:
    """One row per ingredient of a combination (MIN), with the classes that ingredient has in it."""
    alone = {row["code"]: row for row in rows if row["tty"] != "MIN"}
    for row in rows:
        if row["tty"] != "MIN":
            yield _ingredient(row, row["concept"], row["drug_class"], row["tty"].removesuffix("(assumed)"))
            continue
        parts = re.search(r"contains ([\d, ]+)", row["notes"])
        for code in parts[1].split(", ") if parts else ():
            part = alone[code.strip()]
            kept = [name for name in part["drug_class"].split("|") if name in row["drug_class"].split("|")]
            yield _ingredient(row, part["concept"], "|".join(kept), "MIN")


def _ingredient(row: Row, ingredient: str, drug_class: str, tty: str) -> Row:
    return {
        "rxcui": row["code"],
        "tty": tty,
        "name": row["display"],
        "ingredient": ingredient,
        "drug_class": drug_class,
        "minor": "minor"
        if tty == "MIN" and (MINOR in row["notes"] or _is_antiseptic_dye(row, ingredient))
        else "",
        "source": row["source"],
        "notes": row["notes"],
    }


def _is_antiseptic_dye(row: Row, ingredient: str) -> bool:
    """The products of these combinations carry the note "minor component of a urinary antiseptic", the combinations none."""
    return ingredient == "methylene blue" and ANTISEPTIC in row["display"]


def _products(rows: list[Row]) -> Iterator[Row]:
    for row in rows:
        notes = [row["notes"]] if row["notes"] else []
        route = row["route_group"].removeprefix("n/a (component)")
        # The brand in brackets is no dose form; a group of products ("Lasix Pill") has no brackets.
        form = route_in(row["display"].partition("[")[0] or row["display"])
        if (route, form) in CORRECTED and "/ACTUAT" not in row["display"]:
            notes.append(f"route group in the source: {route or 'none'}")
            route = form
        yield {
            "rxcui": row["code"],
            "tty": row["tty"],
            "display": row["display"],
            "ingredient": row["concept"],
            "drug_class": row["drug_class"],
            "route": route,
            "minor": "minor" if MINOR in row["notes"] else "",
            "source": row["source"],
            "notes": "; ".join(notes),
        }


def _complete(products: list[Row], brands: list[Row]) -> None:
    """Add the ingredients that a product's display names and that have no row, to the product and to its brand.

    The source lacks the letter A in part and some thiazides altogether, so a combination may lack one of its ingredients.
    """
    known: dict[str, set[str]] = {}
    for product in products:
        known.setdefault(product["rxcui"], set()).update(product["drug_class"].split("|"))
    added: list[Row] = []
    of_brand: dict[str, dict[str, Row]] = {}
    for product in products:
        for ingredient, drug_class in COMPLETED.items():
            named = re.search(rf"\b{ingredient}\b", product["display"].partition("[")[0], re.IGNORECASE)
            if named and drug_class not in known[product["rxcui"]]:
                known[product["rxcui"]].add(drug_class)
                note = "named in the display, no row in the source"
                added.append(product | {"ingredient": ingredient, "drug_class": drug_class, "notes": note})
    products += added
    for row in added:
        for brand in re.findall(r"\[([^\]]+)\]", row["display"]):
            of_brand.setdefault(brand, {})[row["ingredient"]] = row
    for brand in [row for row in brands if row["brand"] in of_brand]:
        rows = of_brand.pop(brand["brand"], {}).values()
        brands += [brand | {key: row[key] for key in ("ingredient", "drug_class", "notes")} for row in rows]


def _mark_brand_groups(products: list[Row], brands: list[Row]) -> None:
    """A brand's dose-form group ("Tandem Plus Pill") names no ingredients: what is minor in the brand is minor in it."""
    minor = {(row["brand"], row["ingredient"]) for row in brands if row["minor"]}
    for product in products:
        brand = product["display"].rpartition(" ")[0]
        if product["tty"].startswith("SBDG") and (brand, product["ingredient"]) in minor:
            product["minor"] = "minor"


def _brands(rows: list[Row], products: list[Row]) -> Iterator[Row]:
    """A brand's ingredient is a minor component if it is one in every product of that brand."""
    minor: dict[tuple[str, str], bool] = {}
    for product in products:
        for brand in re.findall(r"\[([^\]]+)\]", product["display"]):
            key = (brand, product["ingredient"])
            minor[key] = minor.get(key, True) and bool(product["minor"])
    for row in rows:
        notes = [row["notes"]] if row["notes"] else []
        route = row["route_groups"]
        if "|" in route or row["display"] in SEVERAL_FORMS:
            notes.append(f"route groups in the source: {route}")
            route = ""
        yield {
            "rxcui": row["code"],
            "brand": row["display"],
            "ingredient": row["concept"],
            "drug_class": row["drug_class"],
            "route": route,
            "minor": "minor" if minor.get((row["display"], row["concept"])) else "",
            "source": row["source"],
            "notes": "; ".join(notes),
        }


def _unknown_routes(products: list[Row]) -> Iterator[Row]:
    """For the classes that say so: does an ingredient without a route count? As most of its products do; a tie counts."""
    rules = ClassRules(read_classes(), {})
    wanted = [
        drug_class for drug_class in rules.classes.values() if drug_class.unknown_route == "by_ingredient"
    ]
    tallies: dict[tuple[str, str], list[int]] = {}
    for drug_class in wanted:
        members = {
            row["ingredient"] for row in products if _is_in(row, drug_class)
        } - drug_class.unknown_route_of.keys()
        routes = {
            (row["rxcui"], row["ingredient"]): row
            for row in products
            if row["ingredient"] in members and row["route"]
        }
        for (_, ingredient), row in routes.items():
            rule = rules.rule(ingredient, drug_class)
            systemic = _is_in(row, drug_class) and rule.counts(row["route"], amount=False)
            tallies.setdefault((ingredient, drug_class.id), [0, 0])[not systemic] += 1
    for (ingredient, class_id), (counted, local) in sorted(tallies.items()):
        yield {
            "ingredient": ingredient,
            "drug_class": class_id,
            "unknown_route": "systemic" if counted >= local else "local",
            "reason": f"{counted} of its {counted + local} product codes with a route act systemically",
        }


def _is_in(row: Row, drug_class: DrugClass) -> bool:
    return not set(row["drug_class"].split("|")).isdisjoint(drug_class.table_classes)


def _changed(file: str, rows: list[Row]) -> Iterator[str]:
    if not (FOLDER / file).exists():
        return
    before: dict[str, set[tuple[str, str]]] = {}
    for row in _read(FOLDER / file):
        before.setdefault(row["rxcui"], set()).add((row["ingredient"], row["drug_class"]))
    after: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        after.setdefault(row["rxcui"], set()).add((row["ingredient"], row["drug_class"]))
    for code, meaning in before.items():
        if code in after and after[code] != meaning:
            yield f"{code}: {sorted(meaning)} -> {sorted(after[code])}"


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _write(file: str, rows: Iterable[Row]) -> None:
    rows = list(rows)
    with (FOLDER / file).open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":  # pragma: no cover - the tests call main
    sys.exit(main(sys.argv[1:]))
