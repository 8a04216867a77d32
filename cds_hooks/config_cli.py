# ruff: noqa: PLC0415 - imports inside commands keep `--help` quick
"""The commands `twitching-cds config …`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cds_hooks.cli_help import examples
from cds_hooks.cli_options import WRONG_INPUT, Gate, MinCell, ReplayDir, ReviewDay, day_of, day_option, fail

config = typer.Typer(
    name="config",
    help="The site profile.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@config.callback()
def _group() -> None:
    """Keep `check` a command of a group, although it is the only one."""


@config.command(
    epilog=examples(
        "config check deploy/sites/epic.yaml",
        "config check profile.yaml --as-of 2027-01-01",
        "# and what it changes for the patients of an export",
        "config check profile.yaml --replay export --export-day 2026-11-01",
    ),
)
def check(
    profile: Annotated[Path, typer.Argument(metavar="FILE", help="A site profile (YAML).")],
    as_of: ReviewDay = None,
    replay: ReplayDir = None,
    export_day: Annotated[date | None, day_option("The day of the export, if it is another.")] = None,
    gate: Gate = "documented",
    min_cell: MinCell = 11,
) -> None:
    """Say what a site profile changes.

    Or name every problem in it, with exit code 2. With --replay also say what it changes for a population before it goes
    live.
    """
    from pydantic import SecretStr

    from cds_hooks.site_profile.differences import differences, overdue
    from cds_hooks.site_profile.load import ProfileError, read_profile
    from cds_hooks.site_profile.tailor import tailor
    from cds_hooks.validation.strict_fhir import order_faults
    from mappings.knowledge import load_knowledge

    knowledge = load_knowledge()
    try:
        read = read_profile(profile)
        desk, laid = tailor(read, knowledge, secret=SecretStr("not used to check a file"))
    except ProfileError as error:
        fail("\n".join(error.problems))
    if faults := list(order_faults(desk.kit.orders)):
        fail("\n".join(faults))
    typer.echo(
        f"{read.profile.name}: {profile.name}, version {read.version}; compared with a site that changes nothing:"
    )
    sections = differences(read.profile, desk, laid, knowledge)
    for heading, lines in sections.items():
        typer.echo("\n".join([f"\n{heading}", *(f"  {line}" for line in lines)]))
    if not sections:
        typer.echo("\nNothing is changed.")
    code = 0
    if replay is not None:
        from cds_hooks.replay.command import preview
        from cds_hooks.rule_sets import SHIPPED

        typer.echo()
        code = preview(replay, SHIPPED, str(profile), day_of(export_day or as_of), min_cell, gate)
    if late := list(overdue(laid, day_of(as_of))):
        typer.echo("\n".join(late), err=True)
        code = code or WRONG_INPUT
    raise typer.Exit(code)
