"""The rebuild of the drug tables from their source, on a small one."""

from __future__ import annotations

from pathlib import Path

import pytest

from terminology import drug_rebuild

SOURCE = {
    "drug_ingredients.csv": "concept,code,display,source,notes,drug_class,tty\n"
    "furosemide,4603,furosemide,list,,loop_diuretic,IN\n"
    "amiloride,644,amiloride,list,,potassium_sparing_diuretic,IN\n"
    'both,1,amiloride / furosemide,list,"(MIN); contains 4603, 644",loop_diuretic|potassium_sparing_diuretic,MIN\n',
    "drug_products.csv": "concept,code,display,source,notes,drug_class,tty,route_group\n"
    "furosemide,310429,furosemide 20 MG Oral Tablet [Lasix],list,,loop_diuretic,SBD,oral\n"
    "dexamethasone,2,{1 (dexamethasone 1 MG Oral Tablet) } Pack [TaperX],list,,corticosteroid,BPCK,topical\n",
    "drug_brand_names.csv": "concept,code,display,source,notes,drug_class,tty,route_groups\n"
    "furosemide,202991,Lasix,list,,loop_diuretic,BN,oral|injection\n",
    "drug_ndc.csv": "ndc11,product_rxcui\n00000000002,310429\n00000000001,310429\n",
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A folder of source tables and the folder that a rebuild wrote from them."""
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    for name, text in SOURCE.items():
        (source / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(drug_rebuild, "FOLDER", out)
    assert drug_rebuild.main([str(source)]) == 0
    return source, out


def test_a_rebuild_corrects_routes_splits_combinations_and_sorts(built: tuple[Path, Path]) -> None:
    _, out = built
    assert (out / "ndc.csv").read_text(encoding="utf-8").splitlines()[1:] == [
        "00000000001,310429",
        "00000000002,310429",
    ]
    products = (out / "products.csv").read_text(encoding="utf-8")
    assert "corticosteroid,oral,,S001,route group in the source: topical" in products
    assert "202991,Lasix,furosemide,loop_diuretic,,,S001" in (out / "brands.csv").read_text(encoding="utf-8")
    ingredients = (out / "ingredients.csv").read_text(encoding="utf-8")
    assert "1,MIN,amiloride / furosemide,furosemide,loop_diuretic,," in ingredients
    assert "1,MIN,amiloride / furosemide,amiloride,potassium_sparing_diuretic,," in ingredients


def test_a_code_that_changes_its_class_stops_the_rebuild(
    built: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = built
    table = source / "drug_products.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("loop_diuretic", "statin"), encoding="utf-8")
    before = (out / "products.csv").read_text(encoding="utf-8")
    assert drug_rebuild.main([str(source)]) == 1
    assert (
        "310429: [('furosemide', 'loop_diuretic')] -> [('furosemide', 'statin')]" in capsys.readouterr().err
    )
    assert (out / "products.csv").read_text(encoding="utf-8") == before
    assert drug_rebuild.main([str(source), "--accept-changes"]) == 0
