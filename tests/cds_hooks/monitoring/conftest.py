"""A call with cards, and where its service is."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def record(root: Path) -> bytes:
    """The body of a call that is answered with cards."""
    return (root / "examples" / "low-potassium-on-a-thiazide" / "request.json").read_bytes()
