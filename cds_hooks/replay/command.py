"""What the commands do: replay, write the report, print the summary; and the preview of changed rules."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path

import typer
from msgspec import Struct

from cds_hooks.replay.engines import EngineError, EngineName
from cds_hooks.replay.export import ExportError
from cds_hooks.replay.report import report
from cds_hooks.replay.run import Options, replay
from cds_hooks.replay.segments import DamagedError
from cds_hooks.replay.sides import Gate, Mode, sides_of
from cds_hooks.replay.summary import Summary
from cds_hooks.replay.tables import write_tables
from cds_hooks.replay.terminal import Bars, show
from cds_hooks.rule_sets import RuleSetError
from cds_hooks.site_profile.load import ProfileError
from mappings.knowledge import KnowledgeError

WRONG_INPUT = 2
BROKE_DOWN = 1


class Request(Struct, frozen=True, kw_only=True):
    """One command. `rules`, `config` and `compare` are as written: a folder, a version, `shipped`, or a profile's file."""

    export: Path
    out: Path
    work: Path
    day: date
    mode: Mode = "as-of"
    since: date | None = None
    rules: str = "shipped"
    config: str = ""
    compare: str = ""
    gate: Gate = "documented"
    sample: float = 1.0
    seed: int = 0
    smallest: int = 11
    rows: bool = False
    engine: EngineName = "local"
    workers: int = 0
    cluster: str = ""
    partitions: int = 0
    keep: bool = False


def run(request: Request) -> int:
    """Replay and write the report; the exit code. What is wrong is said on standard error."""
    try:
        request.out.mkdir(parents=True, exist_ok=True)
        summary = summarise(request)
        written = _write(summary, request.out)
        if not request.keep:
            shutil.rmtree(request.work)
    except (ExportError, RuleSetError, KnowledgeError, ProfileError) as error:
        typer.echo(str(error), err=True)
        return WRONG_INPUT
    except (EngineError, DamagedError) as error:
        typer.echo(str(error), err=True)
        return BROKE_DOWN
    except OSError as error:
        typer.echo(f"{error.filename or request.out}: {error.strerror or error}", err=True)
        return BROKE_DOWN
    show(summary, written)
    return 0


def _write(summary: Summary, out: Path) -> list[Path]:
    """All files of the report, put in their place when all are written: never a part of one report beside another's."""
    drafts = out / ".report"
    shutil.rmtree(drafts, ignore_errors=True)
    drafts.mkdir(mode=0o700)
    try:
        written = [*write_tables(summary, drafts), drafts / "report.html"]
        written[-1].write_text(report(summary), encoding="utf-8")
        return [path.replace(out / path.name) for path in written]
    finally:
        shutil.rmtree(drafts, ignore_errors=True)


def summarise(request: Request) -> Summary:
    """The replay itself.

    Raises ExportError, RuleSetError, KnowledgeError, ProfileError, EngineError, DamagedError, OSError.
    """
    options = Options(
        export=request.export,
        work=request.work,
        day=request.day,
        mode=request.mode,
        since=request.since,
        gate=request.gate,
        sides=sides_of(request.rules, request.config, request.compare),
        sample=request.sample,
        seed=request.seed,
        rows=request.rows,
        engine=request.engine,
        workers=request.workers,
        cluster=request.cluster,
        partitions=request.partitions,
    )
    with Bars() as bars:
        replayed = replay(options, bars)
    return Summary(replayed, request.smallest)


def preview(export: Path, before: str, after: str, day: date, smallest: int, gate: Gate) -> int:
    """Say at the terminal what other rules, or a site profile, would change in the population of an export; the exit code."""
    with tempfile.TemporaryDirectory(prefix="twitching-cds-") as folder:
        request = Request(
            export=export,
            out=Path(folder),
            work=Path(folder) / "work",
            day=day,
            rules=before,
            compare=after,
            smallest=smallest,
            gate=gate,
        )
        try:
            summary = summarise(request)
        except (ExportError, RuleSetError, KnowledgeError, ProfileError) as error:
            typer.echo(str(error), err=True)
            return WRONG_INPUT
        except (EngineError, DamagedError) as error:
            typer.echo(str(error), err=True)
            return BROKE_DOWN
        except OSError as error:
            typer.echo(f"{error.filename or folder}: {error.strerror or error}", err=True)
            return BROKE_DOWN
        show(summary, [])
    return 0
