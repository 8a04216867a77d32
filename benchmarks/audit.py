"""`make audit`: known vulnerabilities of what is locked, asked of the package index and of OSV.

Ends with 0 if every package was looked up and none is known to be vulnerable, 1 if one is, 2 if any could not be looked
up: not to have asked is no result.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
SERVICES = ("pypi", "osv")
CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 2
SECONDS = 120


class Audit(NamedTuple):
    """What one service said of one lock file. `problem`: why it said nothing."""

    vulnerable: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    audited: int = 0
    problem: str = ""


def read(report: str) -> Audit:
    """pip-audit's JSON, of which packages it could not look up are part. Raises ValueError, KeyError or TypeError."""
    packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    return Audit(
        tuple(
            f"{one['name']} {one['version']}: {', '.join(vulnerability['id'] for vulnerability in one['vulns'])}"
            for one in packages
            if one.get("vulns")
        ),
        tuple(one["name"] for one in packages if "skip_reason" in one),
        sum("skip_reason" not in one for one in packages),
    )


def ask(service: str, lock: str) -> Audit:
    """Have pip-audit look up every pin of a lock file."""
    command = ["pip_audit", "--requirement", lock, "--require-hashes", "--disable-pip", "--format", "json"]
    options = ["--vulnerability-service", service, "--progress-spinner", "off", "--timeout", "10"]
    try:
        finished = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", *command, *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return read(finished.stdout)
    except subprocess.TimeoutExpired:
        return Audit(problem=f"no answer within {SECONDS} seconds")
    except (ValueError, KeyError, TypeError):
        return Audit(problem="the service could not be reached")


def main() -> int:
    """Print one line per lock file and service."""
    worst = CLEAN
    for lock in LOCKS:
        asked = [ask(service, lock) for service in SERVICES]
        for service, one in zip(SERVICES, asked, strict=True):
            if one.problem or one.unknown:
                print(
                    f"{lock}, {service}: NOT AUDITED: {one.problem or f'{len(one.unknown)} packages are not known there'}"
                )
            else:
                print(
                    f"{lock}, {service}: {one.audited} packages looked up, {len(one.vulnerable)} vulnerable"
                )
            for line in one.vulnerable:
                print(f"  {line}")
        worst = max(worst, verdict(asked), key=(CLEAN, NOT_AUDITED, VULNERABLE).index)
    return worst


def verdict(asked: list[Audit]) -> int:
    """One service that knows all packages is enough; one that knows a vulnerability as well."""
    if any(one.vulnerable for one in asked):
        return VULNERABLE
    return CLEAN if any(one.audited and not one.unknown and not one.problem for one in asked) else NOT_AUDITED


if __name__ == "__main__":
    raise SystemExit(main())
