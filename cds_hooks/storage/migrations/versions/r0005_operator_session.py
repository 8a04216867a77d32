"""Which operators are signed in to the pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "operator_session",
        sa.Column(
            "key", sa.String(64), nullable=False, comment="digest of the cookie and the operator's key"
        ),
        sa.Column("until", sa.BigInteger, nullable=False, comment="seconds since 1970"),
        sa.PrimaryKeyConstraint("key", name="pk_operator_session"),
    )
