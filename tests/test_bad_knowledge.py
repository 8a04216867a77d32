"""Deliberately broken rule files: each folder of bad_knowledge/ is laid over the real rules and names what it breaks.

`change.yaml` in a folder changes one real file (`file`, `replace`, `by`) or takes it away (`remove`); every other file is
put in its place. `expected.txt` is what `twitching-cds knowledge check` prints, word for word.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cds_hooks.cli import app
from mappings.knowledge import COMPANIONS, FOLDER, FOLDERS, load_knowledge

CASES = Path(__file__).parent / "bad_knowledge"
NAMES = sorted(path.name for path in CASES.iterdir())


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the real rule files, without the programs beside them."""
    target = tmp_path / "rules"
    target.mkdir()
    for name in FOLDERS:
        shutil.copytree(FOLDER / name, target / name)
    for name in COMPANIONS:
        shutil.copy(FOLDER / name, target / name)
    return target


def lay_over(case: Path, rules: Path) -> None:
    for path in case.rglob("*.y*ml"):
        place = path.relative_to(case)
        if place.parts[0] == "vignettes":
            continue
        if path.name == "change.yaml":
            change(yaml.safe_load(path.read_text(encoding="utf-8")), rules)
        else:
            shutil.copy(path, rules / place)


def change(what: dict[str, str], rules: Path) -> None:
    if "remove" in what:
        (rules / what["remove"]).unlink()
        return
    path = rules / what["file"]
    text = path.read_text(encoding="utf-8")
    assert what["replace"] in text, "the real file no longer says what the case replaces"
    path.write_text(text.replace(what["replace"], what["by"], 1), encoding="utf-8")


def vignettes(case: Path, folder: Path) -> Path:
    """A vignette for each real contributor, and those of the case."""
    folder.mkdir()
    for path in (FOLDER / "contributors").glob("*.yaml"):
        (folder / path.name).touch()
    for path in case.glob("vignettes/*.yaml"):
        shutil.copy(path, folder)
    return folder


def check(rules: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        app,
        ["knowledge", "check", str(rules), "--as-of", load_knowledge().release.date.isoformat(), *options],
    )
    return result.exit_code, result.output


def test_the_real_rules_have_no_defects(rules: Path, tmp_path: Path) -> None:
    code, said = check(rules, "--vignettes", str(vignettes(CASES / "none", tmp_path / "vignettes")))
    assert said.endswith("no defects.\n")
    assert code == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_check_says_what_is_wrong(name: str, rules: Path, tmp_path: Path) -> None:
    case = CASES / name
    lay_over(case, rules)
    folder = vignettes(case, tmp_path / "vignettes") if "vignette" in name else tmp_path
    code, said = check(rules, "--vignettes", str(folder)) if "vignette" in name else check(rules)
    assert said == (case / "expected.txt").read_text(encoding="utf-8")
    assert code == 1


def test_a_file_in_another_encoding_is_named(rules: Path) -> None:
    (rules / "contributors" / "broken.yaml").write_bytes("title: Café".encode("latin-1"))
    assert check(rules) == (1, "contributors/broken.yaml: not UTF-8 at byte 10; save it as UTF-8\n")


def test_a_folder_that_is_not_there_is_wrong_input(tmp_path: Path) -> None:
    code, said = check(tmp_path / "nowhere")
    assert said.endswith("nowhere: is not a folder.\n")
    assert code == 2
