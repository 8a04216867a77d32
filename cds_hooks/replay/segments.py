"""Records sorted into partitions and spilled to disk: one file per run, each partition a stretch of it.

A record is `<kind><flag><patient>TAB<content>` and ends with a line feed; neither a FHIR id nor a line of NDJSON
holds one.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
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
    """Collects records by partition and writes them whenever enough are held."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._held: defaultdict[int, list[bytes]] = defaultdict(list)
        self._bytes = 0
        self._runs = 0
        self.index: Index = {}

    def add(self, partition: int, record: bytes) -> None:
        self._held[partition].append(record)
        self._bytes += len(record)
        if self._bytes >= RUN_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held. A run appears under its name only when it is complete."""
        if not self._held:
            return
        path = self._folder / f"{self._name}.{self._runs}.run"
        place = 0
        with atomic(path) as file:
            for partition in sorted(self._held):
                records = self._held[partition]
                length = sum(map(len, records))
                file.writelines(records)
                self.index.setdefault(partition, []).append(
                    Stretch(f"{self._folder.name}/{path.name}", place, length)
                )
                place += length
        self._held.clear()
        self._bytes = 0
        self._runs += 1


class DamagedError(ValueError):
    """A spilled file is not what was written: delete the work folder and start again."""


def records(work: Path, stretches: list[Stretch]) -> Iterator[bytes]:
    """The records of these stretches, without their line feeds. Raises DamagedError."""
    for stretch in stretches:
        with (work / stretch.file).open("rb") as file:
            file.seek(stretch.start)
            content = file.read(stretch.length)
        if len(content) != stretch.length or content[-1:] != b"\n":
            raise DamagedError(f"{stretch.file}: is damaged; delete {work} and run the command again.")
        yield from content[:-1].split(b"\n")


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
