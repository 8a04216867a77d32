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
    """Alternates the two servers in one run, for a patient with and one without documented twitching."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=600)
    parser.add_argument("--memory-calls", type=int, default=20_000)
    options = parser.parse_args()
    bodies = {
        "twitching documented": request(twitching=True),
        "twitching not documented": request(twitching=False),
    }
    with Server(FLOOR, PATH) as floor, Server(OURS, PATH) as ours:
        body = bodies["twitching documented"]
        print(f"body: {len(body) / 1000:.0f} kB, 50 observations, 20 medication requests")
        floor.wait(body)
        print(f"start to first answer: {ours.wait(body):.2f} s")
        for name, body in bodies.items():
            print(f"{name}:")
            _compare(floor, ours, body, options.rounds, options.calls)
        before = ours.memory()
        for _ in range(options.memory_calls):
            ours.post(body)
        print(f"memory: {before:.1f} MB, after {options.memory_calls} more calls {ours.memory():.1f} MB")


def _compare(floor: Server, ours: Server, body: bytes, rounds: int, calls: int) -> None:
    """Prints CPU, its ratio and latency for one body."""
    for server in (floor, ours):
        _cpu(server, body, calls)
    pairs = [(_cpu(floor, body, calls), _cpu(ours, body, calls)) for _ in range(rounds)]
    ratios = sorted(mine / bare for bare, mine in pairs)
    bare, mine = (statistics.median(pair[place] for pair in pairs) for place in (0, 1))
    print(f"  CPU per call: floor {bare:.3f} ms, ours {mine:.3f} ms")
    print(f"  ratio: median {statistics.median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f})")
    for name, server in (("floor", floor), ("ours", ours)):
        times = sorted(_times(server, body, calls))
        print(f"  {name}: p50 {times[len(times) // 2]:.2f} ms, p99 {times[int(len(times) * 0.99)]:.2f} ms")


def _cpu(server: Server, body: bytes, calls: int) -> float:
    """CPU milliseconds per call."""
    server.connection.close()  # it may have been idle for longer than the server keeps it
    before = server.cpu()
    for _ in range(calls):
        server.post(body)
    return (server.cpu() - before) / calls * 1000


def _times(server: Server, body: bytes, calls: int) -> list[float]:
    server.connection.close()
    found = []
    for _ in range(calls):
        start = time.perf_counter()
        server.post(body)
        found.append((time.perf_counter() - start) * 1000)
    return found


if __name__ == "__main__":
    main()
