"""Lines sorted into partitions and spilled to disk: one file per run, each partition a stretch of it.

Within a stretch the lines of one key stand together below a line that says how many bytes they are: `<key>TAB<bytes>`.
A key is `<kind><flag><patient>`; neither a key nor a line of NDJSON holds a line feed.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import msgspec
from msgspec import Struct

RUN_BYTES: Final = 24 * 2**20
"""What is held before it is written."""


class Stretch(Struct, frozen=True, array_like=True):
    """Where the records of one partition stand: a file below the work folder."""

    file: str
    start: int
    length: int


Index = dict[int, list[Stretch]]
"""Partition -> its stretches."""


def partition_of(key: str, partitions: int) -> int:
    """The same on every machine and in every run."""
    return crc32(key.encode(errors="surrogatepass")) % partitions


class Spill:
    """Collects lines by partition and key; whoever adds them flushes when enough are held."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._held: defaultdict[int, dict[bytes, list[bytes]]] = defaultdict(dict)
        self._runs = 0
        self.index: Index = {}

    def lines_of(self, partition: int, key: bytes) -> list[bytes]:
        """The lines of a key that are held, to append to until the next flush."""
        return self._held[partition].setdefault(key, [])

    def flush(self) -> None:
        """Write what is held. A run appears under its name only when it is complete."""
        if not self._held:
            return
        path = self._folder / f"{self._name}.{self._runs}.run"
        place = 0
        with atomic(path) as file:
            for partition in sorted(self._held):
                length = 0
                for key, lines in self._held.pop(partition).items():
                    joined = b"\n".join(lines)
                    length += file.write(b"%s\t%d\n%s\n" % (key, len(joined), joined))
                self.index.setdefault(partition, []).append(
                    Stretch(f"{self._folder.name}/{path.name}", place, length)
                )
                place += length
        self._runs += 1


class DamagedError(ValueError):
    """A spilled file is not what was written: delete the work folder and start again."""


def groups(work: Path, stretches: list[Stretch]) -> Iterator[tuple[bytes, bytes]]:
    """Each key of these stretches, perhaps several times, with lines of it, not yet split. Raises DamagedError."""
    for stretch in stretches:
        with (work / stretch.file).open("rb") as file:
            file.seek(stretch.start)
            content = file.read(stretch.length)
        if len(content) != stretch.length:
            raise _damaged(work, stretch)
        place = 0
        while place < len(content):
            start = content.find(b"\n", place) + 1
            key, _, size = content[place : start - 1].rpartition(b"\t")
            place = start + int(size) + 1 if start and size.isdigit() else 0
            if not start <= place <= len(content) or content[place - 1 : place] != b"\n":
                raise _damaged(work, stretch)
            yield key, content[start : place - 1]


def lines_in(joined: Sequence[bytes]) -> list[bytes]:
    """All lines of some groups of a key, each once, in one order."""
    if len(joined) == 1 and b"\n" not in joined[0]:
        return [joined[0]]
    return sorted({line for lines in joined for line in lines.split(b"\n")})


def _damaged(work: Path, stretch: Stretch) -> DamagedError:
    return DamagedError(f"{stretch.file}: is damaged; delete {work} and run the command again.")


class atomic:  # noqa: N801 - used as a function
    """Opens a file that appears under its name only when the block ends well."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.{os.getpid()}")
        self._file = self._draft.open("wb")

    def __enter__(self) -> Any:
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._draft.replace(self._path)
        else:
            self._draft.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` so that the file is either complete or not there."""
    with atomic(path) as file:
        file.write(msgspec.json.encode(content))
