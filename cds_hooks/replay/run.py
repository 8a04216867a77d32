"""The whole replay: scan, hand out Medications, reduce, merge; what is done already is not done again."""

from __future__ import annotations

import fcntl
import hashlib
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import msgspec
from msgspec import Struct

from cds_hooks.replay import medications, reduce, scan
from cds_hooks.replay.engines import Engine, EngineName, open_engine
from cds_hooks.replay.export import CHUNK_BYTES, Chunk, ExportError, find_chunks, not_read
from cds_hooks.replay.plan import PLAN, Plan, plain_size, planned, program, together
from cds_hooks.replay.record import Setup
from cds_hooks.replay.scanned import Scanned, ScanTask, result_file
from cds_hooks.replay.segments import DamagedError, Index, Stretch, read_json
from cds_hooks.replay.sides import Gate, Mode, Side, version_of
from cds_hooks.replay.tally import MODULUS, Tally

MOST_NAMED: Final = 5
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
    not_read: list[str]
    """Files of the export that have another name than those that are read."""


def replay(options: Options, progress: Progress) -> Replayed:
    """Run or resume; what a run before left and cannot be used is made anew.

    Raises ExportError, EngineError, KnowledgeError, ProfileError, DamagedError.
    """
    versions = tuple(version_of(side) for side in options.sides)
    find_chunks(options.export, options.chunk_bytes)  # before anything is written
    with (
        _locked(options.work),
        open_engine(options.engine, options.workers, options.cluster) as engine,
    ):
        try:
            return _replay(options, versions, engine, progress)
        except DamagedError:
            (options.work / PLAN).unlink(missing_ok=True)
            return _replay(options, versions, engine, progress)


def _replay(options: Options, versions: tuple[str, ...], engine: Engine, progress: Progress) -> Replayed:
    chunks = find_chunks(options.export, options.chunk_bytes)
    day = options.day.isoformat() if options.mode == "as-of" else ""
    groups = together(chunks, options.chunk_bytes)
    wanted = Plan(program(), day, options.sample, options.seed, options.partitions, chunks, groups)
    plan = planned(options.work, wanted, engine.workers)
    scanned = _scan(options, plan, engine, progress)
    if find_chunks(options.export, options.chunk_bytes) != chunks:
        raise ExportError(
            f"{options.export}: changed while it was read. Run the command again once it is complete."
        )
    types = frozenset(type_ for found in scanned for type_ in found.types)
    others = not_read(options.export, options.work.parent)
    if "Condition" not in types and options.gate == "documented":
        raise ExportError("\n".join(_no_condition(options, scanned, others)))
    index = _merged([found.patients for found in scanned])
    handed = _hand_out(options, plan, scanned, engine, progress)
    for partition, stretches in _merged(handed).items():
        index[partition] += stretches
    setup = Setup(options.mode, options.day, options.since, options.gate, options.sides, types)
    tally, files = _reduce(options, plan, setup, versions, index, engine, progress)
    return Replayed(options, tally, scanned, chunks, versions, files, _hash(setup, versions, tally), others)


def _no_condition(options: Options, scanned: Sequence[Scanned], others: Sequence[str]) -> Iterator[str]:
    """What is missing, and what of the export could not be read: it may have stood there."""
    yield (
        f"{options.export}: holds no Condition, so it is not known for whom twitching is documented. "
        "Export Condition too, or use --gate assume-twitching."
    )
    if bad := sum(found.bad for found in scanned):
        yield f"{bad} of {sum(found.lines for found in scanned)} lines are no resource."
    yield from (found.broken for found in scanned if found.broken)
    if others:
        yield f"Not read: {', '.join(others[:MOST_NAMED])}{', …' if len(others) > MOST_NAMED else ''}."


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


def _scan(options: Options, plan: Plan, engine: Engine, progress: Progress) -> list[Scanned]:
    (options.work / "scan").mkdir(exist_ok=True)
    tasks = [
        ScanTask(
            str(options.export.resolve()),
            str(options.work.resolve()),
            [(number, plan.chunks[number]) for number in group],
            plan.partitions,
            plan.day,
            plan.sample,
            plan.seed,
        )
        for group in plan.together
    ]
    todo = [task for task in tasks if not result_file(options.work, task.name).exists()]
    todo.sort(key=_dearest_first)  # no process is left with a long one at the end
    total = sum(task.size for task in tasks)
    _run(engine, scan.scan, todo, progress, "Reading", (total, total - sum(task.size for task in todo)))
    found = [read_json(result_file(options.work, task.name), list[Scanned]) for task in tasks]
    return sorted(chain.from_iterable(found), key=attrgetter("number"))


def _dearest_first(task: ScanTask) -> tuple[bool, int]:
    """Small files hold short lines, each of which takes as long as a long one."""
    return len(task.chunks) == 1, -sum(plain_size(chunk) for _, chunk in task.chunks)


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


def _reduce(
    options: Options,
    plan: Plan,
    setup: Setup,
    versions: tuple[str, ...],
    index: dict[int, list[Stretch]],
    engine: Engine,
    progress: Progress,
) -> tuple[Tally, list[Path]]:
    """The sum of all partitions, and their files without their ending."""
    asked = msgspec.json.encode((setup, versions, options.rows, plan.version), order="deterministic")
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
    return tally, files


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
