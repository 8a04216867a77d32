"""Neither order, duplication, chunks, compression, partitions, processes nor engines change an answer."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from cds_hooks.replay.run import Replayed


def lines_of(export: Path) -> list[bytes]:
    found = []
    for path in sorted(export.iterdir()):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found += content.splitlines()
    return found


@pytest.fixture
def expected(run: Callable[..., Replayed], example: Path) -> str:
    return run(example).result_hash


def test_lines_in_any_order_in_other_files_and_twice(
    run: Callable[..., Replayed], example: Path, expected: str, tmp_path: Path
) -> None:
    lines = lines_of(example)
    chance = random.Random(5)  # noqa: S311 - chance makes an order here, no secret
    lines += chance.sample(lines, k=len(lines) // 5)
    chance.shuffle(lines)
    folder = tmp_path / "other"
    (folder / "deep").mkdir(parents=True)
    third = len(lines) // 3
    (folder / "a.ndjson").write_bytes(b"\r\n".join(lines[:third]))
    (folder / "b.ndjson.gz").write_bytes(gzip.compress(b"\n".join(lines[third : 2 * third])))
    (folder / "deep" / "c.ndjson.zst").write_bytes(zstd.compress(b"\n\n".join(lines[2 * third :]) + b"\n"))
    assert run(folder).result_hash == expected


@pytest.mark.parametrize(
    "options",
    [
        {"chunk_bytes": 1000},
        {"chunk_bytes": 77_777, "partitions": 1},
        {"partitions": 97},
        {"workers": 2},
        {"engine": "dask", "workers": 2, "partitions": 3},
    ],
    ids=str,
)
def test_however_the_work_is_cut(
    run: Callable[..., Replayed], example: Path, expected: str, options: dict[str, Any]
) -> None:
    assert run(example, **options).result_hash == expected


def test_a_partition_that_does_not_fit_is_read_in_passes(
    run: Callable[..., Replayed], example: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_hooks.replay.reduce.HELD_BYTES", 50_000)
    monkeypatch.setattr("cds_hooks.replay.segments.RUN_BYTES", 20_000)
    assert run(example, partitions=2).result_hash == expected


def test_spark_gives_the_same_result(run: Callable[..., Replayed], example: Path, expected: str) -> None:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        assert "CI" not in os.environ, "Java is not installed: `make system-deps` installs it"
        pytest.skip(
            "Java is not installed: apt-get install default-jre-headless, or `make system-deps` as root"
        )
    assert run(example, engine="spark", workers=2, partitions=2).result_hash == expected


def test_another_day_another_gate_or_other_patients_give_another_result(
    run: Callable[..., Replayed], example: Path, expected: str
) -> None:
    other = {
        expected,
        run(example, gate="assume-twitching").result_hash,
        run(example, mode="monthly").result_hash,
        run(example, sample=0.5).result_hash,
        run(example, sample=0.5, seed=1).result_hash,
    }
    assert len(other) == 5


def test_a_sample_holds_whole_patients(run: Callable[..., Replayed], example: Path) -> None:
    tally = run(example, sample=0.3).tally
    assert 15 < tally.patients < 60
    assert tally.without_resource == 0
