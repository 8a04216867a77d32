"""Outcomes that clients reported, and the suggestions accepted with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "feedback",
        sa.Column("key", sa.String(32), comment="digest of card, outcome, time, accepted suggestions"),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("card", sa.String(32), nullable=False, comment="digest of the card's uuid"),
        sa.Column("topic", sa.String(100), nullable=False, comment="empty for a card that is not ours"),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("reason_system", sa.String(200), nullable=False),
        sa.Column("reason_code", sa.String(64), nullable=False),
        sa.Column(
            "commented", sa.Boolean, nullable=False, comment="whether the user wrote something; never what"
        ),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=False, comment="UTC"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("key", name="pk_feedback"),
    )
    op.create_index("ix_feedback_outcome_at", "feedback", ["outcome_at"])
    op.create_table(
        "accepted_suggestion",
        sa.Column("feedback", sa.String(32), nullable=False),
        sa.Column("position", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("test", sa.String(100), nullable=False, comment="empty for a suggestion that is not ours"),
        sa.PrimaryKeyConstraint("feedback", "position", name="pk_accepted_suggestion"),
        sa.ForeignKeyConstraint(
            ["feedback"],
            ["feedback.key"],
            name="fk_accepted_suggestion_feedback_feedback",
            ondelete="CASCADE",
        ),
    )
