"""`make bench`: server CPU per call as a multiple of the floor, large calls, many connections, workers, memory, replay.

Everything that is compared is measured in turn in one run. `--quick` takes a minute and leaves the peer out; `--write`
puts the tables into docs/performance.md.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

from joserfc.jwk import ECKey, RSAKey

from benchmarks import peer
from benchmarks.body import request
from benchmarks.collector import collector_rows
from benchmarks.crowd import crowd
from benchmarks.page import Table, replace_table
from benchmarks.refusals import BASE, token, trusting
from benchmarks.replay import HEAD, rows_of
from benchmarks.server import Server

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
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
PEER = ["-m", "uvicorn", "peer:app", "--port", "{port}", "--log-level", "error", "--no-access-log"]
OURS = ["-m", "cds_hooks.cli", "serve", "--port", "{port}"]
QUICK_REPLAY = ("--patients", "300", "--rounds", "2", "--one-process")
CALL = "/cds-services/twitching-patient-view"
Call = Callable[[], object]
Rows = list[tuple[str, ...]]


class Options(NamedTuple):
    """How long to measure."""

    rounds: int
    calls: int
    seconds: float
    memory_calls: int
    quick: bool


def main() -> None:
    """Measure and print every table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--memory-calls", type=int, default=20_000)
    wanted = parser.parse_args()
    options = Options(7, 400, 5.0, wanted.memory_calls, quick=False)
    if wanted.quick:
        options = Options(3, 150, 2.0, 2_000, quick=True)
    today = datetime.now(UTC).date().isoformat()
    heads = {
        "cpu": ("server CPU per call", "milliseconds", "times the floor: median (smallest to largest)"),
        "large": ("a large call without an answer", "milliseconds of CPU", "compared"),
        "crowd": ("32 connections", "answers per second", "p50 / p99"),
        "process": ("one worker", today),
        "replay": HEAD,
    }
    with tempfile.TemporaryDirectory() as folder, Server(FLOOR, CALL) as floor, _ours(Path(folder)) as ours:
        floor.wait(request())
        started = ours.wait(request())
        measured = {
            "cpu": _cpu_rows(floor, ours, Path(folder), options),
            "large": _large_rows(floor, ours, options),
            "crowd": _crowd_rows(floor, ours, Path(folder), options),
            "process": [("start to first answer", f"{started:.2f} s"), *_memory_rows(ours, options)],
        }
    measured["process"] += collector_rows(options.calls * options.rounds)
    measured["replay"] = rows_of(*(QUICK_REPLAY if options.quick else ()))
    for name, rows in measured.items():
        table = Table(heads[name], rows)
        print(f"{table.markdown()}\n")
        if wanted.write:
            replace_table(PAGE, name, table)


def _ours(folder: Path, *more: str) -> Server:
    url = f"sqlite:///{folder / 'bench.sqlite3'}"
    return Server(
        [*OURS, *more], CALL, {"TWITCHING_CDS_DATABASE_URL": url, "TWITCHING_CDS_MAX_BODY_BYTES": "20000000"}
    )


def _cpu_rows(floor: Server, ours: Server, folder: Path, options: Options) -> Rows:
    """One row per contender; the rounds go through all of them, and each is compared with the floor of its round."""
    yes, no = request(twitching=True), request(twitching=False)
    ec = ECKey.generate_key("P-384", {"kid": "ec", "use": "sig"})
    rsa = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
    with ExitStack() as stack:
        trusted = stack.enter_context(trusting(folder, ec, rsa))
        trusted.path = CALL
        trusted.wait(yes, _bearer(ec))
        contenders: dict[str, tuple[Server, Callable[[], Call]]] = {
            "floor: reads the body, constant card": (floor, lambda: lambda: floor.post(yes)),
            "decodes the body with orjson, constant card": (
                floor,
                lambda: lambda: floor.post(yes, "/decode"),
            ),
            "ours, twitching documented": (ours, lambda: lambda: ours.post(yes)),
            "ours, not documented": (ours, lambda: lambda: ours.post(no)),
            "ours, documented, with a token (RS384)": (trusted, lambda: _signed(trusted, yes, rsa, options)),
            "ours, documented, with a token (ES384)": (trusted, lambda: _signed(trusted, yes, ec, options)),
        }
        if not options.quick and (python := peer.install(folder)):
            other = stack.enter_context(Server(PEER, peer.PATH, {"PYTHONPATH": str(folder)}, python))
            other.wait(yes)
            few = options._replace(calls=options.calls // 8)
            name = f"HealthChain {peer.VERSION}, a rule of one line"
            contenders[name] = other, lambda: lambda: other.post(yes)
        else:
            few = options
        taken: dict[str, list[float]] = {name: [] for name in contenders}
        for number in range(options.rounds + 1):  # the first warms up
            for name, (server, prepare) in contenders.items():
                calls = few.calls if name.startswith("HealthChain") else options.calls
                cpu = _cpu(server, prepare(), calls)
                taken[name] += [cpu] if number else []
    bare = next(iter(taken.values()))
    return [(name, f"{statistics.median(own):.2f}", _ratio(own, bare)) for name, own in taken.items()]


def _bearer(key: ECKey | RSAKey) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(key, {'kid': key.kid}, aud=BASE + CALL)}"}


def _signed(server: Server, body: bytes, key: ECKey | RSAKey, options: Options) -> Call:
    """Calls with a token each, signed beforehand."""
    tokens: Iterator[dict[str, str]] = iter([_bearer(key) for _ in range(options.calls)])
    return lambda: server.post(body, headers=next(tokens))


def _ratio(own: list[float], bare: list[float]) -> str:
    ratios = sorted(mine / floor for mine, floor in zip(own, bare, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def _cpu(server: Server, call: Call, calls: int) -> float:
    """Milliseconds of user and system time per call."""
    server.connection.close()  # it may have been idle for longer than the server keeps it
    before = server.cpu()
    for _ in range(calls):
        call()
    return (server.cpu() - before) / calls * 1000


def _large_rows(floor: Server, ours: Server, options: Options) -> Rows:
    """A thousand observations against the decoding of the same body; then ten times as many each."""
    body = request(1_000, 0, twitching=False)
    size, calls = f"{len(body) / 1_000_000:.1f} MB, 1,000 observations", max(20, options.calls // 8)
    pairs = [
        (_cpu(floor, lambda: floor.post(body, "/decode"), calls), _cpu(ours, lambda: ours.post(body), calls))
        for _ in range(options.rounds)
    ]
    decode, mine = ([pair[place] for pair in pairs] for place in (0, 1))
    rows: Rows = [
        (f"orjson, {size}", f"{statistics.median(decode):.1f}", ""),
        (f"ours, {size}", f"{statistics.median(mine):.1f}", f"{_ratio(mine, decode)} times orjson"),
    ]
    for number in (100, 1_000, 10_000):
        content = request(number, 0, twitching=True)
        cost = _cpu(ours, lambda content=content: ours.post(content), max(5, 20_000 // number))  # type: ignore[misc]
        rows.append(
            (
                f"ours, answered, {number:,} observations, {len(content) / 1_000_000:.1f} MB",
                f"{cost:.1f}",
                f"{cost / number * 1000:.1f} µs each, {cost / len(content) * 1_000_000:.1f} ms per MB",
            )
        )
    return rows


def _crowd_rows(floor: Server, ours: Server, folder: Path, options: Options) -> Rows:
    """The client runs on the same machine: with two cores, two workers must share them with it."""
    body, numbers = request(), count(1)
    with _ours(folder, "--workers", "2") as two:
        two.wait(body)
        crowd(two.port, CALL, body, options.seconds)
        found: dict[str, list[tuple[float, list[float]]]] = {
            "floor": [],
            "ours, one worker": [],
            "ours, two workers": [],
        }
        while next(numbers) <= min(3, options.rounds):
            for name, server in zip(found, (floor, ours, two), strict=True):
                found[name].append(crowd(server.port, CALL, body, options.seconds))
    rows: Rows = []
    for name, series in found.items():
        rate, times = sorted(series, key=lambda one: one[0])[len(series) // 2]
        p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
        rows.append((name, f"{rate:.0f}", f"{p50:.1f} / {p99:.1f} ms"))
    return rows


def _memory_rows(ours: Server, options: Options) -> Rows:
    body = request()
    ours.connection.close()
    for _ in range(500):
        ours.post(body)
    before = ours.memory()
    for _ in range(options.memory_calls):
        ours.post(body)
    return [
        ("memory", f"{before:.1f} MB"),
        (f"after {options.memory_calls:,} more calls", f"{ours.memory():.1f} MB"),
    ]


if __name__ == "__main__":
    main()
