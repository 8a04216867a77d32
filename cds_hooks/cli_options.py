"""What several commands of the command line have in common: options, the day that is meant, how they fail."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

WRONG_INPUT = 2
"""Exit code for a file, option or setting that cannot be used."""


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"write a day as 2026-11-22, not {text!r}") from None


def day_option(explained: str) -> Any:
    """An option whose value is a day."""
    return typer.Option(metavar="DATE", parser=_day, help=explained)


Gate = Annotated[
    Literal["documented", "assume-twitching"],
    typer.Option(help="Whom to ask about: those with documented twitching, or as if everybody had it."),
]
MinCell = Annotated[int, typer.Option(min=0, help="Counts of fewer patients are withheld; 0: none.")]
ReplayDir = Annotated[
    Path | None,
    typer.Option(metavar="EXPORT_DIR", help="Also say what changes for the patients of this export."),
]
ReviewDay = Annotated[date | None, day_option("Check reviews as of this day, not today.")]


def day_of(given: date | None) -> date:
    """The day of an option, or today as this machine has it."""
    return given or date.today()  # noqa: DTZ011 - the local date is meant


def fail(message: str, code: int = WRONG_INPUT) -> NoReturn:
    """Say what is wrong on standard error and leave."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
