"""The files of an export, cut into chunks that are read independently of each other."""

from __future__ import annotations

import gzip
import importlib
import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, Literal

from msgspec import Struct

NAMED: Final = re.compile(r"\.(?:ndjson|jsonl)(?:\.(?:gz|zstd?))?$", re.IGNORECASE)
"""How the names of the files end that are read."""
Packing = Literal["", "gzip", "zstd"]
CHUNK_BYTES: Final = 32 * 2**20
LONGEST_LINE: Final = 16 * 2**20
"""Bytes. A longer line is no resource that a record holds, and would not fit the memory that is promised."""
BLOCK_BYTES: Final = 2**18
"""What is read at a time: a quarter of the second-level cache of most machines."""
BOM: Final = b"\xef\xbb\xbf"
ZSTD_SKIPPABLE: Final = 5
"""The upper half of the first byte of a frame without content (RFC 8878, 3.1.2)."""


class ExportError(ValueError):
    """An export that cannot be replayed: what is wrong and what to do."""


class Chunk(Struct, frozen=True):
    """A part of one file: the lines that begin in [start, end); a compressed file is one chunk."""

    file: str
    """Below the export folder."""
    start: int
    end: int
    size: int
    modified: int
    packing: Packing = ""


class Broken(Exception):  # noqa: N818 - the rest of a file, not a fault of this program
    """A compressed file ends early or is damaged; what came before was read."""


def find_chunks(folder: Path, chunk_bytes: int = CHUNK_BYTES) -> list[Chunk]:
    """All chunks of the export below `folder`, in a stable order. Raises ExportError."""
    if not folder.is_dir():
        raise ExportError(f"{folder}: is not a folder; give the folder that holds the *.ndjson files.")
    files = sorted(path for path in folder.rglob("*") if NAMED.search(path.name) and path.is_file())
    if not files:
        raise ExportError(f"{folder}: holds no *.ndjson, *.ndjson.gz or *.ndjson.zst.")
    found = []
    for path in files:
        about, packing = path.stat(), _packing(path)
        if packing == "zstd":
            _zstd()
        step = max(about.st_size, 1) if packing else chunk_bytes
        found += [
            Chunk(
                path.relative_to(folder).as_posix(),
                start,
                min(start + step, about.st_size),
                about.st_size,
                about.st_mtime_ns,
                packing,
            )
            for start in range(0, about.st_size, step)
        ]
    return found


def not_read(folder: Path, report: Path) -> list[str]:
    """The other files below `folder`, without hidden ones and without those of a report that lies there."""
    folder, report = folder.resolve(), report.resolve()
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        is_own = report != folder and folder in report.parents and report in path.parents
        is_hidden = any(part.startswith(".") for part in name.parts)
        if not (is_own or is_hidden or NAMED.search(name.name)) and path.is_file():
            found.append(name.as_posix())
    return sorted(found)


def _packing(path: Path) -> Packing:
    """How a file is compressed, by its first bytes: some clients unpack what they store under a name for packed files."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    is_skippable = start[:1] and start[0] >> 4 == ZSTD_SKIPPABLE and start[1:] == b"\x2a\x4d\x18"
    return "zstd" if start == b"\x28\xb5\x2f\xfd" or is_skippable else ""


def read_blocks(folder: Path, chunk: Chunk) -> Iterator[list[bytes | None]]:
    """The lines that begin in this chunk, block by block, each with one line feed; None stands for one that is too long.

    Raises Broken at the point from which a compressed file cannot be read, OSError for one that is not there.
    """
    path = folder / chunk.file
    if not chunk.packing:
        with path.open("rb") as file:
            if chunk.start:
                file.seek(chunk.start - 1)
                _skip_line(file)
            yield from _blocks(file, file.tell(), chunk.end)
        return
    try:
        with _decompressed(path, chunk.packing) as file:
            yield from _blocks(file, 0, None)
    except _damages(chunk.packing) as error:
        raise Broken(f"{chunk.file}: damaged or cut off ({error})") from None


def _blocks(file: Any, place: int, end: int | None) -> Iterator[list[bytes | None]]:
    """`place`: where the next line begins. With `end` only lines that begin before it."""
    rest, first, too_long = b"", place == 0, False
    while end is None or place < end or too_long:
        block = file.read1(min(BLOCK_BYTES, LONGEST_LINE))
        size, last = len(rest) + len(block), 0
        if end is not None and place + size >= end:
            last = block.find(b"\n", max(0, end - place - 1 - len(rest))) + 1
        lines: list[Any] = BytesIO(block[:last] if last else block).readlines()
        if lines:
            lines[0] = rest + lines[0]
            rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
        elif rest or too_long:
            lines, rest = [rest + b"\n"], b""  # the file ends without a line feed
        if lines:
            if too_long or len(lines[0]) > LONGEST_LINE:
                lines[0] = None
            elif first:
                lines[0] = lines[0].removeprefix(BOM)
            yield _without_returns(lines) if b"\r" in block or b"\r" in (lines[0] or b"") else lines
            first = too_long = False
        if last or not block:
            return
        if len(rest) >= LONGEST_LINE:
            rest, too_long = b"", True
        place += size - len(rest)


def _without_returns(lines: list[Any]) -> list[Any]:
    return [line and line.rstrip(b"\r\n") + b"\n" for line in lines]


def _skip_line(file: IO[bytes]) -> int:
    skipped = 0
    while part := file.readline(LONGEST_LINE):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def _decompressed(path: Path, packing: Packing) -> IO[bytes]:
    opened: Any = gzip.open(path) if packing == "gzip" else _zstd().open(path)  # noqa: SIM115 - the caller closes it
    found: IO[bytes] = opened
    return found


def _damages(packing: Packing) -> tuple[type[Exception], ...]:
    """What a damaged or cut-off file raises."""
    known: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile)
    return known if packing == "gzip" else (*known, _zstd().ZstdError)


def _zstd() -> Any:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise ExportError("Zstandard files need the extra `replay`: pip install 'twitching-cds[replay]'.")
