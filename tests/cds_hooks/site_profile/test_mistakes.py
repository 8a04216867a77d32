"""Every mistake in a profile is named, with its field and what to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cds_hooks.cli import app
from cds_hooks.services import SERVICE_BY_HOOK
from cds_hooks.site_profile.load import ProfileError

LIMIT = (
    "analyte: potassium, side: low, band: critical, value: 2.8, unit: mmol/L, source: Policy, approved_by: Head,"
    " reviewed: 2026-01-01, review_due: 2027-01-01"
)


def limit(old: str = "", new: str = "") -> str:
    return f"limits: [{{{LIMIT.replace(old, new) if old else LIMIT}}}]"


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        ("typo: 1", "typo: there is no such field; known are cards, fhir, gate, hooks"),
        (
            "hooks: {patient-veiw: off}",
            "hooks.patient-veiw: Input should be 'patient-view', 'encounter-start'",
        ),
        (
            f"hooks: {{{', '.join(f'{hook}: off' for hook in SERVICE_BY_HOOK)}}}",
            "hooks: every hook is off; leave one on",
        ),
        ("triggers: {open: off}", "triggers.open: "),
        ("language: xx", "language: there are no sentences in `xx`; there are: en"),
        ("prefetch_keys: {labs: [conditions]}", "prefetch_keys.labs: `conditions` is one of our own keys"),
        ("prefetch_keys: {labs: [x], orders: [x]}", "prefetch_keys.orders: `x` is given to `labs` already"),
        ("prefetch_keys: {labs: []}", "prefetch_keys.labs: "),
        ("fhir: {leave_out: [conditions]}", "fhir.leave_out: `conditions` is required"),
        ("fhir: {parameters: {Procedure: [date]}}", "fhir.parameters.Procedure: needs `patient`"),
        ("fhir: {parameters: {Observation: [patient]}}", "fhir.parameters.Observation: needs `category`"),
        ("fhir: {dates: closed}", "fhir.look_back_days: goes together with"),
        ("fhir: {look_back_days: 400}", "fhir.look_back_days: goes together with"),
        (
            "fhir: {dates: open, look_back_days: 90}",
            "fhir.look_back_days: Input should be greater than or equal to 365",
        ),
        ("fhir: {today_token: true}", "fhir.today_token: means nothing without `dates`"),
        (
            "fhir: {newest_first: true, parameters: {Observation: [patient, category]}}",
            "fhir.newest_first: needs `_sort` in `fhir.parameters.Observation`",
        ),
        (
            "orders: {codes: {magnesum: {system: urn:x, code: a, display: b}}}",
            "no test `magnesum`; did you mean magnesium?",
        ),
        (
            "orders: {codes: {ecg.x: {system: urn:x, code: a, display: b}}}",
            "no part `x` of `ecg`; it has no parts",
        ),
        (
            "orders: {codes: {ecg: {system: x, code: a, display: b}}}",
            "orders.codes.ecg.system: write the code system",
        ),
        ("orders: {codes: {ecg: {system: urn:x, code: a}}}", "orders.codes.ecg.display: is missing"),
        ("cards: {links: ['http://x.example']}", "cards.links.0: write an https URL"),
        ("cards: {max_detail: 10}", "cards.max_detail: "),
        (
            "cards: {override_codes: {x: {system: urn:x, code: a, display: b}}}",
            "cards.override_codes: no `x`",
        ),
        (
            "silent: {contributors: [hypokalemia]}",
            "silent.contributors: no `hypokalemia`; did you mean hypokalaemia",
        ),
        ("silent: true", "silent: write a mapping, as in `{name: value}`"),
        ("silent: {everything: perhaps}", "silent.everything: write `true` or `false`"),
        ("silent: {red_flags: [x]}", "silent.red_flags: no `x`; known are"),
        ("gate: {only_if_abnormal: [x]}", "gate.only_if_abnormal: no `x`; known are"),
        (
            "gate: {only_if_abnormal: [fasciculation]}",
            "gate.only_if_abnormal: no `fasciculation`; did you mean",
        ),
        ("quiet: {}", "quiet.days: is missing"),
        ("quiet: {days: 30, reasons: [x]}", "quiet.reasons: no `x`; known are"),
        ("quiet: {days: 30}\ncards: {override_reasons: false}", "quiet: needs `cards.override_reasons`"),
        (limit("potassium", "kalium"), "limits.0.analyte: no analyte `kalium`; did you mean"),
        (
            limit("critical", "deadly"),
            "limits.0.band: potassium has no `deadly` on the low side; it has reference",
        ),
        (limit("mmol/L", "g/L"), "limits.0.unit: potassium is not read in `g/L`; write one of mmol/L"),
        (limit("2.8", "280"), "limits.0.value: 280 mmol/L is no possible potassium"),
        (limit("2.8", "1.2"), "limits.0.value: 1.2 mmol/L is less than half or more than twice"),
        (limit("2.8", "3.1"), "limits: potassium: critical (3.1 mmol/L) must lie below moderate (3 mmol/L)"),
        (limit(", source: Policy"), "limits.0.source: is missing"),
        (limit(", approved_by: Head"), "limits.0.approved_by: is missing"),
        (limit("2027-01-01", "2025-01-01"), "limits.0.review_due: is before `reviewed`"),
        (f"limits: [{{{LIMIT}}}, {{{LIMIT}}}]", "limits.1: an earlier entry states the same limit"),
        (
            "hooks: {order-sign: off}\nhooks: {}",
            "profile.yaml: line 3: not valid YAML: the key `hooks` is given twice",
        ),
        ("a: [", "profile.yaml: line"),
    ],
)
def test_a_mistake_is_named(site: Callable[..., object], profile: str, problem: str) -> None:
    with pytest.raises(ProfileError) as caught:
        site(profile)
    assert problem in str(caught.value)


def test_all_mistakes_are_named_at_once(site: Callable[..., object]) -> None:
    with pytest.raises(ProfileError) as caught:
        site("silent: {red_flags: [x]}\ngate: {only_if_abnormal: [y]}\n" + limit("mmol/L", "g/L"))
    assert len(caught.value.problems) == 3


def test_quiet_advice_needs_a_secret(tmp_path: Path) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text("name: X\nquiet: {days: 30}\n", encoding="utf-8")
    started = CliRunner().invoke(app, ["serve", "--port", "1"], env={"TWITCHING_CDS_SITE": str(profile)})
    assert started.exit_code == 2
    assert "TWITCHING_CDS_SITE_SECRET" in started.output


def test_the_service_does_not_start_with_a_profile_it_cannot_use(tmp_path: Path) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text("name: X\nhooks: {x: off}\n", encoding="utf-8")
    started = CliRunner().invoke(app, ["serve", "--port", "1"], env={"TWITCHING_CDS_SITE": str(profile)})
    assert started.exit_code == 2
    assert "hooks.x: Input should be" in started.output
