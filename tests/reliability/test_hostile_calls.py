"""Thousands of malformed and hostile requests: no failure, no word of them in a log, and every refusal clear.

`make soak ARGS="--only fuzz"` sends the long series; docs/reliability.md has its figures.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.hostile.good_calls import good_calls
from benchmarks.hostile.in_process import InProcess
from benchmarks.hostile.mutations import TREE, mutated
from benchmarks.hostile.verdict import MARKER, wrong_with

Cases = Callable[[float], int]
SEED = os.environ.get("SEED", "20261122")


def test_the_good_calls_are_answered(in_process: InProcess) -> None:
    """Else what is made from them would prove little."""
    statuses = Counter(in_process.post(path, InProcess.encode(body)).status for path, body in good_calls())
    assert set(statuses) == {200}


def test_mutated_calls(in_process: InProcess, cases: Cases, capfd: pytest.CaptureFixture[str]) -> None:
    calls, statuses = good_calls(), Counter[int]()
    for number in range(cases(0.5)):
        chance = Random(f"{SEED}-{number}")  # noqa: S311 - reproducible by its seed
        path, good = chance.choice(calls)
        body = mutated(good, chance)
        answer = in_process.post(path, body)
        statuses[answer.status] += 1
        assert wrong_with(answer) == [], f"seed {SEED}, number {number}, {path}"
    assert MARKER not in "".join(capfd.readouterr())
    assert all(statuses[status] > sum(statuses.values()) / 20 for status in (200, 400, 412)), statuses
    print(f"mutated calls: {sum(statuses.values())}, {dict(statuses)}")  # noqa: T201 - `make soak` reads it


@pytest.mark.parametrize("mutate", TREE, ids=range(len(TREE)))
def test_every_mutation_of_every_call(in_process: InProcess, mutate: Callable[[Any, Random], None]) -> None:
    """One of each kind for each service, so that none is left to chance."""
    for number, (path, _) in enumerate(good_calls()):
        call = good_calls()[number].body
        mutate(call, Random(number))  # noqa: S311
        assert wrong_with(in_process.post(path, InProcess.encode(call))) == []


def test_coverage_guided_fuzzing(cases: Cases, root: Path, tmp_path: Path) -> None:
    """libFuzzer looks for requests that reach lines of ours which no request before reached."""
    pytest.importorskip("atheris", reason="atheris is for Linux with CPython 3.11 to 3.13")
    runs = cases(0.3)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    command = [
        sys.executable,
        "-m",
        "benchmarks.hostile.coverage_guided",
        f"-runs={runs}",
        "-timeout=20",
        "-rss_limit_mb=2000",
        f"-artifact_prefix={tmp_path}/",
        f"-seed={sum(SEED.encode())}",
        str(corpus),
    ]
    finished = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False, timeout=120 + runs
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    (done,) = re.findall(r"#(\d+)\s+DONE\s+cov: (\d+)", finished.stderr)
    assert int(done[0]) >= runs
    assert int(done[1]) > 1_500, "the instrumentation does not see our packages"
    print(f"coverage-guided: {done[0]} calls, {done[1]} edges reached")  # noqa: T201 - `make soak` reads it
