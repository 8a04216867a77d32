# ruff: noqa: PLC0415, FBT002 - imports inside commands keep `--help` quick; options are typer's way of flags
"""The commands `twitching-cds replay` and `replay-example`: how often would the cards have fired?"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from cds_hooks.cli_options import Gate, MinCell, day_of, day_option, fail


def replay(  # noqa: PLR0913, PLR0917 - one parameter per option
    export: Annotated[
        Path, typer.Argument(metavar="EXPORT_DIR", help="Folder with *.ndjson, *.ndjson.gz or *.ndjson.zst.")
    ],
    out: Annotated[Path, typer.Option(metavar="REPORT_DIR", help="Where the report goes; made if needed.")],
    as_of: Annotated[date | None, day_option("The day of the export: ask as of this day, not today.")] = None,
    each_encounter: Annotated[
        bool, typer.Option("--each-encounter", help="Ask at the start of each encounter until then.")
    ] = False,
    monthly: Annotated[
        bool, typer.Option("--monthly", help="Ask at the end of each month until then (a year of them).")
    ] = False,
    since: Annotated[date | None, day_option("With one of the two above: not before this day.")] = None,
    knowledge: Annotated[
        str, typer.Option(metavar="RULES", help="Folder of rule files, or `shipped`.")
    ] = "shipped",
    config: Annotated[
        Path | None,
        typer.Option(metavar="SITE", help="Ask as a service with this site profile (YAML) would be asked."),
    ] = None,
    compare: Annotated[
        str,
        typer.Option(
            metavar="OTHER", help="Also ask with these rules or this site profile and say what changes."
        ),
    ] = "",
    gate: Gate = "documented",
    sample: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the patients, chosen by chance.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed chooses other patients.")] = 0,
    min_cell: MinCell = 11,
    patients: Annotated[
        bool,
        typer.Option(
            "--patients",
            help="Also list who was spoken of, in patients-PRIVATE.csv; not for anybody outside.",
        ),
    ] = False,
    engine: Annotated[
        Literal["local", "dask", "spark"], typer.Option(help="Where the work is done.")
    ] = "local",
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one per core.")] = 0,
    cluster: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Of a Dask scheduler or a Spark master that runs already.")
    ] = "",
    partitions: Annotated[int, typer.Option(min=0, help="Parts to work in; 0: by size.")] = 0,
    work: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Intermediate files (patient data); REPORT_DIR/.work by default."),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep the intermediate files, for another replay of the same export."),
    ] = False,
) -> None:
    """Say how often the cards would have fired.

    Asks the rules about every patient of a FHIR Bulk Data export and writes a report. Killed or stopped, the same command goes on where it was.
    """
    from cds_hooks.replay.command import Request, run

    if each_encounter and monthly:
        fail("Choose one of --each-encounter and --monthly.")
    if since and not (each_encounter or monthly):
        fail("--since goes with --monthly or --each-encounter; for one day give --as-of alone.")
    if cluster and engine == "local":
        fail("--cluster needs --engine dask or --engine spark.")
    if sample <= 0:
        fail("--sample must be more than 0, as in --sample 0.1 for a tenth.")
    day = day_of(as_of)
    if since and since > day:
        fail(f"--since {since} is after {day}, the last day.")
    code = run(
        Request(
            export=export,
            out=out,
            day=day,
            mode="each-encounter" if each_encounter else "monthly" if monthly else "as-of",
            since=since,
            rules=knowledge,
            config=str(config or ""),
            compare=compare,
            gate=gate,
            sample=sample,
            seed=seed,
            smallest=min_cell,
            rows=patients,
            engine=engine,
            workers=workers,
            cluster=cluster,
            partitions=partitions,
            work=work or out / ".work",
            keep=keep,
        )
    )
    raise typer.Exit(code)


def replay_example(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made if it is not there.")],
    patients: Annotated[int, typer.Option(min=1, help="How many to make up.")] = 1000,
    seed: Annotated[int, typer.Option(help="Another seed makes up others.")] = 1,
    export_only: Annotated[
        bool, typer.Option("--export-only", help="Write DIR/export and do not replay it.")
    ] = False,
) -> None:
    """Make up an export and replay it.

    The export is written to DIR/export, the report to DIR/report.
    """
    from cds_hooks.replay.command import Request, run
    from cds_hooks.replay.example import DAY, write_example

    try:
        lines = write_example(folder / "export", patients, seed)
    except OSError as error:
        fail(f"{folder}: cannot be written ({error.strerror}).")
    typer.echo(f"{lines:,} resources of {patients:,} made-up patients written to {folder / 'export'}")
    if not export_only:
        out = folder / "report"
        raise typer.Exit(
            run(Request(export=folder / "export", out=out, day=DAY, work=out / ".work", workers=1))
        )
