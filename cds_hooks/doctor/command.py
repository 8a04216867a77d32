"""The command `twitching-cds doctor`, without its option parser."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from cds_hooks.console import console
from cds_hooks.doctor.check import Case
from cds_hooks.doctor.checks import CHECKS
from cds_hooks.doctor.examine import examine, without_settings
from cds_hooks.doctor.finding import Examined, worst
from cds_hooks.doctor.report import as_json, show
from cds_hooks.monitoring.log_lines import log_to_standard_error
from cds_hooks.settings import SettingsError, load_settings

WELL, NOT_WELL = 0, 1
"""Exit codes: nothing failed (there may be warnings), something failed."""


def run_doctor(config: Path | None, token: bytes | None, *, json: bool) -> int:
    """Examine, print, and return the exit code."""
    log_to_standard_error("CRITICAL")  # the findings say what is wrong
    examined = _examined(config, token)
    if json:
        sys.stdout.buffer.write(as_json(examined) + b"\n")
    else:
        show(examined, console())
    return NOT_WELL if worst(entry.status for entry in examined) == "failed" else WELL


def _examined(config: Path | None, token: bytes | None) -> Sequence[Examined]:
    try:
        settings = load_settings(config)
    except SettingsError as error:
        return without_settings(str(error), datetime.now(UTC).date())
    beside = Console(stderr=True)
    progress = Progress(
        TextColumn("Examining"),
        BarColumn(20),
        TextColumn("{task.completed}/{task.total} {task.description}"),
        console=beside,
        transient=True,
        disable=not beside.is_terminal,
    )
    with progress:
        task = progress.add_task("", total=len(CHECKS) + (token is not None))
        return asyncio.run(
            examine(Case(settings, token), lambda name: progress.update(task, advance=1, description=name))
        )
