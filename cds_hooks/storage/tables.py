"""The tables. A change here needs a migration of its own in `migrations/versions`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    String,
    Table,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

feedback = Table(
    "feedback",
    metadata,
    Column(
        "key", String(32), primary_key=True, comment="digest of card, outcome, time, accepted suggestions"
    ),
    Column("service", String(64), nullable=False),
    Column("card", String(32), nullable=False, comment="digest of the card's uuid"),
    Column("topic", String(100), nullable=False, comment="empty for a card that is not ours"),
    Column("outcome", String(10), nullable=False),
    Column("reason_system", String(200), nullable=False),
    Column("reason_code", String(64), nullable=False),
    Column("commented", Boolean, nullable=False, comment="whether the user wrote something; never what"),
    Column("outcome_at", DateTime(timezone=True), nullable=False, comment="UTC"),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="UTC"),
    Index(None, "outcome_at"),
)
"""One row per outcome that a client reported. Times are bound in UTC: SQLite keeps no zone."""

accepted_suggestion = Table(
    "accepted_suggestion",
    metadata,
    Column(
        "feedback",
        String(32),
        ForeignKey("feedback.key", ondelete="CASCADE"),
        primary_key=True,
        nullable=False,
    ),
    Column("position", SmallInteger, primary_key=True, autoincrement=False, nullable=False),
    Column("test", String(100), nullable=False, comment="empty for a suggestion that is not ours"),
)
"""The tests whose suggestions were accepted, in the order the client sent them."""

seen_token = Table(
    "seen_token",
    metadata,
    Column("key", String(64), primary_key=True, comment="digest of issuer and jti"),
    Column("until", BigInteger, nullable=False, comment="seconds since 1970"),
    Index(None, "until"),
)
"""The tokens that may not be used again, each until it has expired anyway."""

overridden_advice = Table(
    "overridden_advice",
    metadata,
    Column("patient", String(11), primary_key=True, comment="start of an HMAC with the site's secret"),
    Column("topic", String(100), primary_key=True),
    Column("situation", BigInteger, nullable=False, comment="28 bits: how grave, and a digest of what"),
    Column("since", DateTime(timezone=True), nullable=False, comment="UTC"),
    Index(None, "since"),
)
"""Advice that stays quiet for a patient; only where a site wants that. Rows are removed when their time is over."""
daily_count = Table(
    "daily_count",
    metadata,
    Column("day", Date, primary_key=True, comment="UTC"),
    Column("measure", String(16), primary_key=True, comment="calls, cards or gaps"),
    Column("service", String(64), primary_key=True),
    Column("kind", String(100), primary_key=True, comment="operation, topic, or reason of the gap"),
    Column("detail", String(100), primary_key=True, comment="result, indicator, or what is missing"),
    Column("n", BigInteger, nullable=False),
)
"""How much there was of what on each day. Every word in it is ours, none comes from a record or a caller."""

operator_session = Table(
    "operator_session",
    metadata,
    Column("key", String(64), primary_key=True, comment="digest of the cookie and the operator's key"),
    Column("until", BigInteger, nullable=False, comment="seconds since 1970"),
)
"""Who is signed in to the pages, each until then."""
