"""The numbers of a report as files for other programs: JSON, CSV and, with the extra `replay`, Parquet."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from cds_hooks.replay.reduce import Row
from cds_hooks.replay.summary import Summary, bad_lines

COUNTS: Final = ("rules", "table", "what", "which", "how", "patients", "moments", "withheld")
UNMAPPED: Final = ("kind", "system", "code", "text", "analyte", "patients")
BAD: Final = ("file", "line", "reason")
ROWS: Final = (
    "patient",
    "day",
    "encounter",
    "rules",
    "cards",
    "contributors",
    "red_flags",
    "suggested_tests",
    "failed",
    "kept_back",
)
RULES: Final = {"0": "rules", "1": "compared", "-": "change"}
PATIENTS: Final = "patients-PRIVATE"
"""The table that names patients: it stays in the hospital."""


def write_tables(summary: Summary, out: Path) -> list[Path]:
    """Write all tables; the names of the files that were written."""
    written = [out / "summary.json"]
    told = msgspec.json.format(msgspec.json.encode(summary.about()), indent=2)
    written[0].write_bytes(told + b"\n")
    counts = (
        (RULES[cell[0]], cell[1], *(*cell[2:], "", "", "")[:3], *_numbers(entry.patients, entry.moments))
        for cell, entry in summary.cells()
    )
    written += _write(out / "counts", COUNTS, list(counts))
    unmapped = [(*msgspec.structs.astuple(item), number) for item, number in summary.unmapped]
    written += _write(out / "unmapped", UNMAPPED, unmapped)
    written += _write(out / "bad-lines", BAD, bad_lines(summary.replayed), parquet=False)
    if summary.replayed.options.rows:
        private = _write(out / PATIENTS, ROWS, _rows(summary), parquet=False)
        private[0].chmod(0o600)
        written += private
    return written


def _numbers(patients: int | str, moments: int | str) -> tuple[int | None, int | None, str]:
    """As numbers; what is withheld has none and says why."""
    if isinstance(patients, str) or isinstance(moments, str):
        return None, None, str(patients)
    return patients, moments, ""


def _rows(summary: Summary) -> Iterable[Sequence[Any]]:
    decoder = msgspec.json.Decoder(Row)
    for path in summary.replayed.reduced:
        with path.with_suffix(".rows").open("rb") as file:
            for line in file:
                row = decoder.decode(line)
                cards = "; ".join(" ".join(card) for card in row.cards)
                yield (
                    row.patient,
                    row.day,
                    row.encounter,
                    RULES[row.rules],
                    cards,
                    " ".join(row.contributors),
                    " ".join(row.red_flags),
                    " ".join(row.tests),
                    row.failed,
                    "; ".join(" ".join(item) for item in row.kept_back),
                )


def _write(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, parquet: bool = True
) -> list[Path]:
    table = path.with_suffix(".csv")
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_plain(value) for value in row] for row in rows)
    if not parquet or importlib.util.find_spec("pyarrow") is None:
        return [table]
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet as pq  # noqa: PLC0415

    listed = list(rows)
    types = [pa.int64() if name in ("patients", "moments") else pa.string() for name in columns]
    arrays = [pa.array([row[place] for row in listed], kind) for place, kind in enumerate(types)]
    pq.write_table(pa.table(dict(zip(columns, arrays, strict=True))), path.with_suffix(".parquet"))
    return [table, path.with_suffix(".parquet")]


def _plain(value: Any) -> Any:
    """Text of the site's data that a spreadsheet must not run as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
