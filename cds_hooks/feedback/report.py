"""How cards were received: acceptance and override rates by topic and reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import get_args

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select, true

from cds_hooks.card_wording import CardKind, card_wording, override_reasons
from cds_hooks.storage.database import Database
from cds_hooks.storage.tables import accepted_suggestion, feedback

UNKNOWN = "unknown"
"""The topic of cards that are not ours, and the test of such suggestions."""


class ReasonCount(Struct, frozen=True, rename="camel"):
    """How many overridden cards of a topic were given this reason; `rate` is their share of the overridden."""

    system: str
    code: str
    display: str
    n: int
    rate: float


class TopicCount(Struct, frozen=True, rename="camel"):
    """What became of the cards of one topic. `n` is the number of cards with feedback: each counts once."""

    topic: str
    display: str
    n: int
    accepted: int
    overridden: int
    acceptance_rate: float
    override_rate: float
    commented: int
    reasons: tuple[ReasonCount, ...]


class TestCount(Struct, frozen=True):
    """How many suggestions of this test were accepted."""

    test: str
    n: int


class Report(Struct, frozen=True, rename="camel"):
    """Cards with feedback since a day, or all of them. Cards that nobody acted on send no feedback."""

    since: date | None
    n: int
    topics: tuple[TopicCount, ...]
    accepted_tests: tuple[TestCount, ...]


def as_json(report: Report) -> bytes:
    """The report as JSON."""
    return msgspec.json.encode(report)


async def summarise(database: Database, since: date | None = None) -> Report:
    """Count what users did since the beginning of a day (UTC). Raises StorageError."""
    recent = feedback.c.outcome_at >= datetime.combine(since, time(), UTC) if since else true()
    cards = _cards(recent)
    async with database.reading() as connection:
        topics = (await connection.execute(_by_topic(cards))).all()
        reasons = (await connection.execute(_by_reason(cards, recent))).all()
        tests = (await connection.execute(_by_test(recent))).all()
    of_topic: dict[str, list[tuple[str, str, int]]] = {}
    for topic, system, code, n in reasons:
        of_topic.setdefault(topic, []).append((system, code, n))
    return Report(
        since=since,
        n=sum(row.n for row in topics),
        topics=tuple(
            _topic_count(row.topic, row.n, row.accepted, row.commented, of_topic.get(row.topic, ()))
            for row in topics
        ),
        accepted_tests=tuple(TestCount(test or UNKNOWN, n) for test, n in tests),
    )


def _cards(recent: ColumnElement[bool]) -> Subquery:
    """One row per card: accepted if any of its feedback says so, whatever else was done with it."""
    accepted = case((feedback.c.outcome == "accepted", 1), else_=0)
    commented = case((feedback.c.commented, 1), else_=0)
    return (
        select(
            feedback.c.topic,
            feedback.c.card,
            func.max(accepted).label("accepted"),
            func.max(commented).label("commented"),
        )
        .where(recent)
        .group_by(feedback.c.topic, feedback.c.card)
        .subquery("cards")
    )


def _by_topic(cards: Subquery) -> Select[str, int, int, int]:
    n = func.count()
    return (
        select(
            cards.c.topic,
            n.label("n"),
            func.sum(cards.c.accepted).label("accepted"),
            func.sum(cards.c.commented).label("commented"),
        )
        .group_by(cards.c.topic)
        .order_by(n.desc(), cards.c.topic)
    )


def _by_reason(cards: Subquery, recent: ColumnElement[bool]) -> Select[str, str, str, int]:
    """The cards that were overridden and never accepted, by each reason given."""
    n = func.count(feedback.c.card.distinct())
    same = and_(cards.c.card == feedback.c.card, cards.c.topic == feedback.c.topic)
    return (
        select(feedback.c.topic, feedback.c.reason_system, feedback.c.reason_code, n)
        .join(cards, same)
        .where(recent, cards.c.accepted == 0)
        .group_by(feedback.c.topic, feedback.c.reason_system, feedback.c.reason_code)
        .order_by(n.desc(), feedback.c.reason_system, feedback.c.reason_code)
    )


def _by_test(recent: ColumnElement[bool]) -> Select[str, int]:
    n = func.count()
    return (
        select(accepted_suggestion.c.test, n)
        .join(feedback, feedback.c.key == accepted_suggestion.c.feedback)
        .where(recent)
        .group_by(accepted_suggestion.c.test)
        .order_by(n.desc(), accepted_suggestion.c.test)
    )


def _topic_count(
    topic: str, n: int, accepted: int, commented: int, reasons: Iterable[tuple[str, str, int]]
) -> TopicCount:
    overridden = n - accepted
    shown = _displays()
    return TopicCount(
        topic=topic or UNKNOWN,
        display=_topics().get(topic, "Cards that this service did not send"),
        n=n,
        accepted=accepted,
        overridden=overridden,
        acceptance_rate=round(accepted / n, 4),
        override_rate=round(overridden / n, 4),
        commented=commented,
        reasons=tuple(
            ReasonCount(system, code, shown.get((system, code), ""), count, round(count / overridden, 4))
            for system, code, count in reasons
        ),
    )


def _topics() -> Mapping[str, str]:
    return {topic.code: topic.display for topic in card_wording().topics.values()}


def _displays() -> Mapping[tuple[str, str], str]:
    """What the reasons that our cards offer are called; some clients send a code without its system."""
    known = override_reasons()
    codings = [reason for kind in get_args(CardKind) for reason in known[kind]]
    return {(system, reason.code): reason.display for reason in codings for system in (reason.system, "")}
