"""Whether the database can be used; nothing in it is changed, and a file that is not there is not made."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from cds_hooks.doctor.check import Case
from cds_hooks.doctor.finding import Finding, failed, ok, shown, warning
from cds_hooks.storage.database import DatabaseUrlError, create_engine
from cds_hooks.storage.migrate import HEAD, VERSIONS
from cds_hooks.storage.tables import seen_token

FIXES = {
    "InvalidPasswordError": "Correct the password in the URL.",
    "InvalidAuthorizationSpecificationError": "Correct the user in the URL, and pg_hba.conf on the server.",
    "InvalidCatalogNameError": "Create the database: createdb.",
    "ConnectionRefusedError": "Start the database server, and correct host and port in the URL.",
    "FileNotFoundError": "Correct the folder of the socket in the URL, and start the database server.",
    "gaierror": "Correct the host in the URL.",
    "TimeoutError": "See that the server runs and is not overloaded, and that no firewall is between.",
    "InsufficientPrivilegeError": "Let the account own the database, or grant it CREATE on the schema.",
    "ReadOnlySQLTransactionError": "Name the primary server, not a read-only copy.",
    "OperationalError": "See that the file and its folder may be written to, and that no other program holds it.",
    "DatabaseError": "The file is not a database, or damaged: restore a backup, or name another file.",
}
"""By the kind of the driver's error."""


async def database_check(case: Case) -> list[Finding]:
    """Connects, looks for missing migrations, makes a table and takes it back."""
    try:
        engine = create_engine(case.settings.database_url)
    except DatabaseUrlError as error:
        return [failed("`database_url` cannot be used", f"{error}.")]
    try:
        missing = _no_file(engine.url)
        return [missing] if missing else await _tried(engine)
    finally:
        await engine.dispose()


async def was_used(database_url: str, key: str) -> bool:
    """Whether the token of this digest was used; False as well if the database cannot tell."""
    try:
        engine = create_engine(database_url)
    except DatabaseUrlError:
        return False
    try:
        if _no_file(engine.url):
            return False
        async with engine.connect() as connection:
            await connection.execution_options(read=True)
            found = await connection.scalar(select(seen_token.c.key).where(seen_token.c.key == key))
            return found is not None
    except Exception:  # noqa: BLE001 - as in `_tried`
        return False
    finally:
        await engine.dispose()


def _no_file(url: URL) -> Finding | None:
    """About a SQLite file that does not exist yet."""
    if url.get_backend_name() != "sqlite" or Path(str(url.database)).exists():
        return None
    file = Path(str(url.database)).resolve()
    if not file.parent.is_dir():
        return failed(f"{name_of(url)}: there is no folder {file.parent}", "Make it, or name another.")
    if not os.access(file.parent, os.W_OK):
        return failed(f"{name_of(url)}: {file.parent} may not be written to", "Change its owner.")
    return ok(f"{name_of(url)}: not there yet, made at the first start")


async def _tried(engine: AsyncEngine) -> list[Finding]:
    name = name_of(engine.url)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(read=True)
            revision = await connection.run_sync(_revision)
        async with engine.connect() as connection:
            await connection.execute(text("CREATE TABLE twitching_cds_doctor (probe INTEGER)"))
            await connection.execute(text("INSERT INTO twitching_cds_doctor VALUES (1)"))
            await connection.rollback()
    except Exception as error:  # noqa: BLE001 - drivers raise what they like, and it may hold the URL
        kind = type(getattr(error, "orig", None) or error)
        kinds = [base.__name__ for base in (*_cause(error), *kind.__mro__)]
        fix = next((FIXES[name] for name in kinds if name in FIXES), "See the log of the database.")
        return [failed(f"{name} does not work ({kinds[0]})", fix)]
    return [ok(f"{name} can be read and written"), _migrations(revision)]


def _cause(error: BaseException) -> list[type[BaseException]]:
    """The kinds of the errors behind an error, the innermost first."""
    kinds: list[type[BaseException]] = []
    inner: BaseException | None = getattr(error, "orig", None) or error
    while inner is not None:
        kinds.insert(0, type(inner))
        inner = inner.__cause__
    return kinds


def _migrations(revision: str) -> Finding:
    if not revision:
        return ok("it is empty; its tables are made at the first start")
    if revision < HEAD:
        return warning(
            f"its tables are those of an older version (revision {shown(revision)}, not {HEAD})",
            "They are brought up to date at the next start, or with `twitching-cds database upgrade`.",
        )
    newer = " and a newer version's, which does no harm" if revision > HEAD else ""
    return ok(f"its tables are this version's (revision {HEAD}){newer}")


def _revision(connection: Connection) -> str:
    """The newest revision that the database has seen; empty if none."""
    if not inspect(connection).has_table(VERSIONS):
        return ""
    return str(connection.scalar(text(f"SELECT max(version_num) FROM {VERSIONS}")) or "")  # noqa: S608 - our own constant


def name_of(url: URL) -> str:
    """What a database may be called in public: no user, no password, no options."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {shown(Path(str(url.database)).resolve())}"
    return f"PostgreSQL database {shown(url.database)} at {shown(url.host or url.query.get('host', 'this machine'))}"
