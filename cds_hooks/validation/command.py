"""The command `twitching-cds validate FILE…`, without its option parser."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from cds_hooks.validation.report import as_json as findings_as_json
from cds_hooks.validation.report import as_text
from cds_hooks.validation.validate import validate

NO_ERRORS, ERRORS, UNREADABLE = 0, 1, 2
"""Exit codes; a file that cannot be read outweighs errors in others."""


def validate_files(
    paths: Sequence[Path], *, kind: str | None, as_json: bool, strict_fhir: bool = False
) -> int:
    """Check files and print what was found: text per file, or one JSON array of findings.

    `-` reads standard input. Files that cannot be read are named on standard error; the others are still checked.
    Returns the exit code. Raises ValueError if `kind` is not one of `cds_hooks.validation.shapes.KINDS`.
    """
    code = NO_ERRORS
    reports = {}
    for path in dict.fromkeys(paths):
        try:
            content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        except OSError as error:
            _print(f"{path}: cannot be read ({error.strerror}).", sys.stderr)
            code = UNREADABLE
            continue
        report = validate(content, kind=kind, strict_fhir=strict_fhir)
        reports[str(path)] = report
        if report.count("error"):
            code = max(code, ERRORS)
        if not as_json:
            _print(as_text(str(path), report, colour=_coloured()), sys.stdout)
    if as_json:
        _print(findings_as_json(reports), sys.stdout)
    return code


def _coloured() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _print(text: str, stream: TextIO) -> None:
    """Print what the stream's encoding can, the rest as escapes."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
