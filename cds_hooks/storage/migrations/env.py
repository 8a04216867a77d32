"""What Alembic runs: every step that is missing, over the connection (and in the transaction) of the caller."""

from __future__ import annotations

from alembic import context

from cds_hooks.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
