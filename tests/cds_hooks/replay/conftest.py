"""Small exports and the replay of them in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.replay.example import DAY, write_example
from cds_hooks.replay.record import Record
from cds_hooks.replay.run import Options, Replayed, replay
from cds_hooks.replay.summary import Summary

Json = dict[str, Any]


class Silence:
    """A progress bar that nobody sees."""

    def start(self, what: str, total: int, done: int) -> None: ...

    def advance(self, size: int, patients: int = 0) -> None: ...


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of 120 generated patients."""
    folder = tmp_path_factory.mktemp("example")
    write_example(folder, patients=120, seed=3, results=12)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Replayed]:
    """Replays an export in this process, in a new work folder."""
    numbers = count()

    def go(export: Path, **options: Any) -> Replayed:
        work = tmp_path / f"work-{next(numbers)}"
        return replay(Options(export, work, **({"day": DAY, "workers": 1} | options)), Silence())

    return go


@pytest.fixture
def both(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., Replayed]
) -> Callable[..., tuple[int, int, int]]:
    """Replays twice, as it is and with everything sent about everybody; the answers are the same.

    Returned: how often a record was sent without what may wait, how often at all, and how often when everything was.
    """

    def go(export: Path, **options: Any) -> tuple[int, int, int]:
        asked: list[frozenset[bytes]] = []
        send = Record.prefetch

        def counted(record: Record, moment: Any, apart: frozenset[bytes] = frozenset()) -> Any:
            asked.append(apart)
            return send(record, moment, apart)

        with monkeypatch.context() as patched:
            patched.setattr(Record, "prefetch", counted)
            quick = run(export, **options)
            apart, short = len([tags for tags in asked if tags]), len(asked)
            asked.clear()
            patched.setattr(Record, "may_wait", lambda *_: frozenset())
            patched.setattr(Record, "says_nothing", lambda *_: False)
            whole = run(export, **options)
        assert not any(asked)
        assert quick.tally.counts == whole.tally.counts
        assert quick.result_hash == whole.result_hash
        return apart, short, len(asked)

    return go


@pytest.fixture
def told(run: Callable[..., Replayed]) -> Callable[..., Json]:
    """What summary.json would say of an export, with every count."""

    def tell(export: Path, *, smallest: int = 0, **options: Any) -> Json:
        about: Json = json.loads(json.dumps(Summary(run(export, **options), smallest).about(), default=str))
        return about

    return tell


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """Writes resources as an export: one file per type, or the lines given for a file name."""
    numbers = count()

    def write(*resources: Json, **files: bytes) -> Path:
        folder = tmp_path / f"export-{next(numbers)}"
        folder.mkdir()
        for resource in resources:
            with (folder / f"{resource['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
                file.write(json.dumps(resource) + "\n")
        for name, content in files.items():
            (folder / f"{name.replace('_', '.')}").write_bytes(content)
        return folder

    return write


@pytest.fixture(scope="session")
def twitching() -> Callable[..., list[Json]]:
    """A woman of 50 with fasciculation since May 2026, as resources."""

    def make(name: str = "p1", **condition: Any) -> list[Json]:
        return [
            {"resourceType": "Patient", "id": name, "gender": "female", "birthDate": "1976-02-03"},
            {
                "resourceType": "Condition",
                "id": f"{name}-c",
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "code": {"text": "Fasciculation"},
                "subject": {"reference": f"Patient/{name}"},
                "recordedDate": "2026-05-04",
            }
            | condition,
        ]

    return make


@pytest.fixture(scope="session")
def result() -> Callable[..., Json]:
    """A laboratory result with its own limits."""

    def make(
        name: str, value: float, day: str, patient: str = "p1", code: str = "2823-3", **more: Any
    ) -> Json:
        return {
            "resourceType": "Observation",
            "id": name,
            "status": "final",
            "category": [{"coding": [{"code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": day,
            "valueQuantity": {
                "value": value,
                "unit": "mmol/L",
                "system": "http://unitsofmeasure.org",
                "code": "mmol/L",
            },
        } | more

    return make


@pytest.fixture(scope="session")
def today() -> date:
    """The day of the generated export."""
    return DAY
