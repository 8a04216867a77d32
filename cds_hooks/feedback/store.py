"""Keeping what users did with the cards: what it was about, never whom."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from cds_hooks.advice_id import TEST, TOPIC, by_tag, subject_of
from cds_hooks.card_kit import CardKit
from cds_hooks.feedback.message import Outcome
from cds_hooks.storage.database import Database
from cds_hooks.storage.insert import insert
from cds_hooks.storage.tables import accepted_suggestion, feedback

Also = Callable[[AsyncConnection, Sequence[Outcome]], Awaitable[None]]


class Stored(NamedTuple):
    """One outcome that was not known before. `topic` is empty for a card that is not ours."""

    topic: str
    outcome: str
    reason_code: str


def subjects(kit: CardKit) -> Mapping[str, str]:
    """Everything that an identifier of a card or suggestion can be about."""
    topics = (f"{TOPIC}{source.topic.code}" for source in kit.sources.values())
    return by_tag([*topics, *(f"{TEST}{test}" for test in kit.orders)])


async def save(
    database: Database,
    service: str,
    outcomes: Iterable[Outcome],
    received_at: datetime,
    known: Mapping[str, str],
    also: Also | None = None,
) -> list[Stored]:
    """Store what is new, all of it or nothing; the same outcome sent again is not. `known` is from `subjects`.

    `also` does more with what is new, in the same transaction. Returns what was new, after the commit. Raises
    StorageError.
    """
    rows: dict[str, dict[str, Any]] = {}
    by_key: dict[str, Outcome] = {}
    accepted: list[dict[str, Any]] = []
    for one in outcomes:
        key = _digest(one.card, one.outcome, one.at.isoformat(), *sorted(map(_plain, one.suggestions)))
        if key in rows:
            continue
        by_key[key] = one
        rows[key] = {
            "key": key,
            "service": service,
            "card": _digest(one.card),
            "topic": _about(one.card, TOPIC, known),
            "outcome": one.outcome,
            "reason_system": one.reason.system,
            "reason_code": one.reason.code,
            "commented": one.commented,
            "outcome_at": one.at,
            "received_at": received_at,
        }
        tests = [_about(suggestion, TEST, known) for suggestion in dict.fromkeys(one.suggestions)]
        accepted += [
            {"feedback": key, "position": position, "test": test} for position, test in enumerate(tests)
        ]
    if not rows:
        return []
    async with database.transaction() as connection:
        # In one order everywhere: two processes with the same rows then wait for each other instead of deadlocking.
        new = set(
            await connection.scalars(
                insert(connection.dialect, feedback).on_conflict_do_nothing().returning(feedback.c.key),
                [rows[key] for key in sorted(rows)],
            )
        )
        if fresh := [row for row in accepted if row["feedback"] in new]:
            await connection.execute(
                insert(connection.dialect, accepted_suggestion).on_conflict_do_nothing(), fresh
            )
        if also:
            await also(connection, [one for key, one in by_key.items() if key in new])
    return [
        Stored(row["topic"], row["outcome"], row["reason_code"]) for key, row in rows.items() if key in new
    ]


def _about(identifier: str, kind: str, known: Mapping[str, str]) -> str:
    """The topic or test, by its own name; empty if the identifier is not ours or of the other kind."""
    subject = subject_of(identifier, known)
    return subject.removeprefix(kind) if subject.startswith(kind) else ""


def _digest(*parts: str) -> str:
    """What stands for an identifier: whatever a client sends as one, it cannot be read from the database."""
    return hashlib.sha256("\x1f".join(map(_plain, parts)).encode()).hexdigest()[:32]


def _plain(identifier: str) -> str:
    """UUIDs are the same in upper and lower case (RFC 9562, section 4)."""
    return identifier.strip().lower()
