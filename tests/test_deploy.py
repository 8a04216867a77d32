"""What the operations page and the container files promise is what the service does."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel
from typer.testing import CliRunner

from cds_hooks.cli import app
from cds_hooks.feedback.intake import RETRY_SECONDS
from cds_hooks.monitoring.metrics import Metrics
from cds_hooks.serving import DRAIN_SECONDS
from cds_hooks.settings import Settings, load_settings


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose(root: Path) -> Any:
    return yaml.safe_load((root / "deploy" / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def steps(root: Path) -> list[tuple[str, list[str]]]:
    """The instructions of the container file, each with its words."""
    text = (root / "deploy" / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split()[1:]) for line in lines]


class TestPage:
    def test_every_setting_is_there(self, page: str) -> None:
        for name, field in Settings.model_fields.items():
            assert f"`{name}`" in page or f"`{name}." in page, name
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                for member in set(kind.model_fields) - {"mode", "allow_public_test_keys"}:
                    assert f"`{name}.{member}`" in page, f"{name}.{member}"

    def test_every_name_in_the_table_is_a_setting(self, page: str) -> None:
        names = re.findall(r"TWITCHING_CDS_(\w+)", page)
        special = {"CONFIG", "FHIR_SERVERS", "ALLOW_PRIVATE_ADDRESSES"}
        assert {name.lower() for name in set(names) - special} <= set(Settings.model_fields)

    def test_the_defaults_are_those(self, page: str) -> None:
        for name in ("max_body_bytes", "body_seconds", "log_level"):
            row = next(line for line in page.splitlines() if line.startswith(f"| `{name}`"))
            default = Settings.model_fields[name].default
            written = f"{default:.0f}" if isinstance(default, float) else str(default)
            assert row.split("|")[3].strip(" `") == written

    def test_every_metric_is_there_with_its_labels(self, page: str) -> None:
        found = {
            family.name + ("_total" if family.type == "counter" else "")
            for family in text_string_to_metric_families(Metrics().page().decode())
            if family.name.startswith("twitching_cds_")
        }
        assert found == set(re.findall(r"`(twitching_cds_\w+)`", page))

    def test_times_and_codes_are_those(self, page: str) -> None:
        assert f"Retry-After: {RETRY_SECONDS}" in page
        assert f"up to {DRAIN_SECONDS} seconds" in page

    def test_the_line_of_the_log_is_one(self, page: str) -> None:
        (example,) = re.findall(r'^(\{"time".*\})$', page, re.MULTILINE)
        assert json.loads(example)["message"] == "call"

    @pytest.mark.parametrize("command", ["serve", "database upgrade", "feedback report"])
    def test_every_option_of_a_command_line_exists(self, page: str, command: str) -> None:
        lines = [
            shlex.split(line) for line in page.splitlines() if line.startswith(f"twitching-cds {command}")
        ]
        assert lines
        known = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"}).stdout
        for words in lines:
            assert [word for word in words if word.startswith("--") and word not in known] == []


class TestCompose:
    def test_the_service_runs_with_as_little_as_it_needs(self, compose: Any) -> None:
        service = compose["services"]["service"]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "user" not in service  # the image's own
        assert int(service["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS

    def test_only_this_machine_reaches_it(self, compose: Any) -> None:
        assert [
            port for port in compose["services"]["service"]["ports"] if not port.startswith("127.0.0.1:")
        ] == []
        assert "ports" not in compose["services"]["database"]

    def test_no_password_is_written_down(self, root: Path, compose: Any) -> None:
        text = (root / "deploy" / "compose.yaml").read_text(encoding="utf-8")
        assert compose["services"]["database"]["environment"]["POSTGRES_PASSWORD"].startswith("${")
        assert "${POSTGRES_PASSWORD:?set it}" in text

    def test_images_name_their_version(self, compose: Any) -> None:
        for name, service in compose["services"].items():
            assert "build" in service or re.search(r":\d", service["image"]), name

    def test_its_settings_file_can_be_used(
        self, root: Path, compose: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (volume,) = compose["services"]["service"]["volumes"]
        url = compose["services"]["service"]["environment"]["TWITCHING_CDS_DATABASE_URL"]
        monkeypatch.setenv("TWITCHING_CDS_DATABASE_URL", url.replace("${POSTGRES_PASSWORD:?set it}", "x"))
        settings = load_settings(root / "deploy" / volume.partition(":")[0])
        assert settings.trust.mode == "required"
        assert settings.database_url == "postgresql://twitching:x@database/twitching"


class TestContainerfile:
    def test_it_ends_as_an_ordinary_user(self, steps: list[tuple[str, list[str]]]) -> None:
        users = [words[0] for instruction, words in steps if instruction == "USER"]
        assert users == ["10001:10001"]
        assert [instruction for instruction, _ in steps].index("USER") > [
            number for number, (instruction, _) in enumerate(steps) if instruction == "RUN"
        ][-1]

    def test_everything_it_copies_is_there_and_not_ignored(
        self, root: Path, steps: list[tuple[str, list[str]]]
    ) -> None:
        ignored = (root / "deploy" / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
        copied = [
            source
            for instruction, words in steps
            if instruction == "COPY" and not words[0].startswith("--from")
            for source in words[:-1]
        ]
        assert {"terminology", "mappings", "cds_hooks", "requirements.lock"} <= set(copied)
        for source in copied:
            assert (root / source).exists(), source
            assert f"!{source}" in ignored

    def test_dependencies_are_the_locked_ones(self, steps: list[tuple[str, list[str]]]) -> None:
        installs = [words for instruction, words in steps if instruction == "RUN" and "install" in words]
        pip = [words for words in installs if words[0] == "pip"]
        assert "--require-hashes" in pip[0]
        assert {"--no-deps", "--no-index", "--no-build-isolation"} <= set(pip[1])

    def test_what_it_starts_is_a_command(self, steps: list[tuple[str, list[str]]]) -> None:
        (command,) = [words for instruction, words in steps if instruction == "CMD"]
        arguments = json.loads(" ".join(command))
        known = CliRunner().invoke(app, [arguments[0], "--help"], env={"COLUMNS": "200"}).stdout
        assert [word for word in arguments if word.startswith("--") and word not in known] == []
