"""Bringing a database up to date, one process at a time."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

HEAD = "0005"
"""The newest revision that this version knows."""
VERSIONS = "alembic_version"
LOCK = 7_492_816_035
"""PostgreSQL advisory lock: an arbitrary number that is the same in every process of this service."""


def is_current(connection: Connection) -> bool:
    """Whether nothing is missing. A database that a newer version of this service has been at is fine: steps only add."""
    if not inspect(connection).has_table(VERSIONS):
        return False
    found = connection.scalar(text(f"SELECT max(version_num) FROM {VERSIONS}"))  # noqa: S608 - our own constant
    return found is not None and str(found) >= HEAD


def upgrade(connection: Connection) -> None:
    """Run the missing steps in the connection's transaction, after those of any other process that is at it."""
    if connection.dialect.name == "postgresql":  # SQLite's write transaction excludes other writers by itself
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if is_current(connection):
        return
    from alembic.command import upgrade as run  # noqa: PLC0415 - heavy, and seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "cds_hooks.storage:migrations")
    run(config, "head")
