"""What is kept of feedback: each outcome once, what it was about, and nothing that a client wrote."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from cds_hooks.advice_id import new_id
from cds_hooks.card_kit import card_kit
from cds_hooks.feedback.message import EPIC_CATEGORY, read_feedback
from cds_hooks.feedback.store import Stored, save, subjects
from cds_hooks.storage.database import Database
from cds_hooks.storage.tables import metadata
from mappings.knowledge import load_knowledge

CANARY = "canary-7f3a"
HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
Item = Callable[..., dict[str, Any]]
Keep = Callable[..., list[Stored]]
Using = Callable[[Callable[[Database], Any]], Any]


@pytest.fixture
def keep(using: Using, body: Callable[..., bytes]) -> Keep:
    """Stores one feedback call; what was new in it."""
    known = subjects(card_kit(load_knowledge()))

    def store(*items: dict[str, Any], service: str = "twitching-patient-view") -> list[Stored]:
        outcomes = read_feedback(body(*items))
        return using(lambda database: save(database, service, outcomes, NOW, known))

    return store


@pytest.fixture
def rows(using: Using) -> Callable[[str], list[dict[str, Any]]]:
    """Everything in a table."""

    async def everything(database: Database, table: str) -> list[dict[str, Any]]:
        async with database.reading() as connection:
            found = await connection.execute(select(metadata.tables[table]))
            return [dict(row) for row in found.mappings()]

    return lambda table: using(lambda database: everything(database, table))


def test_what_is_kept(
    keep: Keep, rows: Callable[[str], list[dict[str, Any]]], item: Item, reason: Item
) -> None:
    assert keep(item(**reason("wrong-time-workflow"))) == [
        Stored("twitching-tests", "overridden", "wrong-time-workflow")
    ]
    (row,) = rows("feedback")
    assert {name: value for name, value in row.items() if name not in ("key", "card")} == {
        "service": "twitching-patient-view",
        "topic": "twitching-tests",
        "outcome": "overridden",
        "reason_system": HL7,
        "reason_code": "wrong-time-workflow",
        "commented": False,
        "outcome_at": row["outcome_at"],
        "received_at": row["received_at"],
    }
    assert row["outcome_at"].replace(tzinfo=UTC) == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert row["received_at"].replace(tzinfo=UTC) == NOW


def test_accepted_suggestions_are_kept_by_their_test(
    keep: Keep, rows: Callable[[str], list[dict[str, Any]]], item: Item, accepted: Item
) -> None:
    fields = accepted("ecg", "magnesium")
    fields["acceptedSuggestions"] += [{"id": "not-ours"}, fields["acceptedSuggestions"][0]]
    keep(item(**fields))
    found = sorted(rows("accepted_suggestion"), key=lambda row: row["position"])
    assert [row["test"] for row in found] == ["ecg", "magnesium", ""]


class TestOnce:
    def test_the_same_feedback_again_is_nothing_new(
        self, keep: Keep, rows: Callable[[str], list[dict[str, Any]]], item: Item, accepted: Item
    ) -> None:
        sent = item(**accepted("ecg"))
        assert len(keep(sent)) == 1
        assert keep(sent) == []
        assert keep(sent, service="twitching-order-sign") == []
        assert (len(rows("feedback")), len(rows("accepted_suggestion"))) == (1, 1)

    def test_in_other_words_it_is_still_the_same(self, keep: Keep, item: Item, accepted: Item) -> None:
        fields = accepted("ecg", "magnesium")
        sent = item(**fields)
        turned = sent | {
            "card": sent["card"].upper(),
            "outcomeTimestamp": "2026-03-01T10:30:00.000+01:00",
            "acceptedSuggestions": fields["acceptedSuggestions"][::-1],
        }
        assert len(keep(sent, turned)) == 1
        assert keep(turned) == []

    def test_a_batch_that_was_stored_in_part_is_completed(self, keep: Keep, item: Item) -> None:
        batch = [item() for _ in range(5)]
        assert len(keep(*batch[:2])) == 2
        assert len(keep(*batch, batch[4])) == 3

    @pytest.mark.parametrize(
        "change",
        [
            {"outcomeTimestamp": "2026-03-01T09:30:01Z"},
            {"outcome": "accepted", "acceptedSuggestions": [{"id": "s"}]},
            {"card": "another"},
        ],
        ids=["time", "outcome", "card"],
    )
    def test_anything_else_is_another_outcome(self, keep: Keep, item: Item, change: dict[str, Any]) -> None:
        sent = item(card="one")
        assert len(keep(sent, sent | change)) == 2

    def test_other_suggestions_accepted_at_the_same_time_are_another_outcome(
        self, keep: Keep, item: Item, accepted: Item
    ) -> None:
        sent = item(**accepted("ecg"))
        assert len(keep(sent, sent | accepted("magnesium"))) == 2

    def test_the_same_batch_from_two_sides_at_once_is_stored_once(
        self, using: Using, body: Callable[..., bytes], item: Item, database_url: str
    ) -> None:
        """In opposite orders, so that careless locking would deadlock."""
        outcomes = read_feedback(body(*(item(outcomeTimestamp="2026-03-01T09:30:00Z") for _ in range(200))))

        async def both(database: Database) -> list[int]:
            other = Database(database_url)
            await database.upgrade()
            try:
                stored = await asyncio.gather(
                    save(database, "s", outcomes, NOW, {}), save(other, "s", outcomes[::-1], NOW, {})
                )
            finally:
                await other.close()
            return [len(new) for new in stored]

        assert sum(using(both)) == 200

    def test_a_large_batch_is_one_transaction(
        self, keep: Keep, rows: Callable[[str], list[dict[str, Any]]], item: Item, accepted: Item
    ) -> None:
        fields = accepted("ecg", "magnesium")
        assert len(keep(*(item(**fields) for _ in range(5000)))) == 5000
        assert len(rows("accepted_suggestion")) == 10_000


class TestNothingOfTheCaller:
    def test_no_text_of_a_client_is_in_the_database(self, keep: Keep, using: Using, item: Item) -> None:
        told = {
            "reason": {"code": f"{CANARY} said so", "system": f"{CANARY} system", "display": CANARY},
            "userComment": CANARY,
            "extension": {EPIC_CATEGORY: f"{CANARY} {CANARY}", CANARY: CANARY},
            CANARY: CANARY,
        }
        keep(
            item(card=CANARY, overrideReason=told, **{CANARY: CANARY}),
            item(card=CANARY, overrideReasons=[told, told]),
            item(card=CANARY, outcome="accepted", acceptedSuggestions=[{"id": CANARY, CANARY: CANARY}]),
        )

        async def everything(database: Database) -> str:
            found = []
            async with database.reading() as connection:
                for table in metadata.tables:
                    rows = await connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608 - our own tables
                    found += [[str(value) for value in row] for row in rows]
            return json.dumps(found)

        written = using(everything)
        assert written.count("overridden") == 1  # the second is the same outcome
        assert written.count("accepted") == 1
        assert CANARY not in written

    @pytest.mark.parametrize(
        ("card", "topic"),
        [
            (new_id("topic:twitching-red-flags"), "twitching-red-flags"),
            (new_id("topic:of another service"), ""),
            (new_id("test:magnesium"), ""),
            ("123456", ""),
        ],
        ids=["ours", "another service's", "a suggestion", "no uuid"],
    )
    def test_cards_that_are_not_ours_have_no_topic(
        self, keep: Keep, item: Item, card: str, topic: str
    ) -> None:
        assert keep(item(card=card)) == [Stored(topic, "overridden", "")]
