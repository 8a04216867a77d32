"""`python -m benchmarks.replay`: patients per second and core, against the rate at which the reader merely decodes."""

from __future__ import annotations

import argparse
import gzip
import resource
import shutil
import tempfile
import time
from pathlib import Path

from cds_hooks.replay.example import DAY, write_example
from cds_hooks.replay.run import Options, replay
from cds_hooks.replay.sides import Side, made
from mappings.from_fhir.bundle import unwrap


class Silence:
    """A progress bar that nobody sees."""

    def start(self, what: str, total: int, done: int) -> None:
        """Say nothing."""

    def advance(self, size: int, patients: int = 0) -> None:
        """Say nothing."""


def main() -> None:
    """Make an export, decode it, replay it with one process and with several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--results", type=int, default=90)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--dask", action="store_true", help="Also on a Dask cluster of this machine.")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="twitching-cds-bench-"))
    try:
        export = folder / "export"
        lines = write_example(export, options.patients, results=options.results, twitching=0.01)
        print(f"{options.patients} patients, {lines} resources, 1 in 100 with documented twitching")
        start = time.process_time()
        _decode(export)
        decoded = options.patients / (time.process_time() - start)
        print(f"decoded by the reader: {decoded:,.0f} patients per second of CPU")
        made(Side())
        for workers in options.workers:
            _replay(export, folder, options.patients, workers, "local", decoded)
        if options.dask:
            _replay(export, folder, options.patients, max(options.workers), "dask", decoded)
        peak = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        print(f"memory: {peak[0] // 1024} MB in this process, {peak[1] // 1024} MB in the largest other one")
    finally:
        shutil.rmtree(folder)


def _decode(export: Path) -> None:
    for path in export.iterdir():
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                unwrap(line)


def _replay(export: Path, folder: Path, patients: int, workers: int, engine: str, decoded: float) -> None:
    work = folder / "work"
    start, cpu = time.perf_counter(), time.process_time()
    replay(Options(export, work, DAY, workers=workers, engine=engine), Silence())
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    rate = f"{patients / wall:,.0f} patients per second"
    if workers == 1:
        rate += (
            f", {patients / cpu:,.0f} per second of CPU ({100 * patients / cpu / decoded:.0f} % of decoding)"
        )
    print(f"{engine}, {workers} processes: {rate}")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
