# ruff: noqa: PLC0415, FBT002 - imports inside commands keep `--help` quick; options are typer's way of flags
"""The command line `twitching-cds`. What a command needs is imported when it runs, so that `--help` is quick."""

from __future__ import annotations

import gc
import os
import sys
from codecs import BOM_UTF8
from datetime import date
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal

import typer

from cds_hooks.cli_help import examples
from cds_hooks.cli_options import WRONG_INPUT, day_of, day_option, fail
from cds_hooks.config_cli import config
from cds_hooks.database_cli import database
from cds_hooks.feedback_cli import feedback
from cds_hooks.knowledge_cli import knowledge
from cds_hooks.replay_cli import replay, replay_example

MISSING_DATA = 3
"""Exit code for data that is not enough to say anything."""

app = typer.Typer(
    name="twitching-cds",
    help="CDS Hooks service: likely contributors to a patient's muscle twitching, with the evidence for each.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=examples(
        "serve",
        "# then, from another terminal",
        "assess examples/low-potassium-on-a-thiazide/request.json",
        "doctor --config site.yaml",
        "# every command has its own help",
        "validate --help",
    ),
)
app.add_typer(knowledge)
app.add_typer(config)
app.add_typer(feedback)
app.add_typer(database)


def main() -> None:
    """Run the command line. What the terminal's encoding lacks is printed as an escape, not a crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's signature
    if wanted:
        import cds_hooks

        typer.echo(cds_hooks.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of every command."""


@app.command(
    epilog=examples(
        "serve",
        "serve --port 9000",
        "# for an EHR: several processes, behind a proxy that ends TLS, with registered clients",
        "serve --host 0.0.0.0 --workers 2 --config site.yaml",
    )
)
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8080,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings file (YAML); TWITCHING_CDS_CONFIG otherwise."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes.")] = 1,
) -> None:
    """Answer CDS Hooks calls over HTTP, until SIGTERM or Ctrl-C.

    Without settings it listens on this machine only and asks nobody who they are. Settings come from the file and from
    environment variables (TWITCHING_CDS_…), which win; docs/operations.md lists them.
    """
    if workers == 1:
        gc.disable()  # the application switches it on once everything is loaded
    from cds_hooks.addresses import is_loopback
    from cds_hooks.monitoring.shared_counters import shared_counters
    from cds_hooks.settings import CONFIG, SettingsError, load_settings

    try:
        settings = load_settings(config)
    except SettingsError as error:
        fail(str(error))
    if settings.trust.mode == "off" and not is_loopback(host):
        fail(
            f"Refusing to listen on {host}: trust is `off`, callers are not authenticated, so only a loopback address "
            "(127.0.0.1, ::1, localhost) is allowed. Set `trust: {mode: required, …}` in the settings file."
        )
    from cds_hooks.serving import run

    if config:
        os.environ[CONFIG] = str(config.resolve())  # the worker processes read it
    with shared_counters(workers):
        if problem := run(settings, host, port, workers):
            fail(problem)


@app.command(
    epilog=examples(
        "assess examples/low-potassium-on-a-thiazide/request.json",
        "# as of the day the example was made for, for a program",
        "assess examples/low-potassium-on-a-thiazide/request.json --as-of 2026-11-22 --json",
        "# from a pipe, without colour",
        "assess - < request.json",
    )
)
def assess(
    request: Annotated[
        Path, typer.Argument(metavar="REQUEST.json", help="A CDS Hooks request; `-` reads standard input.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the assessment as JSON.")] = False,
    as_of: Annotated[date | None, day_option("Assess as of this day, not today.")] = None,
) -> None:
    """Assess one request and print its cards with the reasons.

    Nothing is sent anywhere. Exit code 2 for a request that cannot be used, 3 if it lacks what is needed to say anything.
    """
    from cds_hooks.calls import evaluate
    from cds_hooks.errors import Refused
    from cds_hooks.explanation import explanation
    from cds_hooks.request import service_of
    from mappings.knowledge import KnowledgeError, load_knowledge

    body = _read(request).removeprefix(BOM_UTF8)
    try:
        service = service_of(body)
        call, assessment = evaluate(service, body, load_knowledge(), day_of(as_of))
    except Refused as refused:
        fail(
            "\n".join(problem.diagnostics for problem in refused.issues),
            MISSING_DATA if refused.status == 412 else WRONG_INPUT,
        )
    except KnowledgeError as error:
        fail(f"The rules cannot be used: {error}")
    if json:
        sys.stdout.buffer.write(explanation(service, call, assessment) + b"\n")
    else:
        from cds_hooks.card_kit import card_kit
        from cds_hooks.cards import build_cards
        from cds_hooks.terminal import show

        kit = card_kit(load_knowledge())
        show(assessment, kit, build_cards(assessment, call.context, kit))


def _read(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        fail(f"{path}: cannot be read ({error.strerror}).")


@app.command(
    epilog=examples(
        "validate response.json",
        "# what another service publishes, and the resources in the actions of its cards",
        "validate --kind discovery - < discovery.json",
        "validate --strict-fhir cards/*.json",
        "# for a program",
        "validate --json request.json response.json",
    )
)
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Documents; `-` reads standard input.")],
    kind: Annotated[
        Literal["discovery", "request", "response", "feedback"] | None,
        typer.Option(help="What the documents are; guessed otherwise."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON list of findings.")] = False,
    strict_fhir: Annotated[
        bool, typer.Option("--strict-fhir", help="Also check the resources of actions as FHIR R4B.")
    ] = False,
) -> None:
    """Check CDS Hooks documents of any service or client.

    Every finding names its requirement. The measure is CDS Hooks 2.0; what 1.x did otherwise and what 3.0-ballot adds is named as such. Exit code 1 if there
    are errors (SHALL), 2 if a file cannot be read; warnings (SHOULD) and information alone give 0.
    """
    from cds_hooks.validation.command import validate_files

    raise typer.Exit(validate_files(files, kind=kind, as_json=json, strict_fhir=strict_fhir))


@app.command(
    epilog=examples(
        "doctor",
        "doctor --config site.yaml",
        "# why is a token refused? A file with what follows `Authorization: Bearer`",
        "doctor --config site.yaml --token token.txt",
    )
)
def doctor(
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings file (YAML).")] = None,
    token: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also explain why this token would be refused; `-` reads it."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Examine this installation and say what to fix.

    Exit code 1 if anything does not work. It looks at settings, rules, database, client keys, the service's address, certificates, FHIR servers and the clock,
    as the service itself would from this machine. It changes nothing and prints no secret.
    """
    from cds_hooks.doctor.command import run_doctor

    raise typer.Exit(run_doctor(config, _read(token) if token else None, json=json))


app.command(
    epilog=examples(
        "replay export --out report --as-of 2026-11-01",
        "# with other rules beside the shipped ones, and a month at a time",
        "replay export --out report --compare my-rules --monthly",
        "replay export --out report --config site.yaml",
        "# on a Dask cluster that runs already",
        "replay export --out report --engine dask --cluster tcp://127.0.0.1:8786",
    )
)(replay)
app.command(epilog=examples("replay-example try", "replay-example try --patients 5000 --export-only"))(
    replay_example
)


if __name__ == "__main__":
    main()
