"""An INSERT that can say what happens to rows already there, which each kind of database says in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Dialect, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    """For this database. Only its own dialect is imported: PostgreSQL's is a twentieth of the start."""
    if dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)
