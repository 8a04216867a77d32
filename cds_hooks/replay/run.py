"""The whole replay: scan, hand out Medications, reduce, merge; what is done already is not done again."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import msgspec
from msgspec import Struct

import cds_hooks
from cds_hooks.replay import medications, reduce, scan
from cds_hooks.replay.engines import Engine, EngineName, open_engine
from cds_hooks.replay.export import CHUNK_BYTES, Chunk, ExportError, find_chunks
from cds_hooks.replay.record import Setup
from cds_hooks.replay.scan import Scanned, ScanTask
from cds_hooks.replay.segments import Index, Stretch, write_json
from cds_hooks.replay.sides import Gate, Mode, Side, version_of
from cds_hooks.replay.tally import MODULUS, Tally

PARTITION_BYTES: Final = 20 * 2**20
COMPRESSED: Final = 10
"""How many times larger NDJSON is than its compressed file; only the number of partitions depends on it."""
Task = TypeVar("Task")
Result = TypeVar("Result")


class Options(Struct, frozen=True):
    """What to replay and how. `sides`: one, or two to compare."""

    export: Path
    work: Path
    day: date
    mode: Mode = "as-of"
    since: date | None = None
    gate: Gate = "documented"
    sides: tuple[Side, ...] = (Side(),)
    sample: float = 1.0
    seed: int = 0
    rows: bool = False
    engine: EngineName = "local"
    workers: int = 0
    cluster: str = ""
    partitions: int = 0
    chunk_bytes: int = CHUNK_BYTES


class Progress(Protocol):
    """Is told what is under way; `patients` are those of finished partitions."""

    def start(self, what: str, total: int, done: int) -> None:
        """A step of `total` bytes begins, of which `done` were done by a run before."""
        ...

    def advance(self, size: int, patients: int = 0) -> None:
        """Another part is finished."""
        ...


class Replayed(NamedTuple):
    """What the replay found, before small counts are withheld."""

    options: Options
    tally: Tally
    scanned: list[Scanned]
    chunks: list[Chunk]
    versions: tuple[str, ...]
    """Of the rules and the profile of each side."""
    reduced: list[Path]
    """The files of the partitions without their ending: `.unmapped` and `.rows` stand beside."""
    result_hash: str


class Plan(Struct, frozen=True):
    """What the scanned files depend on."""

    version: str
    day: str
    sample: float
    seed: int
    partitions: int
    chunks: list[Chunk]


def replay(options: Options, progress: Progress) -> Replayed:
    """Run or resume. Raises ExportError, EngineError, KnowledgeError, ProfileError, DamagedError."""
    versions = tuple(version_of(side) for side in options.sides)
    chunks = find_chunks(options.export, options.chunk_bytes)
    with (
        _locked(options.work),
        open_engine(options.engine, options.workers, options.cluster) as engine,
    ):
        plan = _plan(options, chunks, engine.workers)
        scanned = _scan(options, plan, engine, progress)
        types = frozenset(type_ for found in scanned for type_ in found.types)
        if "Condition" not in types and options.gate == "documented":
            raise ExportError(
                f"{options.export}: holds no Condition, so it is not known for whom twitching is documented. "
                "Export Condition too, or use --gate assume-twitching."
            )
        index = _merged([found.patients for found in scanned])
        handed = _hand_out(options, plan, scanned, engine, progress)
        for partition, stretches in _merged(handed).items():
            index[partition] += stretches
        setup = Setup(options.mode, options.day, options.since, options.gate, options.sides, types)
        return _reduce(options, setup, versions, index, scanned, chunks, engine, progress)


@contextmanager
def _locked(work: Path) -> Iterator[None]:
    """One replay at a time writes here. The folder holds patient data: nobody else may read it."""
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (work / "lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExportError(f"{work}: another replay is writing there; choose another --out.") from None
        yield


def _plan(options: Options, chunks: list[Chunk], workers: int) -> Plan:
    """The plan of the run before if it fits, else a new one; what was made by another plan is removed."""
    path = options.work / "plan.json"
    size = sum(map(_plain_size, chunks))
    partitions = options.partitions or max(4 * workers, -(-size // PARTITION_BYTES))
    day = options.day.isoformat() if options.mode == "as-of" else ""
    plan = Plan(cds_hooks.__version__, day, options.sample, options.seed, partitions, chunks)
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError):
        known = None
    fits = known is not None and msgspec.structs.replace(known, partitions=partitions) == plan
    if fits and known and (not options.partitions or known.partitions == partitions):
        return known
    for stale in ("scan", "medications", *(p.name for p in options.work.glob("reduce-*"))):
        shutil.rmtree(options.work / stale, ignore_errors=True)
    write_json(path, plan)
    return plan


def _plain_size(chunk: Chunk) -> int:
    return (chunk.end - chunk.start) * (1 if chunk.file.endswith(".ndjson") else COMPRESSED)


def _scan(options: Options, plan: Plan, engine: Engine, progress: Progress) -> list[Scanned]:
    (options.work / "scan").mkdir(exist_ok=True)
    tasks = [
        ScanTask(
            str(options.export.resolve()),
            str(options.work.resolve()),
            number,
            chunk,
            plan.partitions,
            plan.day,
            plan.sample,
            plan.seed,
        )
        for number, chunk in enumerate(plan.chunks)
    ]
    todo = [task for task in tasks if not scan.result_file(options.work, task.number).exists()]
    todo.sort(key=lambda task: -_plain_size(task.chunk))  # no process is left with a long one at the end
    sizes = {task.number: task.chunk.end - task.chunk.start for task in tasks}
    done = sum(sizes.values()) - sum(sizes[task.number] for task in todo)
    _run(engine, scan.scan, todo, progress, "Reading", (sum(sizes.values()), done))
    return [
        msgspec.json.decode(scan.result_file(options.work, task.number).read_bytes(), type=Scanned)
        for task in tasks
    ]


def _hand_out(
    options: Options, plan: Plan, scanned: list[Scanned], engine: Engine, progress: Progress
) -> list[Index]:
    (options.work / "medications").mkdir(exist_ok=True)
    if not any(found.types.get("Medication") for found in scanned):
        return []
    index = _merged([found.medications for found in scanned])
    tasks = [
        medications.MedicationTask(str(options.work.resolve()), partition, plan.partitions, stretches)
        for partition, stretches in sorted(index.items())
    ]
    todo = [task for task in tasks if not medications.result_file(options.work, task.partition).exists()]
    total = sum(stretch.length for task in tasks for stretch in task.stretches)
    done = total - sum(stretch.length for task in todo for stretch in task.stretches)
    _run(engine, medications.hand_out, todo, progress, "Finding medicines", (total, done))
    return [medications.read_index(options.work, task.partition) for task in tasks]


def _reduce(  # noqa: PLR0913, PLR0917 - the last step needs what all others found
    options: Options,
    setup: Setup,
    versions: tuple[str, ...],
    index: dict[int, list[Stretch]],
    scanned: list[Scanned],
    chunks: list[Chunk],
    engine: Engine,
    progress: Progress,
) -> Replayed:
    asked = msgspec.json.encode((setup, versions, options.rows), order="deterministic")
    folder = f"reduce-{hashlib.sha256(asked).hexdigest()[:12]}"
    (options.work / folder).mkdir(exist_ok=True)
    days = days_of(setup)
    tasks = [
        reduce.ReduceTask(
            str(options.work.resolve()), folder, partition, stretches, setup, days, options.rows
        )
        for partition, stretches in sorted(index.items())
    ]
    todo = [task for task in tasks if not reduce.result_file(options.work, folder, task.partition).exists()]
    total = sum(stretch.length for task in tasks for stretch in task.stretches)
    done = total - sum(stretch.length for task in todo for stretch in task.stretches)
    _run(engine, reduce.reduce, todo, progress, "Asking", (total, done))
    tally = Tally()
    for task in tasks:
        found = reduce.read_reduced(options.work, folder, task.partition)
        tally.merge(found.counts)
        tally.patients += found.patients
        tally.moments += found.moments
        tally.without_resource += found.without_resource
        tally.digest = (tally.digest + int(found.digest, 16)) % MODULUS
    files = [reduce.result_file(options.work, folder, task.partition) for task in tasks]
    return Replayed(options, tally, scanned, chunks, versions, files, _hash(setup, versions, tally))


def _run(
    engine: Engine,
    function: Callable[[Task], Any],
    tasks: Sequence[Task],
    progress: Progress,
    what: str,
    sizes: tuple[int, int],
) -> None:
    progress.start(what, *sizes)
    if not tasks:
        return
    for result in engine.map(function, tasks):
        progress.advance(*(result if isinstance(result, tuple) else (result,)))


def _merged(indexes: Sequence[Index]) -> defaultdict[int, list[Stretch]]:
    merged: defaultdict[int, list[Stretch]] = defaultdict(list)
    for index in indexes:
        for partition, stretches in index.items():
            merged[partition] += stretches
    return merged


def days_of(setup: Setup) -> tuple[date, ...]:
    """The days to look at: the one, the ends of the months up to it, or none when encounters say which."""
    if setup.mode == "each-encounter":
        return ()
    if setup.mode == "as-of":
        return (setup.day,)
    first = setup.since or date(setup.day.year - 1, setup.day.month, 1)
    months = range(first.year * 12 + first.month - 1, setup.day.year * 12 + setup.day.month - 1)
    ends = (date(m // 12, m % 12 + 1, monthrange(m // 12, m % 12 + 1)[1]) for m in months)
    return (*(end for end in ends if end < setup.day), setup.day)


def _hash(setup: Setup, versions: tuple[str, ...], tally: Tally) -> str:
    """One digest over every answer; the same for any order, chunking, number of partitions and engine."""
    about = (setup.mode, setup.day, setup.since, setup.gate, versions, tally.patients, tally.moments)
    counts = [(cell, *numbers) for cell, numbers in sorted(tally.counts.items())]
    told = msgspec.json.encode((about, counts, f"{tally.digest:064x}"))
    return hashlib.sha256(told).hexdigest()


def totals(scanned: Sequence[Scanned], what: str) -> dict[str, int]:
    """`types`, `ignored` or `unassigned` of all chunks, the most frequent first."""
    total: Counter[str] = Counter()
    for found in scanned:
        total.update(getattr(found, what))
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
