"""`make bench`: server CPU per call as a multiple of the floor, latency, start-up and memory."""

from __future__ import annotations

import argparse
import statistics
import time

from benchmarks.body import request
from benchmarks.server import Server

FLOOR = [
    "-m",
    "uvicorn",
    "benchmarks.floor:app",
    "--port",
    "{port}",
    "--log-level",
    "error",
    "--no-access-log",
]
OURS = ["-m", "cds_hooks.cli", "serve", "--port", "{port}"]
PATH = "/cds-services/twitching-patient-view"


def main() -> None:
    """Alternates the two servers in one run and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=600)
    parser.add_argument("--memory-calls", type=int, default=20_000)
    options = parser.parse_args()
    body = request()
    print(f"body: {len(body) / 1000:.0f} kB, 50 observations, 20 medication requests")
    with Server(FLOOR, PATH) as floor, Server(OURS, PATH) as ours:
        floor.wait(body)
        print(f"start to first answer: {ours.wait(body):.2f} s")
        for server in (floor, ours):
            _cpu(server, body, options.calls)
        pairs = [
            (_cpu(floor, body, options.calls), _cpu(ours, body, options.calls)) for _ in range(options.rounds)
        ]
        ratios = sorted(mine / bare for bare, mine in pairs)
        print(
            f"CPU per call: floor {_median(p[0] for p in pairs):.3f} ms, ours {_median(p[1] for p in pairs):.3f} ms"
        )
        print(f"ratio: median {statistics.median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f})")
        for name, server in (("floor", floor), ("ours", ours)):
            times = sorted(_times(server, body, options.calls))
            print(f"{name}: p50 {times[len(times) // 2]:.2f} ms, p99 {times[int(len(times) * 0.99)]:.2f} ms")
        before = ours.memory()
        for _ in range(options.memory_calls):
            ours.post(body)
        print(f"memory: {before:.1f} MB, after {options.memory_calls} more calls {ours.memory():.1f} MB")


def _cpu(server: Server, body: bytes, calls: int) -> float:
    """CPU milliseconds per call."""
    before = server.cpu()
    for _ in range(calls):
        server.post(body)
    return (server.cpu() - before) / calls * 1000


def _times(server: Server, body: bytes, calls: int) -> list[float]:
    found = []
    for _ in range(calls):
        start = time.perf_counter()
        server.post(body)
        found.append((time.perf_counter() - start) * 1000)
    return found


def _median(values: object) -> float:
    return statistics.median(values)  # type: ignore[call-overload,no-any-return]


if __name__ == "__main__":
    main()
