"""The real command in a process of its own: killed and run again, its memory, its page and its preview."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.replay.run import Replayed

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def command(root: Path) -> Command:
    """Runs `twitching-cds …`."""

    def call(*arguments: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(
            [sys.executable, "-m", "cds_hooks.cli", *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "120"},
            check=False,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == expect, ran.stdout + ran.stderr
        return ran

    return call


def test_killed_and_run_again_it_gives_the_same_result(
    run: Callable[..., Replayed], command: Command, example: Path, tmp_path: Path, root: Path
) -> None:
    for attempt in range(5):  # it may end before it can be killed
        out = tmp_path / f"out-{attempt}"
        arguments = ["replay", str(example), "--out", str(out), "--as-of", "2026-11-01"]
        options = ["--workers", "2", "--partitions", "60", "--min-cell", "0"]
        process = subprocess.Popen(
            [sys.executable, "-m", "cds_hooks.cli", *arguments, *options],
            env=os.environ | {"PYTHONPATH": str(root)},
            stderr=subprocess.DEVNULL,
        )
        work = out / ".work"
        while not list(work.glob("reduce-*/*.json")) and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        killed = process.wait() == -signal.SIGKILL
        done = {path: path.stat().st_mtime_ns for path in work.glob("reduce-*/*.json")}
        if killed and 0 < len(done) < 60:
            break
    else:
        pytest.fail("it always ended before it could be killed")
    command(*arguments, *options, "--keep")
    assert {path: path.stat().st_mtime_ns for path in done} == done, "finished parts were done again"
    told = json.loads((out / "summary.json").read_bytes())
    assert told["resultHash"] == run(example).result_hash
    written = {path.suffix for path in out.iterdir() if path.is_file()}
    assert written == {".html", ".json", ".csv", ".parquet"}
    assert oct(work.stat().st_mode & 0o777) == "0o700"


MEMORY = """
import sys
from datetime import date
from pathlib import Path
from cds_hooks.replay import reduce, run, segments
segments.RUN_BYTES = reduce.HELD_BYTES = 1_000_000
class Silence:
    def start(self, *_): pass
    def advance(self, *_): pass
run.replay(run.Options(Path(sys.argv[1]), Path(sys.argv[2]), date(2026, 11, 1), workers=1, partitions=4), Silence())
# Not getrusage: its maximum is inherited from the process that started this one.
print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_memory_does_not_grow_with_the_export(
    tmp_path: Path, root: Path, twitching: Callable[..., list[Any]], result: Callable[..., Any]
) -> None:
    used = {}
    for times in (1, 10):
        export = tmp_path / f"export-{times}"
        export.mkdir()
        patient, condition = twitching("PATIENT", code={"text": "Hypertension"})
        lab = json.dumps(result("PATIENT-NUMBER", 4.1, "2026-10-01", "PATIENT", note=[{"text": "x" * 1500}]))
        with (export / "all.ndjson").open("w", encoding="utf-8") as file:
            for number in range(100 * times):
                for line in [json.dumps(patient), json.dumps(condition)] + [
                    lab.replace("NUMBER", str(n)) for n in range(15)
                ]:
                    file.write(line.replace("PATIENT", f"p{number}") + "\n")
        ran = subprocess.run(
            [sys.executable, "-c", MEMORY, str(export), str(tmp_path / f"work-{times}")],
            env=os.environ | {"PYTHONPATH": str(root)},
            check=True,
            capture_output=True,
            text=True,
        )
        used[times] = int(ran.stdout)
    assert used[10] < used[1] + 15, f"megabytes by size: {used}; the larger export is 30 MB, the smaller 3 MB"
    assert used[10] < 300


class Links(HTMLParser):
    """Everything on a page that a browser would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe", "object", "embed", "base", "form"):
            self.found.append(tag)
        self.found += [
            f"{name}={value}"
            for name, value in attrs
            if name in ("src", "href", "srcset", "action", "background") or name.startswith("on")
        ]


def test_an_example_a_changed_threshold_and_what_it_changes(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "try"
    assert "patients with cards" in command("replay-example", folder, "--patients", 150).stdout
    page = (folder / "report" / "report.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.found == []
    assert not re.search(r"url\(|@import|https?://(?!snomed|loinc|www\.nlm|unitsofmeasure|hl7)", page)
    assert "<svg" in page
    assert not (folder / "report" / ".work").exists()
    rules = folder / "rules"
    command("knowledge", "copy", rules)
    potassium = rules / "analytes" / "potassium.yaml"
    before = potassium.read_text(encoding="utf-8")
    potassium.write_text(before.replace("low: {mmol/L: 3.5}", "low: {mmol/L: 3.9}"), encoding="utf-8")
    export = folder / "export"
    said = command(
        "knowledge", "diff", "shipped", rules, "--replay", export, "--as-of", "2026-11-01", "--min-cell", 0
    ).stdout
    assert said.startswith("analytes/potassium.yaml: reference.low.mmol/L: 3.5 -> 3.9\n")
    assert re.search(r"contributor added: Low potassium +[1-9]", said)
    out = folder / "compared"
    command("replay", export, "--out", out, "--as-of", "2026-11-01", "--compare", rules, "--min-cell", 0)
    told = json.loads((out / "summary.json").read_bytes())["comparison"]
    assert told["changed"] > 0
    assert {"what": "contributor added", "id": "hypokalaemia"}.items() <= told["changes"][0].items() or any(
        change["id"] == "hypokalaemia" for change in told["changes"]
    )
    assert "What the other rules or settings change" in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere: is not a folder"),
        (["."], "holds no *.ndjson"),
        ([".", "--each-encounter", "--monthly"], "Choose one of"),
        ([".", "--sample", "0"], "--sample must be more than 0"),
        ([".", "--since", "2026-01-01"], "--since goes with --monthly or --each-encounter"),
        ([".", "--cluster", "tcp://127.0.0.1:1"], "--cluster needs --engine dask or --engine spark"),
        (
            [".", "--monthly", "--as-of", "2026-01-01", "--since", "2026-02-01"],
            "--since 2026-02-01 is after 2026-01-01",
        ),
        ([".", "--compare", "no-such-rules"], "no-such-rules: is neither a folder of rule files"),
    ],
)
def test_wrong_input_is_said_in_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = command("replay", *arguments, "--out", tmp_path / "out", expect=2)
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_two_replays_do_not_write_into_one_folder(command: Command, example: Path, tmp_path: Path) -> None:
    import fcntl

    work = tmp_path / "out" / ".work"
    work.mkdir(parents=True)
    with (work / "lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ran = command("replay", example, "--out", tmp_path / "out", expect=2)
    assert "another replay is writing there" in ran.stderr
