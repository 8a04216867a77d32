"""Runs the checks, all at once, and lets none of them stop the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date

from cds_hooks.doctor.check import Case, Check
from cds_hooks.doctor.checks import CHECKS, ON_A_TOKEN
from cds_hooks.doctor.finding import Examined, failed, warning
from cds_hooks.doctor.knowledge_check import installed_rules
from cds_hooks.http import origin

SECONDS = 30.0
"""How long a check may take; each of its own waits is shorter."""


async def examine(case: Case, done: Callable[[str], None] = lambda _: None) -> list[Examined]:
    """Everything that is found, check by check; `done` is told the name of each check that has ended."""
    checks = {**CHECKS, **(ON_A_TOKEN if case.token is not None else {})}
    return list(await asyncio.gather(*(_one(name, check, case, done) for name, check in checks.items())))


async def _one(name: str, check: Check, case: Case, done: Callable[[str], None]) -> Examined:
    try:
        findings = await asyncio.wait_for(check(case), SECONDS)
    except TimeoutError:
        findings = [warning(f"not known: it did not end within {SECONDS:g} seconds", "Try again.")]
    except Exception as error:  # noqa: BLE001 - the other findings are wanted all the more
        place = f"{type(error).__name__} at {origin(error)}"
        findings = [failed(f"the check itself failed ({place})", "Report this as a defect.")]
    done(name)
    return Examined(name, tuple(findings))


def without_settings(problems: str, today: date) -> list[Examined]:
    """What can be said when the settings cannot be used: what is wrong with each, and the state of the rules."""
    fix = "Correct the settings file or the variable; docs/operations.md lists all settings."
    wrong = [failed(problem, fix) for problem in problems.splitlines()]
    rest = warning("everything else is not checked", "Correct the settings, then run this again.")
    return [Examined("settings", (*wrong, rest)), Examined("knowledge", tuple(installed_rules(today)))]
