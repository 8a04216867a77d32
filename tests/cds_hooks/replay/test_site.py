"""A replay with a site profile asks the service that this site would run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cds_hooks.cli import app
from cds_hooks.replay.run import Replayed
from cds_hooks.replay.sides import Side, sides_of
from cds_hooks.replay.summary import Summary
from cds_hooks.replay.suppress import withheld
from cds_hooks.rule_sets import copy_rules
from cds_hooks.site_profile.load import ProfileError

Json = dict[str, Any]
Told = Callable[..., Json]
Export = Callable[..., Path]
Twitching = Callable[..., list[Json]]
Result = Callable[..., Json]
LIMIT = """
limits:
  - {analyte: potassium, side: low, band: reference, value: 3.9, unit: mmol/L, source: Policy 12.3,
     approved_by: Head of biochemistry, reviewed: 2026-01-01, review_due: 2027-01-01}
"""
SILENT_RULE = "silent: {contributors: [hypokalaemia]}"
SILENT_SITE = "silent: {everything: true}"


def site(profile: str) -> Side:
    return Side("", f"name: Test\n{profile}\n".encode(), "site.yaml")


def with_site(profile: str) -> tuple[Side]:
    return (site(profile),)


@pytest.fixture
def low_potassium(export: Export, twitching: Twitching, result: Result) -> Path:
    return export(*twitching(), result("k", 2.9, "2026-10-20"))


def test_the_limits_of_the_site_count(
    told: Told, export: Export, twitching: Twitching, result: Result
) -> None:
    folder = export(*twitching(), result("k", 3.7, "2026-10-20"))
    assert "hypokalaemia" not in told(folder)["contributors"]
    assert told(folder, sides=with_site(LIMIT))["contributors"]["hypokalaemia"] == 1


def test_the_finding_of_a_silent_rule_is_counted_as_kept_back(told: Told, low_potassium: Path) -> None:
    summary = told(low_potassium, sides=with_site(SILENT_RULE))
    assert "hypokalaemia" not in summary["contributors"]
    assert summary["patientsWithCards"] == 1
    (kept,) = summary["keptBack"]["findings"]
    assert (kept["id"], kept["why"], kept["patients"]) == ("hypokalaemia", "silent-rule", 1)


def test_the_cards_of_a_silent_site_are_counted_as_kept_back_only(told: Told, low_potassium: Path) -> None:
    audible, silent = told(low_potassium), told(low_potassium, sides=with_site(SILENT_SITE))
    assert (silent["patientsWithCards"], silent["silent"]) == (0, {"mode-silent": 1})
    assert silent["keptBack"]["patients"] == 1
    kept = {(card["topic"], card["indicator"], card["why"]) for card in silent["keptBack"]["cards"]}
    assert kept == {(t, i, "silent-site") for t, found in audible["cards"].items() for i in found}
    assert set(audible["contributors"]) <= {finding["id"] for finding in silent["keptBack"]["findings"]}


def test_what_the_gate_of_the_site_keeps_back(told: Told, export: Export, twitching: Twitching) -> None:
    folder = export(*twitching(code={"text": "Eyelid myokymia"}))
    nothing = ["Observation", "MedicationRequest"]
    for type_ in nothing:
        (folder / f"{type_}.ndjson").write_text(
            json.dumps({"resourceType": type_, "id": "other", "subject": {"reference": "Patient/p2"}}) + "\n"
        )
    summary = told(folder, sides=with_site("gate: {only_if_abnormal: [eyelid_myokymia]}"))
    assert told(folder)["patientsWithCards"] == 1
    assert summary["patientsWithCards"] == 0
    assert {card["why"] for card in summary["keptBack"]["cards"]} == {"only-if-abnormal"}


def test_a_hook_that_is_off_keeps_every_card_back(told: Told, low_potassium: Path) -> None:
    summary = told(low_potassium, sides=with_site("hooks: {patient-view: off}"))
    assert (summary["hook"], summary["hookOff"], summary["patientsWithCards"]) == ("patient-view", True, 0)
    assert {card["why"] for card in summary["keptBack"]["cards"]} == {"hook-off"}


def test_without_a_hook_for_encounters_the_chart_is_opened(
    told: Told, export: Export, twitching: Twitching
) -> None:
    encounter = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2026-06-01", "end": "2026-06-01"},
    }
    profile = with_site("hooks: {encounter-start: off}")
    summary = told(export(*twitching(), encounter), mode="each-encounter", sides=profile)
    assert (summary["hook"], summary["patientsWithCards"]) == ("patient-view", 1)


def test_if_everybody_twitched_is_asked_of_a_site_without_that_hook(told: Told, low_potassium: Path) -> None:
    profile = with_site("hooks: {problem-list-item-create: off}")
    assert told(low_potassium, gate="assume-twitching", sides=profile)["patientsWithCards"] == 1


@pytest.mark.parametrize(
    ("left_out", "cards", "low"), [("labs", 1, False), ("examination", 0, False), ("history", 1, True)]
)
def test_observations_of_a_key_that_is_left_out_are_not_sent(
    told: Told,
    export: Export,
    twitching: Twitching,
    result: Result,
    left_out: str,
    cards: int,
    low: bool,
) -> None:
    """The twitching is documented by an examination only."""
    seen = result("f", 1, "2026-10-20") | {
        "category": [{"coding": [{"code": "exam"}]}],
        "code": {"text": "Fasciculation"},
        "valueBoolean": True,
    }
    del seen["valueQuantity"]
    record = export(*twitching(code={"text": "Hypertension"}), result("k", 2.9, "2026-10-20"), seen)
    summary = told(record, sides=with_site(f"fhir: {{leave_out: [{left_out}]}}"))
    assert summary["patientsWithCards"] == cards
    assert ("hypokalaemia" in summary["contributors"]) is low


def test_an_order_with_the_code_of_the_site_counts_as_ordered(
    told: Told, export: Export, twitching: Twitching
) -> None:
    order = {
        "resourceType": "ServiceRequest",
        "id": "o",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-10-30",
        "code": {"coding": [{"system": "urn:x", "code": "17"}]},
    }
    folder = export(*twitching(), order)
    profile = site('orders: {codes: {magnesium: {system: urn:x, code: "17", display: Mg}}}')
    summary = told(folder, sides=(Side(), profile))
    assert summary["tests"]["magnesium"] == {"suggested": 1}
    assert "suggested" not in summary["comparison"]["tests"]["magnesium"]


def test_the_profile_is_part_of_the_result_however_the_work_is_cut(
    run: Callable[..., Replayed], example: Path
) -> None:
    expected = run(example, sides=with_site(SILENT_RULE)).result_hash
    assert run(example, sides=with_site(SILENT_RULE), workers=2, partitions=7).result_hash == expected
    assert run(example, sides=with_site(SILENT_RULE + "  # reviewed")).result_hash != expected


def test_the_versions_of_both_profiles_are_told(run: Callable[..., Replayed], low_potassium: Path) -> None:
    sides = (site(SILENT_RULE), site(SILENT_SITE))
    told = Summary(run(low_potassium, sides=sides), 0).about()
    assert told["siteProfile"] != told["comparison"]["siteProfile"]
    assert Summary(run(low_potassium), 0).about()["siteProfile"] is None


def test_the_other_side_differs_in_what_was_named_only(tmp_path: Path) -> None:
    one, other, rules = tmp_path / "one.yaml", tmp_path / "other.yaml", tmp_path / "rules"
    one.write_text("name: One")
    other.write_text("name: Other")
    copy_rules(rules)
    first = Side("", b"name: One", "one.yaml")
    assert sides_of("shipped", str(one), "") == (first,)
    assert sides_of("shipped", "", str(one)) == (Side(), first)
    assert sides_of("shipped", str(one), str(other)) == (first, Side("", b"name: Other", "other.yaml"))
    assert sides_of("shipped", str(one), str(rules)) == (first, Side(str(rules), b"name: One", "one.yaml"))
    with pytest.raises(ProfileError, match="is what --config and --knowledge say already"):
        sides_of("shipped", str(one), "shipped")


@pytest.mark.parametrize(
    ("option", "content", "says"),
    [
        ("--config", None, "site.yaml: cannot be read"),
        ("--compare", None, "site.yaml: cannot be read"),
        ("--config", "name: X\ntypo: 1", "typo: there is no such field"),
        ("--compare", "name: X\nsilent: {contributors: [x]}", "silent.contributors: no `x`"),
    ],
)
def test_a_profile_that_cannot_be_used_is_wrong_input(
    low_potassium: Path, tmp_path: Path, option: str, content: str | None, says: str
) -> None:
    path = tmp_path / "site.yaml"
    if content:
        path.write_text(content)
    ran = CliRunner().invoke(
        app, ["replay", str(low_potassium), "--out", str(tmp_path / "out"), option, str(path)]
    )
    assert ran.exit_code == 2
    assert says in ran.stderr


def test_config_check_says_what_a_profile_changes_for_a_population(
    low_potassium: Path, tmp_path: Path
) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(f"name: Test\n{SILENT_RULE}\n")
    options = ["--replay", str(low_potassium), "--export-day", "2026-11-01", "--min-cell", "0"]
    ran = CliRunner().invoke(app, ["config", "check", str(path), *options])
    assert ran.exit_code == 0, ran.output
    said = " ".join(ran.stdout.split())
    assert "contributor removed: Low potassium 1" in said
    assert "kept back by the site, compared 1" in said


def test_what_is_kept_back_does_not_give_away_what_is_still_shown() -> None:
    """Of 53 findings 3 critical ones are still shown: 50 kept back would say so."""
    found = {
        ("0", "contributor", "x"): (53, 53),
        ("1", "contributor", "x"): (3, 3),
        ("1", "keptBackFinding", "x", "warning", "silent-rule"): (50, 50),
    }
    assert ("1", "keptBackFinding", "x", "warning", "silent-rule") in withheld(found, 100, 11)
