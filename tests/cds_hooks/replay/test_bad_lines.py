"""What cannot be read is counted and listed, and ends nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.replay import scan
from cds_hooks.replay.run import Replayed
from cds_hooks.replay.summary import bad_lines

Json = dict[str, Any]


def test_one_bad_line_in_a_thousand_is_counted_and_found(
    run: Callable[..., Replayed],
    told: Callable[..., Json],
    tmp_path: Path,
    twitching: Callable[..., list[Json]],
) -> None:
    lines = [json.dumps(r).encode() for n in range(1000) for r in twitching(f"p{n}")]
    bad = [999, 1000, 1999]
    for number in bad:
        lines.insert(number, lines[number][:50])
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "all.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    replayed = run(folder, chunk_bytes=10_000)
    assert [(file, line) for file, line, _ in bad_lines(replayed)] == [("all.ndjson", n + 1) for n in bad]
    summary = told(folder)
    assert (summary["badLines"], summary["lines"]) == (3, 2003)
    assert summary["patients"] == summary["patientsWithCards"] == 1000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not a JSON object"),
        (b"[1, 2]", "not a JSON object"),
        (b'"Patient"', "not a JSON object"),
        (b'{"resourceType": "Patient", "id": "x"} {}', "not a JSON object"),
        (b'{"id": "x"}', "no resourceType"),
        (b'{"resourceType": 5}', "no resourceType"),
        (b'{"resourceType": "Patient", "id": "\xff"}', "not UTF-8"),
        (b'{"resourceType": "Patient", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not a JSON object"),
        (b'{"resourceType": "Patient", "x": NaN}', "not a JSON object"),
        (b"\x00\x01", "not a JSON object"),
    ],
)
def test_a_line_that_is_no_resource(
    run: Callable[..., Replayed],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    line: bytes,
    reason: str,
) -> None:
    replayed = run(export(*twitching(), bad_ndjson=b"\n" + line + b"\n"))
    assert list(bad_lines(replayed)) == [("bad.ndjson", 2, reason)]
    assert replayed.tally.patients == 1


def test_a_line_that_is_too_long_is_skipped_as_one(
    run: Callable[..., Replayed],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cds_hooks.replay.export.LONGEST_LINE", 1000)
    long = b'{"resourceType": "Patient", "x": "' + b"y" * 5000 + b'"}\n'
    after = json.dumps(twitching("p2")[0]).encode() + b"\n"
    replayed = run(export(*twitching(), long_ndjson=long + after), chunk_bytes=2000)
    assert list(bad_lines(replayed)) == [("long.ndjson", 1, "too long")]
    assert replayed.tally.patients == 2


def test_a_file_that_breaks_off_is_named_and_read_up_to_there(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    lines = b"".join(json.dumps(twitching(f"q{n}")[0]).encode() + b"\n" for n in range(20_000))
    packed = gzip.compress(lines)
    summary = told(export(*twitching(), more_ndjson_gz=packed[: len(packed) // 2]))
    (broken,) = summary["brokenFiles"]
    assert broken.startswith("more.ndjson.gz: damaged or cut off")
    assert 1000 < summary["patients"] < 20_000


def test_a_resource_out_of_shape_is_no_bad_line_but_a_gap(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    odd = {
        "resourceType": "Observation",
        "id": "o",
        "subject": {"reference": "Patient/p1"},
        "code": [True],
        "status": 5,
    }
    summary = told(export(*twitching(), odd))
    assert summary["badLines"] == 0
    assert summary["gaps"]["not-readable"] == 1


def test_what_belongs_to_nobody_is_counted(
    told: Callable[..., Json], export: Callable[..., Path], twitching: Callable[..., list[Json]]
) -> None:
    stray = [
        {"resourceType": "Observation", "id": "a"},
        {"resourceType": "Observation", "id": "b", "subject": {"reference": "Group/1"}},
        {"resourceType": "Observation", "id": "c", "subject": {"reference": "#p"}},
        {"resourceType": "Device", "id": "d"},
    ]
    summary = told(export(*twitching(), *stray))
    assert summary["unassigned"] == {"Observation": 3}
    assert summary["ignored"] == {"Device": 1}
    assert summary["patients"] == 1


@pytest.mark.parametrize(
    "reference",
    ["Patient/p1", "https://ehr.example.org/fhir/Patient/p1", "Patient/p1/_history/3", "urn:uuid:p1"],
)
def test_each_way_to_name_the_patient_is_the_same_patient(
    told: Callable[..., Json],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    reference: str,
) -> None:
    patient, condition = twitching()
    summary = told(export(patient, condition | {"subject": {"reference": reference}}))
    assert (summary["patients"], summary["patientsWithCards"]) == (1, 1)


@pytest.mark.parametrize("learnt", [0, 2, 100])
def test_types_that_are_not_read_are_counted_wherever_they_stand(
    told: Callable[..., Json],
    export: Callable[..., Path],
    twitching: Callable[..., list[Json]],
    monkeypatch: pytest.MonkeyPatch,
    learnt: int,
) -> None:
    monkeypatch.setattr(scan, "MOST_TYPES", learnt)
    patient, condition = (json.dumps(resource) for resource in twitching())
    others = [
        f'{{"resourceType": "{name}", "id": {{}}, "subject": 5}}' for name in ("Device", "Claim", "Group")
    ]
    nameless = ['{"resourceType": "Medication"}', '{"resourceType": "Medication", "id": 5, "code": 5}']
    twice = '{"resourceType": "Device", "resourceType": "Claim"}'
    odd = ['{"resourceType": "Device", "id": }', '{"resourceType": ""}', '{"resourceType": "x y", "id": 5}']
    lines = [*others * 9, patient, *odd, *nameless, condition, *nameless, *others * 9, twice, *others]
    summary = told(export(mixed_ndjson="\n".join(lines).encode()))
    assert summary["ignored"] == {"Claim": 20, "Device": 19, "Group": 19, "Medication": 4, "x y": 1}
    assert (summary["badLines"], summary["lines"]) == (2, len(lines))
    assert (summary["patients"], summary["patientsWithCards"]) == (1, 1)
