"""What became of cards, by the day on which their first feedback says something was done with them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, func, select

from cds_hooks.storage.database import Database
from cds_hooks.storage.tables import feedback


class OutcomesOfDay(NamedTuple):
    """How many cards of a topic were accepted, and how many overridden and never accepted. `day` is UTC's."""

    day: date
    topic: str
    accepted: int
    overridden: int


async def outcomes_by_day(database: Database, since: date) -> list[OutcomesOfDay]:
    """Cards with feedback since the beginning of a day, each once, oldest first. Raises StorageError."""
    cards = (
        select(
            feedback.c.topic,
            func.min(feedback.c.outcome_at).label("first"),
            func.max(case((feedback.c.outcome == "accepted", 1), else_=0)).label("accepted"),
        )
        .where(feedback.c.outcome_at >= datetime.combine(since, time(), UTC))
        .group_by(feedback.c.topic, feedback.c.card)
        .subquery("cards")
    )
    first: ColumnElement[datetime] = cards.c.first
    if database.engine.dialect.name == "postgresql":
        first = func.timezone("UTC", first)
    day = func.date(first)
    accepted = func.sum(cards.c.accepted)
    wanted = (
        select(day, cards.c.topic, accepted, func.count() - accepted)
        .group_by(day, cards.c.topic)
        .order_by(day, cards.c.topic)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(wanted)).all()
    return [OutcomesOfDay(_date(on), topic, int(yes), int(no)) for on, topic, yes, no in rows]


def _date(value: date | str) -> date:
    """SQLite has no dates, it gives text."""
    return date.fromisoformat(value) if isinstance(value, str) else value
