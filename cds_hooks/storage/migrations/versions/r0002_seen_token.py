"""Which tokens were used, so that none counts twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "seen_token",
        sa.Column("key", sa.String(64), nullable=False, comment="digest of issuer and jti"),
        sa.Column("until", sa.BigInteger, nullable=False, comment="seconds since 1970"),
        sa.PrimaryKeyConstraint("key", name="pk_seen_token"),
    )
    op.create_index("ix_seen_token_until", "seen_token", ["until"])
