"""Counters of the alert burden, for Prometheus (GET /metrics); one scrape sees all workers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from cds_hooks.feedback.store import Stored
from cds_hooks.monitoring.call_record import CallRecord
from cds_hooks.monitoring.shared_counters import SHARED_FOLDER

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
T = TypeVar("T", Counter, Histogram)
disable_created_metrics()  # type: ignore[no-untyped-call]


class _Series(dict[tuple[str, ...], T], Generic[T]):
    """The series of one metric by their label values, each looked up in the library only once."""

    def __init__(self, metric: T) -> None:
        super().__init__()
        self.metric: T = metric

    def __missing__(self, labels: tuple[str, ...]) -> T:
        series = self[labels] = self.metric.labels(*labels)
        return series


class Metrics:
    """All that is counted. Every label has few values, all of them ours: none comes from a caller."""

    def __init__(self, reasons: Iterable[str] = ()) -> None:
        """`reasons`: the override reasons that cards offer; others are counted as `other`."""
        self._registry = CollectorRegistry()
        self._reasons = frozenset(reasons)
        make: dict[str, Any] = {"namespace": "twitching_cds", "registry": self._registry}
        self._calls = _Series(Counter("calls", "Calls answered", ("service", "operation", "status"), **make))
        self._seconds = _Series(
            Histogram("call_seconds", "Time to answer", ("service", "operation"), buckets=BUCKETS, **make)
        )
        self._cards = _Series(Counter("cards", "Cards sent", ("service", "topic", "indicator"), **make))
        self._gaps = _Series(Counter("gaps", "What could not be used", ("reason",), **make))
        self._feedback = _Series(
            Counter("feedback", "Outcomes of cards, each once", ("topic", "outcome", "reason"), **make)
        )
        self._withheld = _Series(
            Counter("withheld", "What the site keeps back", ("service", "what", "indicator", "why"), **make)
        )
        self._triggers = _Series(
            Counter("triggers", "Calls that name what set them off", ("service", "trigger"), **make)
        )
        if SHARED_FOLDER not in os.environ:
            ProcessCollector(registry=self._registry)

    def count_call(self, call: CallRecord, seconds: float) -> None:
        """Count one answered call."""
        self._calls[call.service, call.operation, str(call.status)].inc()
        self._seconds[call.service, call.operation].observe(seconds)
        for card in call.cards:
            self._cards[call.service, card.source.topic.code, card.indicator].inc()
        for gap in call.gaps:
            self._gaps[(gap.reason,)].inc()
        for one in call.withheld:
            self._withheld[call.service, one.what, one.indicator, one.why].inc()
        if call.trigger:
            self._triggers[call.service, call.trigger].inc()

    def count_feedback(self, stored: Iterable[Stored]) -> None:
        """Count outcomes that were not known before."""
        for one in stored:
            reason = one.reason_code if not one.reason_code or one.reason_code in self._reasons else "other"
            self._feedback[one.topic or "unknown", one.outcome, reason or "none"].inc()

    def page(self) -> bytes:
        """The counters in Prometheus' text format, of all workers."""
        registry = self._registry
        if SHARED_FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
