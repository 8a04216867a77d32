"""Whether the garbage collector shows: the same calls in one process with it, set as the service sets it, and without."""

from __future__ import annotations

import gc
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks.body import request
from cds_hooks.app import GC_THRESHOLDS
from cds_hooks.calls import answer
from cds_hooks.card_kit import card_kit
from cds_hooks.services import SERVICE_BY_ID
from mappings.knowledge import load_knowledge


def collector_rows(calls: int) -> list[tuple[str, str]]:
    """How often it ran, how long at most, and the 99th percentile of a call with and without it."""
    rules, body, today = load_knowledge(), request(), datetime.now(UTC).date()
    kit, service = card_kit(rules), SERVICE_BY_ID["twitching-patient-view"]
    pauses: list[float] = []
    began = 0.0

    def watch(phase: str, _: dict[str, Any]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        else:
            pauses.append((time.perf_counter() - began) * 1000)

    def percentile() -> float:
        times = []
        for _ in range(calls):
            start = time.perf_counter()
            answer(service, body, rules, today, kit)
            times.append((time.perf_counter() - start) * 1000)
        return sorted(times)[int(calls * 0.99)]

    percentile()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.callbacks.append(watch)
    with_it = percentile()
    gc.callbacks.remove(watch)
    gc.disable()
    without = percentile()
    gc.enable()
    return [
        (
            f"garbage collections in {calls:,} calls",
            f"{len(pauses)}, the longest {max(pauses, default=0.0):.2f} ms",
        ),
        (
            "99th percentile of a call in one process, with and without the collector",
            f"{with_it:.2f} and {without:.2f} ms",
        ),
    ]
