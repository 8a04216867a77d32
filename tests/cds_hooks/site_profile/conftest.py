"""A service with a site profile, and calls of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from cds_hooks.app import create_app
from cds_hooks.settings import Settings
from mappings.from_fhir.meaning import recognise_orders
from mappings.knowledge import load_knowledge

Json = dict[str, Any]
TODAY = date(2026, 3, 1)
SECRET = "a secret of thirty-two characters"  # noqa: S105 - for tests


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """The service of a site: `site("hooks: {order-sign: off}")`, on 1 March 2026; `fhir=` is a server it may read."""
    with ExitStack() as running:

        def start(profile: str | Path, fhir: str = "") -> TestClient:
            path = profile if isinstance(profile, Path) else tmp_path / "profile.yaml"
            if isinstance(profile, str):
                path.write_text(f"name: Test\n{profile}\n", encoding="utf-8")
            settings = Settings(
                base_url="https://cds.example.org",
                history_form_url="https://cds.example.org/history-form",
                database_url=f"sqlite:///{tmp_path / 'f.sqlite3'}",
                site=path,
                site_secret=SECRET,
                fhir={"servers": [fhir], "allow_private_addresses": True, "budget_ms": 3000} if fhir else {},
            )
            app = create_app(settings, knowledge=load_knowledge(), today=lambda: TODAY)
            return running.enter_context(TestClient(app))

        yield start
        recognise_orders({})


@pytest.fixture
def low_potassium_call(
    call: Callable[..., bytes],
    bundle: Callable[..., Any],
    condition: Callable[..., Any],
    patient: Callable[..., Any],
    potassium: Callable[..., Any],
) -> Callable[..., Json]:
    """A complete record with documented twitching and this potassium; parts of the prefetch and fields replaced."""

    def make(value: float = 2.8, prefetch: Json | None = None, **fields: Any) -> Json:
        record = {
            "patient": patient(),
            "conditions": bundle(condition()),
            "labs": bundle(potassium(value)),
            **{
                key: bundle()
                for key in (
                    "examination",
                    "history",
                    "medications",
                    "statements",
                    "orders",
                    "procedures",
                    "answers",
                )
            },
        } | (prefetch or {})
        sent = {key: content for key, content in record.items() if content is not ...}
        made: Json = json.loads(call(prefetch=sent, **fields))
        return made

    return make


@pytest.fixture
def counted() -> Callable[..., float]:
    """The value of one series of a service."""

    def value(client: TestClient, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for family in text_string_to_metric_families(client.get("/metrics").text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    return value
