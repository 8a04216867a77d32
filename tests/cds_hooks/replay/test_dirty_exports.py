"""Exports as clients leave them: other names, other packing, more files than data, and folders that change."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from cds_hooks.replay import scan
from cds_hooks.replay.command import Request
from cds_hooks.replay.command import run as run_command
from cds_hooks.replay.example import DAY
from cds_hooks.replay.export import ExportError
from cds_hooks.replay.run import Options, Replayed, replay
from cds_hooks.replay.scanned import ScanTask

Json = dict[str, Any]
Told = Callable[..., Json]
Export = Callable[..., Path]
Twitching = Callable[..., list[Json]]
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"


def ndjson(*resources: Json) -> bytes:
    return b"".join(json.dumps(resource).encode() + b"\n" for resource in resources)


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("ALL.NDJSON", bytes),
        ("all.jsonl", bytes),
        ("all.ndjson.GZ", gzip.compress),
        ("unpacked-by-the-client.ndjson.gz", bytes),
        ("not-unpacked.ndjson", gzip.compress),
        ("all.ndjson", zstd.compress),
        ("all.ndjson.zst", lambda lines: zstd.compress(lines[:50]) + SKIPPABLE + zstd.compress(lines[50:])),
        ("frames.ndjson.zstd", lambda lines: SKIPPABLE + zstd.compress(lines)),
    ],
)
def test_a_file_is_read_by_what_it_holds(
    told: Told, tmp_path: Path, twitching: Twitching, name: str, pack: Callable[[bytes], bytes]
) -> None:
    folder = tmp_path / "export" / "2026"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(pack(ndjson(*twitching())))
    summary = told(tmp_path / "export", chunk_bytes=100)
    assert (summary["patients"], summary["patientsWithCards"], summary["lines"]) == (1, 1, 2)
    assert (summary["badLines"], summary["brokenFiles"], summary["filesNotRead"]) == (0, [], [])


def test_files_of_other_names_are_named(told: Told, export: Export, twitching: Twitching) -> None:
    folder = export(*twitching(), manifest_json=b"{}")
    (folder / "more").mkdir()
    (folder / "more" / "Observation.json").write_bytes(b"{}")
    (folder / ".DS_Store").write_bytes(b"x")
    assert told(folder)["filesNotRead"] == ["manifest.json", "more/Observation.json"]


def test_deleted_resources_and_messages_of_the_server_are_counted(
    run: Callable[..., Replayed], told: Told, export: Export, twitching: Twitching
) -> None:
    delete = {"request": {"method": "DELETE", "url": "Condition/p1-c"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [delete, delete, {}]}
    folder = export(
        *twitching(), bundle, {"resourceType": "Bundle", "entry": 5}, {"resourceType": "OperationOutcome"}
    )
    summary = told(folder)
    assert summary["deletions"] == 2
    assert summary["ignored"] == {"Bundle": 2, "OperationOutcome": 1}
    assert run(folder).not_read == []


def test_what_could_not_be_read_is_said_where_no_condition_is_found(
    run: Callable[..., Replayed], export: Export
) -> None:
    packed = gzip.compress(ndjson({"resourceType": "Condition"}))[:-20]
    with pytest.raises(ExportError) as failed:
        run(export(Patient_ndjson=b"{\n", Condition_ndjson_gz=packed, Condition_json=b"{}"))
    assert "1 of 1 lines are no resource." in str(failed.value)
    assert "Condition.ndjson.gz: damaged or cut off" in str(failed.value)
    assert "Not read: Condition.json." in str(failed.value)


def test_an_export_that_changes_while_it_is_read_is_not_reported(
    run: Callable[..., Replayed], export: Export, twitching: Twitching, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, scanning = export(*twitching()), scan.scan

    def while_it_grows(task: ScanTask) -> int:
        with (folder / "Patient.ndjson").open("ab") as file:
            file.write(ndjson(*twitching("p2")))
        return scanning(task)

    monkeypatch.setattr(scan, "scan", while_it_grows)
    with pytest.raises(ExportError, match="changed while it was read"):
        run(folder)


class Quiet:
    def start(self, what: str, total: int, done: int) -> None: ...

    def advance(self, size: int, patients: int = 0) -> None: ...


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def of_another_program(path: Path) -> None:
    plan = json.loads(path.read_bytes())
    path.write_text(json.dumps(plan | {"version": "0.0.1"}))


@pytest.mark.parametrize(
    ("pattern", "harm"),
    [
        ("scan/*.json", cut_short),
        ("scan/*.json", lambda path: path.write_bytes(b"")),
        ("scan/*.p.0.run", cut_short),
        ("scan/*.p.0.run", Path.unlink),
        ("reduce-*/*.json", cut_short),
        ("plan.json", cut_short),
        ("plan.json", of_another_program),
    ],
)
def test_what_a_run_before_left_and_cannot_be_used_is_made_anew(
    example: Path, tmp_path: Path, pattern: str, harm: Callable[[Path], Any]
) -> None:
    options = Options(example, tmp_path / "work", DAY, workers=1)
    first = replay(options, Quiet())
    harmed = sorted((tmp_path / "work").glob(pattern))
    assert harmed
    for path in harmed:
        harm(path)
    if pattern.endswith(".run"):
        for path in (tmp_path / "work").glob("reduce-*/*"):
            path.unlink()
    again = replay(options, Quiet())
    assert again.result_hash == first.result_hash
    assert again.tally.patients == first.tally.patients


def test_a_report_that_cannot_be_finished_leaves_the_one_before(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report"
    request = Request(export=example, out=out, work=tmp_path / "work", day=DAY, workers=1, keep=True)
    assert run_command(request) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cds_hooks.replay.command.report", full)
    assert run_command(request) == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
