# ruff: noqa: PLC0415 - imports inside commands keep `--help` quick
"""The commands `twitching-cds database …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cds_hooks.cli_help import examples
from cds_hooks.cli_options import fail

if TYPE_CHECKING:
    from cds_hooks.storage.database import Database

UNAVAILABLE = 4
"""Exit code for a database that does not answer."""
SETTING = "database_url (or TWITCHING_CDS_DATABASE_URL)"
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="Settings file (YAML).")]

database = typer.Typer(
    name="database",
    help="The database of feedback and used tokens.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@database.callback()
def _group() -> None:
    """Keep `upgrade` a command of a group, although it is the only one."""


@database.command(
    epilog=examples("database upgrade", "database upgrade --config site.yaml"),
)
def upgrade(config: Config = None) -> None:
    """Bring the tables up to date.

    The service also does this when it starts.
    """
    import asyncio

    from cds_hooks.storage.database import StorageError
    from cds_hooks.storage.migrate import HEAD

    opened = open_database(config)

    async def run() -> None:
        try:
            await opened.upgrade()
        finally:
            await opened.close()

    try:
        asyncio.run(run())
    except StorageError as error:
        unavailable(error)
    typer.echo(f"The database is up to date (revision {HEAD}).")


def open_database(config: Path | None) -> Database:
    """The database of the settings. Leaves with an explanation if they cannot be used."""
    from cds_hooks.monitoring.log_lines import log_to_standard_error
    from cds_hooks.settings import SettingsError, load_settings
    from cds_hooks.storage.database import Database, DatabaseUrlError

    log_to_standard_error("CRITICAL")  # the command itself says what is wrong
    try:
        found = Database(load_settings(config).database_url)
    except SettingsError as error:
        fail(str(error))
    except DatabaseUrlError as error:
        fail(f"{SETTING}: {error}")
    folder = Path(found.engine.url.database or "").parent
    if found.engine.dialect.name == "sqlite" and not folder.is_dir():
        fail(f"{SETTING}: there is no folder {folder}; make it, or name another file", UNAVAILABLE)
    return found


def unavailable(error: Exception) -> NoReturn:
    """Leave because the database does not answer."""
    fail(
        f"The database of `database_url` cannot be used ({error}); `twitching-cds doctor` says why.",
        UNAVAILABLE,
    )
