# ruff: noqa: PLC0415 - imports inside commands keep `--help` quick
"""The commands `twitching-cds config …`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from cds_hooks.cli_help import examples

PROBLEMS = 2
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
    as_of: Annotated[
        datetime | None,
        typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="Check reviews as of this day, not today."),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="EXPORT_DIR", help="Also say what changes for the patients of this export."),
    ] = None,
    export_day: Annotated[
        datetime | None,
        typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="The day of the export, if it is another."),
    ] = None,
    gate: Annotated[
        Literal["documented", "assume-twitching"],
        typer.Option(help="Whom to ask about: those with documented twitching, or as if everybody had it."),
    ] = "documented",
    min_cell: Annotated[int, typer.Option(min=0, help="Counts of fewer patients are withheld.")] = 11,
) -> None:
    """Print what a site profile changes and every problem in it; exit code 2 if there is one.

    With --replay also what it changes for a population before it goes live.
    """
    from datetime import date

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
        typer.echo("\n".join(error.problems), err=True)
        raise typer.Exit(PROBLEMS) from None
    if faults := list(order_faults(desk.kit.orders)):
        typer.echo("\n".join(faults), err=True)
        raise typer.Exit(PROBLEMS)
    typer.echo(
        f"{read.profile.name}: {profile.name}, version {read.version}; compared with a site that changes nothing:"
    )
    sections = differences(read.profile, desk, laid, knowledge)
    for heading, lines in sections.items():
        typer.echo("\n".join([f"\n{heading}", *(f"  {line}" for line in lines)]))
    if not sections:
        typer.echo("\nNothing is changed.")
    today = as_of.date() if as_of else date.today()  # noqa: DTZ011 - the local date is meant
    code = 0
    if replay is not None:
        from cds_hooks.replay.command import preview
        from cds_hooks.rule_sets import SHIPPED

        typer.echo()
        day = export_day.date() if export_day else today
        code = preview(replay, SHIPPED, str(profile), day, min_cell, gate)
    if late := list(overdue(laid, today)):
        typer.echo("\n".join(late), err=True)
        code = code or PROBLEMS
    raise typer.Exit(code)
