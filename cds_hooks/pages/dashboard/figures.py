"""Everything the dashboard shows, counted from what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row

from cds_hooks.card_kit import CardKit
from cds_hooks.feedback.by_day import OutcomesOfDay, outcomes_by_day
from cds_hooks.feedback.report import UNKNOWN, Report, summarise
from cds_hooks.knowledge_pages.wording import title_of
from cds_hooks.monitoring.daily_counts import OTHER
from cds_hooks.pages.dashboard.chart import Chart, chart
from cds_hooks.pages.dashboard.spans import Span
from cds_hooks.services import SERVICES
from cds_hooks.storage.daily_count import read_counts
from cds_hooks.storage.database import Database
from mappings.knowledge import Knowledge

RESULTS = {
    "cards": ("answered with cards", 1),
    "silent": ("nothing to say", 6),
    "refused": ("refused", 2),
    "failed": ("failed", 5),
    "gone": ("client went away", 3),
}
"""What became of calls: name and colour, in the order of the stack."""
INDICATORS = {"critical": ("critical", 12), "warning": ("warning", 11), "info": ("information", 10)}
OUTCOMES = {"accepted": ("accepted", 4), "overridden": ("overridden", 2)}

ENOUGH_CALLS = 100


class Gap(NamedTuple):
    """One kind of missing data: what, why, how often."""

    what: str
    reason: str
    n: int


class Figures(NamedTuple):
    """The dashboard's numbers. Rates are shares of 1, or None where there is nothing to divide."""

    span: Span
    calls: int
    cards: int
    critical: int
    failed: int
    charts: Mapping[str, Chart]
    topics: Sequence[tuple[str, Mapping[str, int], int]]
    """Topic, its cards by indicator, all of them."""
    services: Sequence[tuple[str, int, int]]
    """Service, its calls for cards, the cards it sent."""
    feedback: Report
    ordered: Sequence[tuple[str, int]]
    """Tests whose suggestions were accepted."""
    gaps: Sequence[Gap]

    @property
    def cards_per_hundred(self) -> float | None:
        """The alert burden; None before there were a hundred calls, of which a rate would say too much."""
        return 100 * self.cards / self.calls if self.calls >= ENOUGH_CALLS else None

    @property
    def answered(self) -> int:
        """Cards of this service with feedback; a client may also send what belongs to another."""
        return sum(topic.n for topic in self.feedback.topics if topic.topic != UNKNOWN)

    @property
    def accepted(self) -> int:
        """Those accepted at least in part."""
        return sum(topic.accepted for topic in self.feedback.topics if topic.topic != UNKNOWN)

    @property
    def acceptance(self) -> float | None:
        """Their share."""
        return self.accepted / self.answered if self.answered else None


async def read_figures(database: Database, span: Span, kit: CardKit, knowledge: Knowledge) -> Figures:
    """Count a span of days. Raises StorageError."""
    rows = [row for row in await read_counts(database, span.since) if row.day <= span.until]
    outcomes = await outcomes_by_day(database, span.since)
    report = await summarise(database, span.since)
    calls = [row for row in rows if row.measure == "calls" and row.kind == "cards"]
    cards = [row for row in rows if row.measure == "cards"]
    topics = {source.topic.code: source.topic.display for source in kit.sources.values()}
    return Figures(
        span=span,
        calls=_sum(calls),
        cards=_sum(cards),
        critical=_sum(row for row in cards if row.detail == "critical"),
        failed=_sum(row for row in calls if row.detail == "failed"),
        charts=_charts(span, calls, cards, outcomes, topics),
        topics=_by_topic(cards, topics),
        services=_by_service(calls, cards),
        feedback=report,
        ordered=[(_capital(title_of(test.test, knowledge)), test.n) for test in report.accepted_tests],
        gaps=_gaps(rows, kit, knowledge),
    )


def _charts(
    span: Span,
    calls: Sequence[Row[Any]],
    cards: Sequence[Row[Any]],
    outcomes: Sequence[OutcomesOfDay],
    topics: Mapping[str, str],
) -> Mapping[str, Chart]:
    step = span.step
    results = {key: named for key, named in RESULTS.items() if key in ("cards", "silent") or _has(calls, key)}
    colours = {key: (name, number) for number, (key, name) in enumerate(topics.items(), start=1)}
    of_feedback: Counter[tuple[date, str]] = Counter()
    for row in outcomes:
        day = min(row.day, span.until)  # the clock of a client may be ahead
        of_feedback[day, "accepted"] += row.accepted
        of_feedback[day, "overridden"] += row.overridden
    return {
        "calls": chart(
            "calls",
            "Calls",
            f"Calls for cards per {step}, by what became of them",
            span,
            _count(calls),
            results,
        ),
        "indicators": chart(
            "indicators", "Cards by indicator", f"Cards sent per {step}", span, _count(cards), INDICATORS
        ),
        "topics": chart(
            "topics", "Cards by topic", f"Cards sent per {step}", span, _count(cards, "kind"), colours
        ),
        "feedback": chart(
            "feedback",
            "Feedback",
            f"Cards with feedback per {step}; cards that nobody acted on send none",
            span,
            of_feedback,
            OUTCOMES,
        ),
    }


def _has(rows: Sequence[Row[Any]], detail: str) -> bool:
    return any(row.detail == detail for row in rows)


def _count(rows: Sequence[Row[Any]], name: str = "detail") -> Counter[tuple[date, str]]:
    counted: Counter[tuple[date, str]] = Counter()
    for row in rows:
        counted[row.day, getattr(row, name)] += row.n
    return counted


def _sum(rows: Any) -> int:
    return sum(int(row.n) for row in rows)


def _by_topic(
    cards: Sequence[Row[Any]], topics: Mapping[str, str]
) -> list[tuple[str, Mapping[str, int], int]]:
    found: dict[str, Counter[str]] = {}
    for row in cards:
        found.setdefault(row.kind, Counter())[row.detail] += row.n
    ordered = sorted(found.items(), key=lambda item: -item[1].total())
    return [(topics.get(code, code), counts, counts.total()) for code, counts in ordered]


def _by_service(calls: Sequence[Row[Any]], cards: Sequence[Row[Any]]) -> list[tuple[str, int, int]]:
    asked, sent = Counter[str](), Counter[str]()
    for row in calls:
        asked[row.service] += row.n
    for row in cards:
        sent[row.service] += row.n
    return [(service, n, sent[service]) for service, n in asked.most_common()]


def _gaps(rows: Sequence[Row[Any]], kit: CardKit, knowledge: Knowledge) -> list[Gap]:
    found = Counter[tuple[str, str]]()
    for row in rows:
        if row.measure == "gaps":
            found[row.detail, row.kind] += row.n
    reasons: Mapping[str, str] = {str(key): text for key, text in kit.wording.gap_reasons.items()}
    return [Gap(missing(what, knowledge), reasons.get(why, why), n) for (what, why), n in found.most_common()]


def missing(what: str, knowledge: Knowledge) -> str:
    """What a gap is about, as a reader calls it: an analyte by its title, resources by what they are asked for."""
    if what == OTHER:
        return "Findings and other facts"
    if what == knowledge.calcium.id:
        return knowledge.calcium.title
    asked = [p.says for service in SERVICES for p in service.prefetch.values() if p.resource_type == what]
    if asked:
        return f"{what} ({', '.join(dict.fromkeys(asked))})"
    return _capital(knowledge.analytes[what].title if what in knowledge.analytes else what)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
