"""How many calls, cards and gaps there were on each day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "daily_count",
        sa.Column("day", sa.Date, nullable=False, comment="UTC"),
        sa.Column("measure", sa.String(16), nullable=False, comment="calls, cards or gaps"),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(100), nullable=False, comment="operation, topic, or reason of the gap"),
        sa.Column("detail", sa.String(100), nullable=False, comment="result, indicator, or what is missing"),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "measure", "service", "kind", "detail", name="pk_daily_count"),
    )
