"""A file gives the same lines however it is cut into chunks and blocks."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from cds_hooks.replay import export
from cds_hooks.replay.export import find_chunks, read_blocks
from cds_hooks.replay.segments import DamagedError, Spill, groups

LONGEST = 40


def lines_of(folder: Path, chunk_bytes: int) -> list[bytes | None]:
    return [
        line
        for chunk in find_chunks(folder, chunk_bytes)
        for block in read_blocks(folder, chunk)
        for line in block
    ]


@pytest.mark.parametrize("ending", [b"", b"\n", b"\n\n", b"\r\n"], ids=repr)
@pytest.mark.parametrize("seed", range(3))
def test_every_line_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, ending: bytes) -> None:
    chance = random.Random(seed)  # noqa: S311 - chance makes lengths here, no secret
    lines = [bytes([65 + n % 26]) * chance.choice([0, 1, 7, 39, 40, 41, 130]) for n in range(60)] + [b"last"]
    separator = b"\r\n" if ending == b"\r\n" else b"\n"
    (tmp_path / "a.ndjson").write_bytes(b"\xef\xbb\xbf" * (seed % 2) + separator.join(lines) + ending)
    monkeypatch.setattr(export, "LONGEST_LINE", LONGEST)
    longest = LONGEST - len(separator) + 1
    expected = Counter(None if len(line) >= longest else line for line in lines)
    for block_bytes in (1, 16, 33, 1000):
        monkeypatch.setattr(export, "BLOCK_BYTES", block_bytes)
        for chunk_bytes in (1, 13, 40, 100, 10_000):
            found = Counter(line for line in lines_of(tmp_path, chunk_bytes))
            assert +(found - expected) == Counter({b"": 1} if ending == b"\n\n" else {}), (
                block_bytes,
                chunk_bytes,
            )
            assert not expected - found


def test_a_spilled_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "scan", "0")
    (tmp_path / "scan").mkdir()
    spill.lines_of(3, b"O-p\t1").extend([b"one", b"two"])
    spill.lines_of(3, b"C-p").append(b"")
    spill.flush()
    (stretch,) = spill.index[3]
    assert list(groups(tmp_path, [stretch])) == [(b"O-p\t1", b"one\ntwo"), (b"C-p", b"")]
    path = tmp_path / stretch.file
    whole = path.read_bytes()
    for damaged in (
        whole[:-1],
        whole.replace(b"\t7", b"\t6"),
        whole.replace(b"\t7", b"\t99"),
        b"x" * len(whole),
    ):
        path.write_bytes(damaged)
        with pytest.raises(DamagedError, match="is damaged"):
            list(groups(tmp_path, [stretch]))
