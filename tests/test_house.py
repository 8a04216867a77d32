"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import cds_hooks

LONGEST = 300
LONGER_WITH_CAUSE: dict[str, str] = {}  # path -> why it is still one thing

OURS = {"terminology", "mappings", "cds_hooks", "benchmarks"}
PLUGINS = {"aiosqlite", "uvloop", "backports-zstd"}  # found by name, imported by no statement

# Written so that this file does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.\-}])/(?:work|tmp|root|farm|home/\w+)/")
REGISTRY = re.compile(r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|deb[.]debian")


@pytest.fixture(scope="module")
def files(root: Path) -> list[Path]:
    """Every file that is, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    found = [root / name for name in listed.stdout.split("\0") if name]
    assert found
    return [path for path in found if path.is_file()]


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(lock: Path) -> dict[str, str]:
    """Name -> version of a lock file; every pin must carry a hash."""
    found = {}
    for entry in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8")):
        if entry.startswith("#"):
            continue
        requirement = Requirement(entry.split("\\")[0].strip())
        assert "--hash=sha256:" in entry, f"{lock.name}: {requirement.name} has no hash"
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        found[canonicalize_name(requirement.name)] = specifier.version
    assert found
    return found


def imported(files: list[Path], root: Path, *folders: str) -> set[str]:
    """The distributions whose modules the Python files of these folders import."""
    modules = set()
    for path in files:
        if path.suffix != ".py" or path.relative_to(root).parts[0] not in folders:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.split(".")[0])
    known = packages_distributions()
    return {canonicalize_name(known[module][0]) for module in modules - sys.stdlib_module_names - OURS}


def test_what_the_packages_import_is_what_they_declare(
    files: list[Path], root: Path, project: dict[str, Any]
) -> None:
    extras = project["optional-dependencies"]
    used = project["dependencies"] + extras["replay"] + extras["dask"] + extras["spark"]
    declared = {canonicalize_name(Requirement(line).name) for line in used}
    assert imported(files, root, "terminology", "mappings", "cds_hooks") == declared - PLUGINS


def test_what_the_tests_import_is_declared(files: list[Path], root: Path, project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    declared = project["dependencies"] + extras["dev"] + extras["replay"]
    assert imported(files, root, "tests", "benchmarks") <= {
        canonicalize_name(Requirement(line).name) for line in declared
    }


def test_no_file_names_a_machine_path_or_a_package_registry(files: list[Path], root: Path) -> None:
    found = []
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        for pattern in (MACHINE_PATH, REGISTRY):
            found += [f"{path.relative_to(root)}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


def test_every_text_file_is_utf_8_and_ends_with_a_newline(files: list[Path], root: Path) -> None:
    ill = []
    for path in files:
        if path.suffix == ".png":
            continue
        content = path.read_bytes()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            ill.append(f"{path.relative_to(root)}: not UTF-8")
        if content and not content.endswith(b"\n"):
            ill.append(f"{path.relative_to(root)}: no newline at the end")
    assert ill == []


def test_no_python_file_is_longer_than_one_reader_can_hold(files: list[Path], root: Path) -> None:
    lengths = {
        path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in files
        if path.suffix == ".py"
    }
    long = {name for name, lines in lengths.items() if lines > LONGEST}
    assert long == set(LONGER_WITH_CAUSE), {name: lengths.get(name) for name in long ^ set(LONGER_WITH_CAUSE)}


def test_no_test_folder_is_a_package_that_hides_ours(files: list[Path], root: Path) -> None:
    assert [path for path in files if path.name == "__init__.py" and (root / "tests") in path.parents] == []


def test_licence_and_notice_are_there(root: Path) -> None:
    licence = (root / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    notice = (root / "NOTICE").read_text(encoding="utf-8")
    for owner in (
        "National Library of Medicine",
        "Regenstrief Institute",
        "SNOMED International",
        "WHO Collaborating",
    ):
        assert owner in notice


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("requirements.lock", ("build", "postgres")),
        ("requirements-dev.lock", ("build", "postgres", "replay", "dask", "spark", "dev")),
    ],
)
def test_a_lock_file_names_every_dependency(
    root: Path, project: dict[str, Any], lock: str, extras: tuple[str, ...]
) -> None:
    locked = pins(root / lock)
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        if requirement.name == project["name"]:
            continue
        version = locked.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in {lock}: run `make lock`"
        assert requirement.specifier.contains(version), (
            f"{requirement} is {version} in {lock}: run `make lock`"
        )


def test_both_lock_files_name_the_same_versions(root: Path) -> None:
    run_time = pins(root / "requirements.lock")
    development = pins(root / "requirements-dev.lock")
    assert run_time.items() <= development.items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_names_no_place_to_download_from(root: Path, lock: str) -> None:
    text = (root / lock).read_text(encoding="utf-8")
    assert re.findall(r"\S*://\S*|^--\S+|.* @ .*", text, re.MULTILINE) == []


@pytest.mark.parametrize(
    "table", ["dependencies", "build", "postgres", "replay", "dask", "spark", "dev", "ignore"]
)
def test_every_dependency_and_every_lint_exception_has_its_reason(root: Path, table: str) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(rf"^{table} = \[\n(.*?)^\]$", text, re.MULTILINE | re.DOTALL)
    assert block
    entries = [line for line in block[1].splitlines() if not line.strip().startswith('"twitching-cds[')]
    assert entries
    assert [line for line in entries if "  # " not in line] == []


def test_the_changelog_opens_with_this_version(root: Path) -> None:
    newest = re.search(r"^## (\S+)", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == cds_hooks.__version__


def test_every_changelog_entry_begins_with_its_clinical_effects(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [
        entry.splitlines()[0] for entry in entries if not re.search(r"\A.*\n+### Clinical effects\n", entry)
    ] == []
