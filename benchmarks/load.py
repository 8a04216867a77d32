"""A mix of calls at a steady rate while workers are replaced: errors seen by the client, memory, file descriptors."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import aiohttp

from benchmarks.hostile.good_calls import Call, good_calls
from benchmarks.server import Server

CALIBRATION_SECONDS = 5.0
CLIENTS = 8
SAMPLE_SECONDS = 2.0
WARM_SAMPLES = 10
"""A worker's memory is looked at after this many samples."""
MAX_GROWTH_MB = 2.0
MAX_MORE_FILES = 4
IDLE_SECONDS = 8.0
"""Longer than the service keeps a connection that nobody uses."""
OURS = ["-m", "cds_hooks.cli", "serve", "--port", "{port}", "--workers", "2"]
MALFORMED = b'{"hook": "patient-view", "context": {'


@dataclass
class Seen:
    """What the client saw, and what the kernel says of the processes."""

    statuses: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    memory: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    idle_files: list[int] = field(default_factory=list)
    restarts: int = 0


async def measure(
    folder: Path, minutes: float, rate: float, restart_every: float
) -> tuple[list[tuple[str, ...]], bool]:
    """The rows of the table, and whether no client saw an error and nothing grew."""
    calls = good_calls()
    url = f"sqlite:///{folder / 'service.sqlite3'}"
    environment = {"TWITCHING_CDS_DATABASE_URL": url, "TWITCHING_CDS_LOG_LEVEL": "WARNING"}
    with Server(OURS, calls[1].path, environment) as server:
        server.wait(json.dumps(calls[1].body).encode())
        while len(_children(server.process.pid)) < 2:  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.1)
        capacity = await _capacity(server.port, calls)
        rate = rate or capacity / 2
        seen = Seen()
        await asyncio.sleep(IDLE_SECONDS)
        seen.idle_files.append(_open_files(server.process.pid))
        await _load(server, calls, rate, minutes * 60, restart_every, seen)
        await asyncio.sleep(IDLE_SECONDS)
        seen.idle_files.append(_open_files(server.process.pid))
    return _rows(seen, capacity, rate, minutes)


async def _capacity(port: int, calls: list[Call]) -> float:
    """Answers per second to clients that wait for nothing."""
    seen, until = Seen(), time.perf_counter() + CALIBRATION_SECONDS
    async with _session(port) as session:

        async def client(seed: int) -> None:
            chance = Random(seed)  # noqa: S311 - which call
            while time.perf_counter() < until:
                await _one(session, calls, chance, seen)

        await asyncio.gather(*map(client, range(CLIENTS)))
    return len(seen.milliseconds) / CALIBRATION_SECONDS


async def _load(
    server: Server, calls: list[Call], rate: float, seconds: float, restart_every: float, seen: Seen
) -> None:
    """Send at a steady rate, whether or not answers come, and replace the workers now and then."""
    chance = Random(20261122)  # noqa: S311
    began = next_call = time.perf_counter()
    next_restart, next_sample = began + restart_every, began
    under_way: set[asyncio.Task[None]] = set()
    async with _session(server.port) as session:
        while (now := time.perf_counter()) < began + seconds:
            if now >= next_restart and now < began + seconds - 20:
                os.kill(server.process.pid, signal.SIGHUP)
                seen.restarts += 1
                next_restart += restart_every
            if now >= next_sample:
                _sample(server.process.pid, seen)
                next_sample += SAMPLE_SECONDS
            task = asyncio.create_task(_one(session, calls, chance, seen))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            next_call += 1 / rate
            await asyncio.sleep(max(0.0, next_call - time.perf_counter()))
        await asyncio.gather(*under_way)


async def _one(session: aiohttp.ClientSession, calls: list[Call], chance: Random, seen: Seen) -> None:
    """One call: mostly good ones; one in twenty malformed, one in ten on a connection of its own."""
    call, bad = chance.choice(calls), chance.random() < 0.05
    headers = {"Connection": "close"} if chance.random() < 0.1 else {}
    began = time.perf_counter()
    try:
        content = MALFORMED if bad else json.dumps(call.body).encode()
        async with session.post(call.path, data=content, headers=headers) as response:
            await response.read()
            expected = 400 if bad else 200
            if response.status == expected:
                seen.statuses["expected"] += 1
            else:
                seen.statuses[f"{_kind(call)}: status {response.status}"] += 1
    except (aiohttp.ClientError, OSError) as error:
        seen.statuses[f"{_kind(call)}: {type(error).__name__}"] += 1
    seen.milliseconds.append((time.perf_counter() - began) * 1000)


def _kind(call: Call) -> str:
    return "feedback" if call.path.endswith("/feedback") else "cards"


def _session(port: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=aiohttp.ClientTimeout(total=10))


def _children(pid: int) -> list[int]:
    """The workers of a supervisor."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(one) for one in listed if b"spawn_main" in _command(int(one))]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def _sample(supervisor: int, seen: Seen) -> None:
    for pid in (supervisor, *_children(supervisor)):
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        except OSError:
            continue
        seen.memory[pid] += [int(line.split()[1]) / 1024 for line in status.splitlines() if "VmRSS" in line]


def _open_files(supervisor: int) -> int:
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in (supervisor, *_children(supervisor)))


def _rows(seen: Seen, capacity: float, rate: float, minutes: float) -> tuple[list[tuple[str, ...]], bool]:
    """A worker that was about to end is left out of growth: its last samples are of its farewell."""
    errors = {what: number for what, number in seen.statuses.items() if what != "expected"}
    grown = [
        statistics.median(samples[-5:]) - statistics.median(samples[WARM_SAMPLES : WARM_SAMPLES + 5])
        for samples in seen.memory.values()
        if len(samples) > WARM_SAMPLES + 10
    ]
    before, after = seen.idle_files
    times = sorted(seen.milliseconds)
    largest = max(max(samples) for samples in seen.memory.values())
    rows: list[tuple[str, ...]] = [
        (
            "duration, rate",
            f"{minutes:g} minutes at {rate:.0f} calls/s (capacity measured: {capacity:.0f}/s)",
        ),
        ("calls", f"{len(times)}"),
        ("rolling restarts (SIGHUP, both workers)", f"{seen.restarts}"),
        ("errors seen by the client", f"{sum(errors.values())} {errors or ''}".strip()),
        (
            "p50, p99, slowest",
            ", ".join(f"{times[int(len(times) * q)]:.1f} ms" for q in (0.5, 0.99)) + f", {times[-1]:.0f} ms",
        ),
        ("workers seen", f"{len(seen.memory) - 1}"),
        ("largest memory of a process", f"{largest:.0f} MB"),
        ("largest growth of a warm process", f"{max(grown, default=0.0):+.1f} MB"),
        ("open files of all processes, idle, before and after", f"{before}, {after}"),
    ]
    return rows, not errors and max(grown, default=0.0) <= MAX_GROWTH_MB and after - before <= MAX_MORE_FILES
