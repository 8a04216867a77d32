# ruff: noqa: PLC0415 - imports inside commands keep `--help` quick
"""The commands `twitching-cds knowledge …`: check the rules, read them, hand them on."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cds_hooks.cli_help import examples
from cds_hooks.cli_options import Gate, MinCell, ReplayDir, ReviewDay, day_of, day_option, fail

if TYPE_CHECKING:
    from mappings.knowledge import Knowledge

DEFECTS = 1

knowledge = typer.Typer(
    name="knowledge",
    help="The rules: check them, read them, export them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@knowledge.command(epilog=examples("knowledge check", "knowledge check my-rules --as-of 2027-12-01"))
def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Rule files; the shipped ones by default.")
    ] = None,
    vignettes: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Vignettes, one file per contributor; those of this source tree by default."
        ),
    ] = None,
    as_of: ReviewDay = None,
) -> None:
    """Name what is wrong with the rule files.

    One line each; exit code 1 if anything is.
    """
    from cds_hooks.service_request import OrderError, order_templates
    from cds_hooks.validation.strict_fhir import order_faults
    from mappings.knowledge import FOLDER, Knowledge, KnowledgeError
    from mappings.knowledge_check.check import check as defects_of

    place = folder or FOLDER
    for chosen in (place, vignettes):
        if chosen is not None and not chosen.is_dir():
            fail(f"{chosen}: is not a folder.")
    ours = FOLDER.parent / "tests" / "vignettes"
    try:
        rules = Knowledge(place)
        found = defects_of(
            rules, day_of(as_of), vignettes or (ours if folder is None and ours.is_dir() else None)
        )
        said = [f"{defect.where}: {defect.problem}" for defect in found]
        said = said or list(order_faults(order_templates(rules.orders)))
    except (KnowledgeError, OrderError) as error:
        typer.echo(str(error))
        raise typer.Exit(DEFECTS) from None
    if said:
        typer.echo("\n".join(said))
        raise typer.Exit(DEFECTS)
    typer.echo(
        f"{rules.version}: {len(rules.contributors)} contributors, {len(rules.orders)} tests, no defects."
    )


@knowledge.command(epilog=examples("knowledge show hypokalaemia", "knowledge show source-attributes"))
def show(
    identifier: Annotated[
        str,
        typer.Argument(metavar="ID", help="A rule, test, red flag, analyte, source, or `source-attributes`."),
    ],
) -> None:
    """Print one rule for a person.

    Its conditions, its limits, its sources, and when not to trust it.
    """
    from cds_hooks.console import console, trimmed
    from cds_hooks.knowledge_pages.pages import UnknownIdError, pages_of
    from cds_hooks.knowledge_pages.terminal import show as print_page

    try:
        pages = pages_of(identifier, _load())
    except UnknownIdError as error:
        fail(str(error))
    to = console()
    with trimmed(to):
        for number, page in enumerate(pages):
            if number:
                to.print()
            print_page(page, to)


@knowledge.command(epilog=examples("knowledge document > rules.md"))
def document() -> None:
    """Print all rules as one page of Markdown.

    Of the shipped rules that is docs/knowledge.md.
    """
    from cds_hooks.knowledge_pages.document import document as text_of

    sys.stdout.buffer.write(text_of(_load()).encode())


@knowledge.command(epilog=examples("knowledge export fhir-artifacts"))
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made if it is not there.")],
) -> None:
    """Write the rules as FHIR R4 artifacts.

    ValueSet, Questionnaire, PlanDefinition, ActivityDefinition, Library.
    """
    from cds_hooks.knowledge_pages.fhir_export import ArtifactError
    from cds_hooks.knowledge_pages.fhir_export import export as write

    try:
        count = write(_load(), folder)
    except OSError as error:
        fail(f"{folder}: cannot be written ({error.strerror}).")
    except ArtifactError as error:
        fail(str(error))
    typer.echo(f"{count} resources written to {folder}.")


@knowledge.command(epilog=examples("knowledge copy my-rules"))
def copy(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
) -> None:
    """Write the rule files to a folder, to change them."""
    from cds_hooks.rule_sets import RuleSetError, copy_rules

    try:
        count = copy_rules(folder)
    except RuleSetError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{folder}: cannot be written ({error.strerror}).")
    typer.echo(f"{count} files written to {folder}.")


@knowledge.command(
    epilog=examples(
        "knowledge diff shipped my-rules",
        "# and what that changes for the patients of an export",
        "knowledge diff shipped my-rules --replay export --as-of 2026-11-01",
    )
)
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Rules: a folder, `shipped`, or its version.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The other rules.")],
    replay: ReplayDir = None,
    as_of: Annotated[date | None, day_option("The day of the export, not today.")] = None,
    gate: Gate = "documented",
    min_cell: MinCell = 11,
) -> None:
    """Compare two rule sets, also on a population."""
    from cds_hooks.rule_sets import RuleSetError, differences, folder_of
    from mappings.knowledge import KnowledgeError, load_knowledge

    try:
        folders = [folder_of(name) for name in (before, after)]
        for folder in folders:
            load_knowledge(*([Path(folder)] if folder else []))
    except (RuleSetError, KnowledgeError) as error:
        fail(str(error))
    lines = list(differences(*folders))
    for line in lines:
        typer.echo(line)
    if not lines:
        typer.echo("The same rules.")
    if replay is not None:
        from cds_hooks.replay.command import preview

        raise typer.Exit(preview(replay, before, after, day_of(as_of), min_cell, gate))


def _load() -> Knowledge:
    from mappings.knowledge import KnowledgeError, load_knowledge

    try:
        return load_knowledge()
    except KnowledgeError as error:
        fail(f"The rules cannot be used: {error}")
