"""Good documents, and a way to change them at one place."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GOOD = Path(__file__).parent / "good"
STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]")


@pytest.fixture(scope="session")
def good() -> Callable[[str], Any]:
    """`good("response")` is a fresh copy of good/response.json."""
    documents = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in GOOD.glob("*.json")}
    return lambda name: copy.deepcopy(documents[name])


@pytest.fixture(scope="session")
def change() -> Callable[..., None]:
    """`change(document, "$.cards[0].summary", "x")` sets a value; without one it is removed; one past the end appends."""

    def at(document: Any, path: str, *value: Any) -> None:
        steps = [int(index) if index else name for name, index in STEP.findall(path)]
        parent = document
        for step in steps[:-1]:
            parent = parent[step]
        last = steps[-1]
        if not value:
            del parent[last]
        elif isinstance(parent, list) and last == len(parent):
            parent.append(value[0])
        else:
            parent[last] = value[0]

    return at
