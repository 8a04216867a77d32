"""A file gives the same lines however it is cut into chunks and blocks; what is spilled is read back."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from cds_hooks.replay import export
from cds_hooks.replay.export import find_chunks, read_blocks
from cds_hooks.replay.lines import Lines
from cds_hooks.replay.segments import DamagedError, Spill, Stretch, read_stretch

LONGEST = 40


def lines_of(folder: Path, chunk_bytes: int) -> list[bytes | None]:
    """Without their line feeds."""
    return [
        line and line.removesuffix(b"\n")
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


def test_each_line_ends_with_one_line_feed(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"one\r\ntwo\n\r\nlast")
    (chunk,) = find_chunks(tmp_path)
    assert [*read_blocks(tmp_path, chunk)] == [[b"one\n", b"two\n", b"\n"], [b"last\n"]]


@pytest.fixture
def spilled(tmp_path: Path) -> tuple[Path, Stretch]:
    """A folder with a run, and its only stretch."""
    spill = Spill(tmp_path / "scan", "0")
    (tmp_path / "scan").mkdir()
    one = spill.held(3, b"p1")
    one.of(b"C-").extend([b"two", b"one", b"two"])
    one.waiting[b"O="] = [b"three\n", "3", b"four\n", "4"]
    spill.held(3, b"p2").of(b"T-").append(b"")
    spill.flush()
    (stretch,) = spill.index[3]
    return tmp_path, stretch


def test_what_is_spilled_is_read_back(spilled: tuple[Path, Stretch]) -> None:
    folder, stretch = spilled
    kept = read_stretch(folder, stretch)
    assert list(kept) == [b"p1", b"p2"]
    again = read_stretch(folder, stretch)
    lines = Lines(folder, [(stretch.file, kept[b"p1"]), (stretch.file, again[b"p1"])])
    assert lines.tags() == {b"C-", b"O="}
    assert (lines.of(b"C-"), lines.of(b"O="), lines.of(b"T-")) == ([b"one", b"two"], [b"four", b"three"], [])
    assert lines.ids(b"O=") == {"3", "4"}


def test_a_spilled_file_that_was_changed_is_refused(spilled: tuple[Path, Stretch]) -> None:
    folder, stretch = spilled
    path = folder / stretch.file
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[: stretch.start], whole[: stretch.start] + b"x" * stretch.length):
        path.write_bytes(damaged)
        with pytest.raises(DamagedError, match="is damaged"):
            read_stretch(folder, stretch)
    path.write_bytes(whole)
    lines = Lines(folder, [(stretch.file, read_stretch(folder, stretch)[b"p1"])])
    for damaged in (whole[:3], whole.replace(b"four\n", b"four,")):
        path.write_bytes(damaged)
        with pytest.raises(DamagedError, match="is damaged"):
            lines.of(b"O=")
