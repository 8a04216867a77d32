"""`make soak`: hours of ordinary work with rolling restarts, and the long series of the tests in tests/reliability.

The parts: `fuzz` (hostile requests), `kills` (the process killed while it stores feedback), `refusals` (whether the time
of a refusal tells its reason), `load` (a mix of calls at half of capacity while workers are replaced). Each prints what
it found; `--write` puts it into docs/reliability.md. Ends with 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import load, refusals
from benchmarks.page import Table, replace_table

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reliability.md"
PARTS = ("fuzz", "kills", "refusals", "load")


def main() -> int:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30, help="of load")
    parser.add_argument(
        "--rate", type=float, default=0, help="calls per second; 0: half of what was measured first"
    )
    parser.add_argument("--restart-every", type=float, default=60, help="seconds between rolling restarts")
    parser.add_argument("--cases", type=int, default=40_000, help="hostile requests")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/reliability.md")
    options = parser.parse_args()
    failed = False
    for part in options.only.split(","):
        rows, well = _run(part, options)
        failed |= not well
        today = datetime.now(UTC).date().isoformat()
        table = Table(("", today), [*rows, ("outcome", "as it must be" if well else "**FAILED**")])
        print(f"{part}:\n{table.markdown()}\n", flush=True)
        if options.write:
            replace_table(PAGE, part, table)
    return int(failed)


def _run(part: str, options: argparse.Namespace) -> tuple[list[tuple[str, ...]], bool]:
    """The rows of one part, and whether it went well."""
    if part == "fuzz":
        return _tests(
            ["tests/reliability/test_hostile_calls.py", "tests/reliability/test_hostile_shapes.py"],
            CASES=options.cases,
        )
    if part == "kills":
        return _tests(["tests/cds_hooks/feedback/test_durability.py"], KILLS=options.kills)
    with tempfile.TemporaryDirectory() as folder:
        if part == "refusals":
            return asyncio.run(refusals.measure(Path(folder)))
        return asyncio.run(load.measure(Path(folder), options.minutes, options.rate, options.restart_every))


def _tests(files: list[str], **variables: int) -> tuple[list[tuple[str, ...]], bool]:
    """Run tests with these variables; a line that one of them prints with a colon is a row."""
    environment = os.environ | {name: str(value) for name, value in variables.items()}
    command = [sys.executable, "-m", "pytest", "-q", "-rP", "--show-capture=stdout", *files]
    finished = subprocess.run(  # noqa: S603 - our own tests
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    printed = re.findall(r"^([a-z][a-z -]+): (\d.*)$", finished.stdout, re.MULTILINE)
    if finished.returncode:
        print(finished.stdout[-4_000:], file=sys.stderr)
    last = finished.stdout.strip().splitlines()[-1].strip("= ")
    return [*printed, ("tests", last)], finished.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
