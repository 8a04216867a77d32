# ruff: noqa: PLC0415 - imports inside commands keep `--help` quick
"""The commands `twitching-cds feedback …`."""

from __future__ import annotations

import sys
from datetime import date
from typing import Annotated

import typer

from cds_hooks.cli_help import examples
from cds_hooks.cli_options import day_option
from cds_hooks.database_cli import Config, open_database, unavailable

feedback = typer.Typer(
    name="feedback",
    help="What users did with the cards.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@feedback.callback()
def _group() -> None:
    """Keep `report` a command of a group, although it is the only one."""


@feedback.command(
    epilog=examples(
        "feedback report",
        "feedback report --since 2026-11-01 --config site.yaml",
        "feedback report --json",
    )
)
def report(
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,  # noqa: FBT002 - typer's way of flags
    since: Annotated[date | None, day_option("Leave out what users did before this day (UTC).")] = None,
    config: Config = None,
) -> None:
    """Print what became of the cards.

    How often they were accepted and overridden, by topic and reason.
    """
    import asyncio

    from cds_hooks.feedback.report import Report, as_json, summarise
    from cds_hooks.storage.database import StorageError

    opened = open_database(config)

    async def run() -> Report:
        try:
            return await summarise(opened, since)
        finally:
            await opened.close()

    try:
        found = asyncio.run(run())
    except StorageError as error:
        unavailable(error)
    else:
        if json:
            sys.stdout.buffer.write(as_json(found) + b"\n")
        else:
            from cds_hooks.feedback.table import show

            show(found)
