"""How long the hostile tests run, and the service in process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from benchmarks.hostile.in_process import InProcess

IN_CI, ELSEWHERE = 3_000, 600


@pytest.fixture(scope="session")
def cases() -> Callable[[float], int]:
    """How many requests a test generates, given its share of all (`CASES=30000 make test ARGS=tests/reliability`)."""
    whole = int(os.environ.get("CASES", IN_CI if "CI" in os.environ else ELSEWHERE))
    return lambda share: max(10, int(whole * share))


@pytest.fixture(scope="module")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """The whole application without a network."""
    with InProcess(tmp_path_factory.mktemp("hostile")) as service:
        yield service
