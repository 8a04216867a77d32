"""Lines sorted into partitions and by patient, and spilled to disk: one file per run, each partition a stretch of it.

A stretch is one MessagePack map: key, a patient or the id of a Medication, -> `Kept`. Results that may never be asked
for stand before the stretch of their partition: it says where, so that nobody has to read past them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from zlib import crc32

import msgspec
from msgspec import Struct

RUN_BYTES: Final = 40 * 2**20
"""What is held before it is written: a chunk of a plain file is one run, as each run holds each of its patients again."""
WRITTEN_BYTES: Final = 2**19
"""What is written at a time: the kernel takes a third more time for it in pieces of one patient."""
KEY_BYTES: Final = 500
"""What is held of a key beside its lines."""


class Stretch(Struct, frozen=True, array_like=True):
    """Where the records of one partition stand: a file below the work folder."""

    file: str
    start: int
    length: int


T = TypeVar("T")
Index = dict[int, list[Stretch]]
"""Partition -> its stretches."""


class Waiting(Struct, frozen=True, array_like=True):
    """Where results stand in the file of their stretch, each with its line feed, and their ids, one a line."""

    start: int
    length: int
    ids: str


class Kept(Struct, frozen=True, array_like=True):
    """What a stretch says of one key, by kind and flag."""

    lines: dict[bytes, list[bytes]]
    waiting: dict[bytes, Waiting]


class Held(NamedTuple):
    """The same before it is written. What waits: a line with its line feed, its id, the next line, its id, ..."""

    lines: dict[bytes, list[bytes]]
    waiting: dict[bytes, list[Any]]

    def of(self, tag: bytes) -> list[bytes]:
        """Lines of a kind and flag, to append to until the next flush."""
        return self.lines.setdefault(tag, [])


_encode: Final = msgspec.msgpack.Encoder().encode
_stretch: Final = msgspec.msgpack.Decoder(dict[bytes, Kept])


def partition_of(key: str, partitions: int) -> int:
    """The same on every machine and in every run."""
    return crc32(key.encode(errors="surrogatepass")) % partitions


class Spill:
    """Collects lines by partition and key; whoever adds them flushes when enough are held."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._held: defaultdict[int, dict[bytes, Held]] = defaultdict(dict)
        self._runs = 0
        self.index: Index = {}

    def held(self, partition: int, key: bytes) -> Held:
        """What is held of a key."""
        of_partition = self._held[partition]
        if key not in of_partition:
            of_partition[key] = Held({}, {})
        return of_partition[key]

    def flush(self) -> None:
        """Write what is held. A run appears under its name only when it is complete."""
        if not self._held:
            return
        path = self._folder / f"{self._name}.{self._runs}.run"
        place = 0
        with atomic(path) as file:
            for partition in sorted(self._held):
                keys: dict[bytes, Kept] = {}
                for key, held in self._held.pop(partition).items():
                    keys[key] = Kept(held.lines, {})
                    for tag, lines_and_ids in held.waiting.items():
                        if not lines_and_ids:
                            continue
                        length = file.write(b"".join(lines_and_ids[::2]))
                        keys[key].waiting[tag] = Waiting(place, length, "\n".join(lines_and_ids[1::2]))
                        place += length
                length = file.write(_encode(keys))
                self.index.setdefault(partition, []).append(
                    Stretch(f"{self._folder.name}/{path.name}", place, length)
                )
                place += length
        self._runs += 1


class DamagedError(ValueError):
    """A spilled file is not what was written: delete the work folder and start again."""


def read_stretch(work: Path, stretch: Stretch) -> dict[bytes, Kept]:
    """What a stretch says, by key. Raises DamagedError."""
    content = _read(work, stretch.file, stretch.start, stretch.length)
    try:
        return _stretch.decode(content)
    except msgspec.DecodeError:
        raise _damaged(work, stretch.file) from None


def read_waiting(work: Path, file: str, waiting: Waiting) -> list[bytes]:
    """The lines that stand apart in the file of a stretch. Raises DamagedError."""
    content = _read(work, file, waiting.start, waiting.length)
    if not content.endswith(b"\n"):
        raise _damaged(work, file)
    return content[:-1].split(b"\n")


def _read(work: Path, name: str, start: int, length: int) -> bytes:
    try:
        with _path(work, name).open("rb") as file:
            file.seek(start)
            content = file.read(length)
    except FileNotFoundError:
        raise _damaged(work, name) from None
    if len(content) != length:
        raise _damaged(work, name)
    return content


@lru_cache(64)
def _path(work: Path, name: str) -> Path:
    return work / name


def _damaged(work: Path, name: str) -> DamagedError:
    return DamagedError(f"{name}: is damaged; delete {work} and run the command again.")


class atomic:  # noqa: N801 - used as a function
    """Opens a file that appears under its name only when the block ends well."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.{os.getpid()}")
        self._file = self._draft.open("wb", WRITTEN_BYTES)

    def __enter__(self) -> Any:
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._draft.replace(self._path)
        else:
            self._draft.unlink(missing_ok=True)


def read_json(path: Path, kind: type[T]) -> T:
    """What `write_json` wrote, below a folder of the work folder. Raises DamagedError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, FileNotFoundError):
        raise _damaged(path.parent.parent, f"{path.parent.name}/{path.name}") from None


def write_json(path: Path, content: Any) -> None:
    """Write `content` so that the file is either complete or not there."""
    with atomic(path) as file:
        file.write(msgspec.json.encode(content))
