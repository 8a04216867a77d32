"""What several commands of the command line have in common: options, the day that is meant, how they fail."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

WRONG_INPUT = 2
"""Exit code for a file, option or setting that cannot be used."""

Gate = Annotated[
    Literal["documented", "assume-twitching"],
    typer.Option(help="Whom to ask about: those with documented twitching, or as if everybody had it."),
]
MinCell = Annotated[int, typer.Option(min=0, help="Counts of fewer patients are withheld.")]
ReplayDir = Annotated[
    Path | None,
    typer.Option(metavar="EXPORT_DIR", help="Also say what changes for the patients of this export."),
]
ReviewDay = Annotated[
    datetime | None,
    typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="Check reviews as of this day, not today."),
]


def day_of(given: datetime | None) -> date:
    """The day of an option, or today as this machine has it."""
    return given.date() if given else date.today()  # noqa: DTZ011 - the local date is meant


def fail(message: str, code: int = WRONG_INPUT) -> NoReturn:
    """Say what is wrong on standard error and leave."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
