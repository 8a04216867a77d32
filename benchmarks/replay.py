"""`python -m benchmarks.replay`: patients per second and core, against the rate at which the reader merely decodes.

What is compared is measured in turn. Rates of one process are per second of CPU, of several by the clock: those need a
quiet machine. Processes are started beforehand (imports, rules): how long that takes is said beside the rates.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Literal, NamedTuple
from unittest.mock import patch

from benchmarks.page import Table
from cds_hooks.replay import run
from cds_hooks.replay.engines import Engine, EngineName, open_engine
from cds_hooks.replay.example import DAY, write_example
from cds_hooks.replay.run import Options
from cds_hooks.replay.sides import Side, version_of
from mappings.from_fhir.bundle import unwrap

Rows = list[tuple[str, ...]]
PROCESSES = 2


class Bench(NamedTuple):
    """An export and where it is replayed."""

    export: Path
    folder: Path
    patients: int


class Silence:
    """A progress bar that nobody sees."""

    def start(self, what: str, total: int, done: int) -> None:
        """Say nothing."""

    def advance(self, size: int, patients: int = 0) -> None:
        """Say nothing."""


def main() -> None:
    """Make an export, decode it, replay it with one process and with several."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--export", type=Path, help="Replay this export in one process instead of one made up."
    )
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--results", type=int, default=90)
    parser.add_argument("--twitching", type=float, default=0.01, help="The share of patients who twitch.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one-process", action="store_true", help="Measure one process only.")
    parser.add_argument("--json", action="store_true", help="Print the rows as JSON.")
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="twitching-cds-bench-"))
    try:
        if not wanted.export:
            write_example(
                folder / "export", wanted.patients, results=wanted.results, twitching=wanted.twitching
            )
        export = wanted.export or folder / "export"
        lines, patients = _size(export, folder)
        bench = Bench(export, folder, patients)
        rows: Rows = [("patients", f"{patients:,}", f"{lines / patients:.0f} resources each")]
        rows += _one_process(bench, wanted.rounds)
        if not (wanted.one_process or wanted.export):
            rows += _several(bench, wanted.rounds)
        rows.append(_memory())
    finally:
        shutil.rmtree(folder)
    print(json.dumps(rows) if wanted.json else Table(HEAD, rows).markdown())


HEAD = ("replay", "patients per second", "compared: median (smallest to largest)")


def rows_of(*arguments: str) -> Rows:
    """The rows as a process of its own finds them: its memory is that of the replay alone."""
    ran = subprocess.run(  # noqa: S603 - starts our own program
        [sys.executable, "-m", "benchmarks.replay", "--json", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return [tuple(row) for row in json.loads(ran.stdout)]


def _size(export: Path, folder: Path) -> tuple[int, int]:
    """Lines and patients."""
    work = folder / "size"
    found = run.replay(Options(export, work, DAY, workers=1), Silence())
    shutil.rmtree(work)
    return sum(part.lines for part in found.scanned), found.tally.patients


def _one_process(bench: Bench, rounds: int) -> Rows:
    """In turn, in CPU time; the first round warms up."""
    decoded, replayed = [], []
    for number in range(rounds + 1):
        taken = _decode(bench.export), _replay(bench, "cpu")
        if number:
            decoded.append(taken[0])
            replayed.append(taken[1])
    rate = bench.patients / statistics.median(replayed)
    smallest = f"{min(decoded) / min(replayed):.2f} by the smallest times"
    return [
        ("every line decoded by the reader", _rate(bench, decoded), "per second of CPU"),
        ("one process", _rate(bench, replayed), f"{_ratios(decoded, replayed)} of decoding, {smallest}"),
        ("", "", f"{1000 / rate:.2f} ms of CPU per patient; aim: 0.60 of decoding or 2,000 patients"),
    ]


def _several(bench: Bench, rounds: int) -> Rows:
    engines: list[EngineName] = ["local"]
    if importlib.util.find_spec("distributed"):
        engines.append("dask")
    one: list[float] = []
    taken: dict[str, list[float]] = {engine: [] for engine in engines}
    starts = []
    with ExitStack() as stack:
        opened = {}
        for engine in engines:
            start = time.perf_counter()
            opened[engine] = stack.enter_context(open_engine(engine, PROCESSES, ""))
            list(opened[engine].map(version_of, [Side()] * 2 * PROCESSES))
            starts.append(f"{engine} {time.perf_counter() - start:.1f} s")
        load = os.getloadavg()[0]
        for _ in range(rounds):
            one.append(_replay(bench, "wall"))
            for engine in engines:
                taken[engine].append(_replay(bench, "wall", opened[engine]))
    rows: Rows = [
        ("one process, by the clock", _rate(bench, one), f"load of the machine before: {load:.1f}"),
        (
            "two processes, by the clock",
            _rate(bench, taken["local"]),
            f"{_ratios(one, taken['local'])} of one",
        ),
    ]
    if "dask" in taken:
        ratios = _ratios(taken["local"], taken["dask"])
        rows.append(("two processes of Dask", _rate(bench, taken["dask"]), f"{ratios} of local"))
    return [*rows, ("start of two processes, not counted", "", ", ".join(starts))]


def _decode(export: Path) -> float:
    start = time.process_time()
    for path in export.iterdir():
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                unwrap(line)
    return time.process_time() - start


def _replay(bench: Bench, clock: Literal["cpu", "wall"], engine: Engine | None = None) -> float:
    """Seconds. Without an `engine` that runs already, in this process."""
    now = time.process_time if clock == "cpu" else time.perf_counter
    work = bench.folder / "work"
    options = Options(bench.export, work, DAY, workers=1)
    with ExitStack() as stack:
        if engine:
            stack.enter_context(patch.object(run, "open_engine", lambda *_: nullcontext(engine)))
        start = now()
        run.replay(options, Silence())
        taken = now() - start
    shutil.rmtree(work)
    return taken


def _rate(bench: Bench, seconds: Sequence[float]) -> str:
    return f"{bench.patients / statistics.median(seconds):,.0f}"


def _ratios(one: Sequence[float], other: Sequence[float]) -> str:
    ratios = sorted(a / b for a, b in zip(one, other, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def _memory() -> tuple[str, ...]:
    """Of this process by the kernel's own peak: that of `getrusage` may be inherited."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return "largest process", "", f"{max(peak, largest) // 1024} MB"


if __name__ == "__main__":
    main()
