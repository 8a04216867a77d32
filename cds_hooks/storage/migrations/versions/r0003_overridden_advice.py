"""Which advice was overridden for which patient, by a keyed digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "overridden_advice",
        sa.Column(
            "patient", sa.String(11), nullable=False, comment="start of an HMAC with the site's secret"
        ),
        sa.Column("topic", sa.String(100), nullable=False),
        sa.Column(
            "situation", sa.BigInteger, nullable=False, comment="28 bits: how grave, and a digest of what"
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("patient", "topic", name="pk_overridden_advice"),
    )
    op.create_index("ix_overridden_advice_since", "overridden_advice", ["since"])
