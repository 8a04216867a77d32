"""docs/site-profile.md says what the model says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from cds_hooks.site_profile.model import SiteProfile
from cds_hooks.site_profile.reference import reference


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "site-profile.md").read_text(encoding="utf-8")


def test_the_reference_is_that_of_the_model(page: str) -> None:
    """If not: python -m cds_hooks.site_profile.reference."""
    assert page.endswith(f"\n{reference()}\n")


def test_every_field_has_a_meaning() -> None:
    assert [row for row in reference().splitlines()[2:] if row.endswith("|  |")] == []


def test_every_example_on_the_page_is_a_profile(page: str) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert examples
    for example in examples:
        SiteProfile.model_validate({"name": "X"} | yaml.safe_load(example))


def test_every_file_it_names_is_there(page: str, root: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert (root / "docs" / link).is_file(), link
