"""`twitching-cds knowledge`: check, show, document, export."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from typer.testing import CliRunner, Result

from cds_hooks.cli import app
from cds_hooks.knowledge_pages import fhir_export
from cds_hooks.knowledge_pages.fhir_export import ArtifactError, artifacts
from cds_hooks.knowledge_pages.pages import known_ids
from cds_hooks.knowledge_pages.publication import publication
from cds_hooks.services import SERVICES
from mappings import knowledge
from mappings.from_fhir.questionnaire import QUESTIONNAIRE
from mappings.knowledge import KnowledgeError, load_knowledge

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "400")

    def start(*arguments: str) -> Result:
        result = CliRunner().invoke(app, ["knowledge", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return start


def test_the_shipped_rules_have_no_defects(run: Run, root: Path) -> None:
    released = load_knowledge().release.date.isoformat()
    checked = run("check", "--as-of", released, "--vignettes", str(root / "tests" / "vignettes"))
    assert checked.output == (
        f"{load_knowledge().version}: {len(load_knowledge().contributors)} contributors, "
        f"{len(load_knowledge().orders)} tests, no defects.\n"
    )
    assert run("check", "--as-of", released).exit_code == 0


def test_no_rule_is_overdue_for_review() -> None:
    """Fails on the day the first review is due: review the rules, do not move the date."""
    known = load_knowledge()
    groups = (known.contributors, known.red_flags, known.orders, known.analytes, known.spurious, known.notes)
    due = min(rule.review.due for group in groups for rule in group.values())
    assert due >= date.today(), f"rules were due for review on {due}"  # noqa: DTZ011


def test_a_rule_is_shown_with_all_a_reviewer_needs(run: Run) -> None:
    shown = " ".join(run("show", "hypokalaemia").stdout.split())
    for words in (
        "Low potassium (hypokalaemia)",
        "plausible",
        "C1: potassium is low (moderate)",
        "critical at most 2.5 mmol/L",
        "C14: StatPearls Hypokalemia, https://",
        "haemolysed specimen",
        "Popular lists put it first",
        "version 1 of ",
        "not yet reviewed by a clinician",
    ):
        assert words in shown


def test_an_id_of_several_things_shows_all_of_them(run: Run) -> None:
    shown = run("show", "potassium").stdout
    assert "Serum potassium (potassium)" in shown
    assert "\npotassium (potassium)" in shown


@pytest.mark.parametrize("identifier", known_ids(load_knowledge()))
def test_every_id_can_be_shown(identifier: str, run: Run) -> None:
    shown = run("show", identifier)
    assert shown.exit_code == 0
    assert f"({identifier})" in shown.stdout
    assert "{" not in shown.stdout.replace("{1.73_m2}", "")


def test_the_thirteen_source_attributes_are_shown(run: Run) -> None:
    shown = run("show", "source-attributes").stdout
    for number in range(1, 14):
        assert f" {number}. " in shown
    assert "Funding source of the technical implementation of the intervention: Not stated." in shown


def test_an_unknown_id_is_wrong_input_and_names_what_comes_close(run: Run) -> None:
    shown = run("show", "hypokalemia")
    assert shown.exit_code == 2
    assert "did you mean hypokalaemia" in shown.stderr
    assert run("show", "####").stderr.endswith("is called `####`\n")


def test_rules_that_cannot_be_used_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KnowledgeError("gate.yaml", "not valid YAML: line 1")

    monkeypatch.setattr(knowledge, "load_knowledge", broken)
    shown = run("show", "hypokalaemia")
    assert shown.exit_code == 2
    assert shown.stderr == "The rules cannot be used: gate.yaml: not valid YAML: line 1\n"


def test_the_document_is_printed(run: Run, root: Path) -> None:
    assert run("document").stdout == (root / "docs" / "knowledge.md").read_text(encoding="utf-8")


def test_the_export_is_valid_fhir_and_complete(run: Run, tmp_path: Path) -> None:
    exported = run("export", str(tmp_path / "new" / "folder"))
    assert exported.exit_code == 0, exported.output
    resources = {}
    for path in (tmp_path / "new" / "folder").iterdir():
        resource = json.loads(path.read_text(encoding="utf-8"))
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        resources[f"{resource['resourceType']}/{resource['id']}"] = resource
    assert exported.stdout.startswith(f"{len(resources)} resources")
    known = load_knowledge()
    plan = json.dumps(resources["PlanDefinition/twitching"])
    for rule in (*known.contributors.values(), *known.red_flags.values(), *known.spurious.values()):
        assert f'"{rule.id.replace(":", "-").replace("_", "-")}"' in plan
    for kind, name in definitions(plan):
        assert f"{kind}/{name}" in resources
    assert {f"ValueSet/drug-class-{name.replace('_', '-')}" for name in known.drug_classes} <= set(resources)
    library = resources["Library/twitching-cds"]
    assert len(library["extension"]) == 13
    assert {"contributors/hypokalaemia.yaml", "gate.yaml"} <= {item["title"] for item in library["content"]}


def definitions(plan: str) -> set[tuple[str, str]]:
    urls = [part.split('"')[0] for part in plan.split('"definitionCanonical": "')[1:]]
    assert urls
    return {(url.split("/")[-2], url.split("/")[-1]) for url in urls}


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return {f"{item['resourceType']}/{item['id']}": item for item in artifacts(load_knowledge())}


def test_the_questionnaire_is_the_one_whose_answers_are_read(found: dict[str, Any]) -> None:
    form = found["Questionnaire/twitching-history"]
    assert form["url"].endswith(QUESTIONNAIRE)
    assert [item["linkId"] for item in form["item"]] == list(load_knowledge().questions)
    assert [item["linkId"] for item in form["item"] if item["repeats"]] == ["locations"]


def test_a_test_that_is_never_suggested_is_exported_as_not_to_be_done(found: dict[str, Any]) -> None:
    assert found["ActivityDefinition/order-vgkc-ab"]["doNotPerform"] is True
    assert found["ActivityDefinition/order-magnesium"]["doNotPerform"] is False


def test_an_artifact_that_is_not_valid_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fhir_export, "library", lambda _: {"resourceType": "Library", "id": "x"})
    with pytest.raises(ArtifactError, match="Library/x is not valid FHIR R4"):
        list(artifacts(load_knowledge()))
    assert run("export", str(tmp_path)).exit_code == 2


def test_a_folder_that_cannot_be_written_is_wrong_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    exported = run("export", str(tmp_path / "file"))
    assert exported.exit_code == 2
    assert "cannot be written" in exported.stderr


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.id)
def test_each_service_publishes_its_intended_use_and_source_attributes(service: object) -> None:
    told = json.loads(publication(service, load_knowledge()))  # type: ignore[arg-type]
    assert told["service"] == service.id  # type: ignore[attr-defined]
    assert told["knowledgeVersion"] == load_knowledge().version
    assert [item["number"] for item in told["sourceAttributes"]] == list(range(1, 14))
    assert all(item["value"] for item in told["sourceAttributes"])
    assert set(told["intendedUse"]) == {"use", "users", "population", "notFor", "tested"}


def test_a_copy_that_changes_nothing_has_the_version_of_the_shipped_rules(tmp_path: Path) -> None:
    copied = CliRunner().invoke(app, ["knowledge", "copy", str(tmp_path / "rules")])
    assert copied.exit_code == 0
    assert load_knowledge(tmp_path / "rules").version == load_knowledge().version
    same = CliRunner().invoke(app, ["knowledge", "diff", "shipped", str(tmp_path / "rules")])
    assert same.stdout == "The same rules.\n"
