"""What is installed is what is in the tree: a data file left out of the wheel is a rule that never fires."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import cds_hooks

PACKAGES = ("terminology", "mappings", "cds_hooks")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built as a release builds it, without a download."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(root)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs `twitching-cds` or `python -c` in an empty folder, from the wheel and its dependencies alone."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(wheel)], check=True)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(target), *libraries])}

    def run(*arguments: str) -> str:
        program = () if arguments[0] == "-c" else (str(target / "bin" / "twitching-cds"),)
        # -S: the path entry of an editable install, which leads back to this tree, is not read.
        ran = subprocess.run(
            [sys.executable, "-S", "-P", *program, *arguments],
            cwd=elsewhere,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return run


def test_the_wheel_holds_exactly_the_files_of_the_three_packages(root: Path, wheel: Path) -> None:
    in_tree = {
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    in_tree |= {
        f"cds_hooks/pages/playground/{path.relative_to(root).as_posix()}"
        for path in (root / "examples").rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert in_tree == in_wheel


def test_the_wheel_carries_its_version_licence_and_notice(wheel: Path) -> None:
    folder = f"twitching_cds-{cds_hooks.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read(f"{folder}/entry_points.txt").decode()
    assert {f"{folder}/licenses/LICENSE", f"{folder}/licenses/NOTICE"} <= names
    assert "twitching-cds = cds_hooks.cli:main" in entry_points


def test_the_installed_command_line_runs_without_the_tree(root: Path, installed: Callable[..., str]) -> None:
    origin = installed("-c", "import cds_hooks; print(cds_hooks.__file__)")
    assert root not in Path(origin).parents
    assert "serve" in installed("--help")


def test_the_installed_package_answers_as_the_tree_does(root: Path, installed: Callable[..., str]) -> None:
    request = root / "examples" / "low-potassium-on-a-thiazide" / "request.json"
    arguments = ("assess", str(request), "--json", "--as-of", "2026-11-22")
    from_tree = subprocess.run(
        [sys.executable, "-m", "cds_hooks.cli", *arguments],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert installed(*arguments) == from_tree
    assert '"id":"hypokalaemia"' in from_tree.replace(": ", ":")


def test_the_installed_playground_has_its_patients(root: Path, installed: Callable[..., str]) -> None:
    program = (
        "from datetime import date; from cds_hooks.pages.playground.situations import choices, situation; "
        "print(sum(situation(one['id'], date(2026, 11, 22)) is not None for one in choices()))"
    )
    examples = len(list((root / "examples").glob("*/request.json")))
    assert int(installed("-c", program)) > examples
