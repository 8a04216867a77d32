"""What may be published of a replay: the same numbers for summary.json, the tables, the page and the terminal."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cds_hooks.replay.run import MOST_NAMED, Replayed, totals
from cds_hooks.replay.segments import atomic
from cds_hooks.replay.sides import asked, made
from cds_hooks.replay.suppress import withheld
from cds_hooks.replay.tally import CHANGE, KEPT_BACK, SEVERITY, Cell
from cds_hooks.replay.unmapped import Unmapped

MOST_UNMAPPED = 1000
MOST_FILES = 200
"""That are open at a time."""
Number = int | str
"""A count, or why there is none: `<11`, or `withheld` when it would give such a count away."""


class Entry(NamedTuple):
    """One cell: what it is about, patients and moments."""

    what: tuple[str, ...]
    patients: Number
    moments: Number
    size: int
    """For the length of a bar; 0 if withheld."""


class Summary:
    """The publishable view of one replay."""

    def __init__(self, replayed: Replayed, smallest: int) -> None:
        self.replayed = replayed
        self.smallest = smallest
        self._counts = replayed.tally.counts
        self._hidden = withheld(self._counts, replayed.tally.patients, smallest)
        self.compared = len(replayed.versions) == 2
        self.unmapped = _unmapped(replayed, smallest)

    def cell(self, *cell: str) -> Entry:
        """One cell; zero if nobody is in it."""
        patients, moments = self._counts.get(cell, (0, 0))
        if cell in self._hidden:
            why = f"<{self.smallest}" if 0 < patients < self.smallest else "withheld"
            return Entry(cell[2:], why, why, 0)
        return Entry(cell[2:], patients, moments, patients)

    def table(self, name: str, rules: str = "0") -> list[Entry]:
        """The cells of one table, the most frequent first; those withheld last, by name."""
        found = [self.cell(*cell) for cell in self._counts if cell[:2] == (rules, name)]
        return sorted(found, key=lambda entry: (-entry.size, entry.what))

    def cells(self) -> Iterator[tuple[Cell, Entry]]:
        """Every cell, in a stable order."""
        yield from ((cell, self.cell(*cell)) for cell in sorted(self._counts))

    def per_thousand(self, number: Number) -> str:
        """`12.3` patients of 1,000; empty for a number that is withheld."""
        total = self.replayed.tally.patients
        return f"{1000 * number / total:.1f}" if isinstance(number, int) and total else ""

    def about(self) -> dict[str, Any]:
        """Everything of `summary.json`."""
        replayed, options = self.replayed, self.replayed.options
        scanned = replayed.scanned
        told = {
            "asOf": options.day,
            "mode": options.mode,
            "since": options.since,
            "gate": options.gate,
            "sample": options.sample,
            "minCell": self.smallest,
            "patients": replayed.tally.patients,
            "patientsWithoutPatientResource": replayed.tally.without_resource,
            "moments": replayed.tally.moments,
            **self._answers("0"),
            "lines": sum(found.lines for found in scanned),
            "badLines": sum(found.bad for found in scanned),
            "brokenFiles": sorted(found.broken for found in scanned if found.broken),
            "filesNotRead": replayed.not_read,
            "deletions": sum(found.deletions for found in scanned),
            "resources": totals(scanned, "types"),
            "ignored": totals(scanned, "ignored"),
            "unassigned": totals(scanned, "unassigned"),
            "unmapped": len(self.unmapped),
            **self._asked(0),
            "resultHash": replayed.result_hash,
        }
        if self.compared:
            told["comparison"] = {
                **self._asked(1),
                "changed": self.cell(CHANGE, "change", "any", "").patients,
                "changes": [
                    {"what": e.what[0], "id": e.what[1], "patients": e.patients, "moments": e.moments}
                    for e in self.table("change", CHANGE)
                    if e.what[0] != "any"
                ],
                **self._answers("1"),
            }
        return told

    def notices(self) -> Iterator[str]:
        """What of the export is not in the numbers."""
        scanned, others = self.replayed.scanned, self.replayed.not_read
        yield from sorted(f"{found.broken}. What came before was read." for found in scanned if found.broken)
        if others:
            more = f" and {len(others) - MOST_NAMED:,} more" if len(others) > MOST_NAMED else ""
            yield f"Files that were not read, by their names: {', '.join(others[:MOST_NAMED])}{more}."
        if deletions := sum(found.deletions for found in scanned):
            yield f"The export names {deletions:,} deleted resources. They are not taken out: replay a full export."
        if errors := totals(scanned, "ignored").get("OperationOutcome"):
            yield f"The export holds {errors:,} messages of its server (OperationOutcome): it may be incomplete."

    def _asked(self, number: int) -> dict[str, Any]:
        """What the live service of a side would be; `siteProfile` is the version of its file, null without one."""
        options = self.replayed.options
        side = options.sides[number]
        found, call = made(side), asked(side, options.mode, options.gate)
        return {
            "knowledgeVersion": found.desk.knowledge.version,
            "siteProfile": found.version or None,
            "hook": call.service.hook,
            "hookOff": not call.on,
        }

    def _kept_back(self, rules: str) -> dict[str, Any]:
        """What the site does not let through, for as many patients and moments."""

        def listed(table: str, name: str) -> list[dict[str, Any]]:
            return [
                dict(zip((name, "indicator", "why"), e.what, strict=True))
                | {"patients": e.patients, "moments": e.moments}
                for e in self.table(table, rules)
            ]

        from_whom = self.cell(rules, "keptBackFrom")
        return {
            "patients": from_whom.patients,
            "moments": from_whom.moments,
            "cards": listed(KEPT_BACK["card"], "topic"),
            "findings": listed(KEPT_BACK["finding"], "id"),
        }

    def _answers(self, rules: str) -> dict[str, Any]:
        cards: dict[str, dict[str, Number]] = {}
        for entry in self.table("card", rules):
            cards.setdefault(entry.what[0], {})[entry.what[1]] = entry.moments
        tests: dict[str, dict[str, Number]] = {}
        for entry in self.table("test", rules):
            tests.setdefault(entry.what[0], {})[entry.what[1]] = entry.patients
        return {
            "patientsWithCards": self.cell(rules, "withCards").patients,
            "momentsWithCards": self.cell(rules, "withCards").moments,
            "patientsByHighestIndicator": {
                name: self.cell(rules, "highest", name).patients for name in SEVERITY
            },
            "cards": cards,
            "contributors": self._named("contributor", rules),
            "redFlags": self._named("redFlag", rules),
            "safety": self._named("safety", rules),
            "tiers": self._named("tier", rules),
            "tests": tests,
            "gaps": self._named("gapReason", rules),
            "silent": self._named("silent", rules),
            "keptBack": self._kept_back(rules),
            "failures": self._named("failed", rules),
            "strata": [
                {"age": e.what[0], "sex": e.what[1], "cards": e.what[2] == "cards", "patients": e.patients}
                for e in sorted(self.table("stratum", rules), key=lambda e: e.what)
            ],
            "months": [
                {
                    "month": e.what[0],
                    "cards": e.what[1] == "cards",
                    "patients": e.patients,
                    "moments": e.moments,
                }
                for e in sorted(self.table("month", rules), key=lambda e: e.what)
            ],
        }

    def _named(self, table: str, rules: str) -> dict[str, Number]:
        return {entry.what[0]: entry.patients for entry in self.table(table, rules)}


def _unmapped(replayed: Replayed, smallest: int) -> list[tuple[Unmapped, int]]:
    """What the data use and the service does not know, the most frequent first; rare things may name a person."""
    files = [path.with_suffix(".unmapped") for path in replayed.reduced]
    while len(files) > MOST_FILES:
        files = [
            _merged_file(files[start : start + MOST_FILES]) for start in range(0, len(files), MOST_FILES)
        ]
    frequent = heapq.nsmallest(
        MOST_UNMAPPED, ((-number, item) for item, number in _merge(files) if number >= smallest)
    )
    return [(item, -number) for number, item in frequent]


def _merge(files: Iterable[Path]) -> Iterator[tuple[Unmapped, int]]:
    """The sums of sorted files, sorted, without holding more than a line of each."""
    for item, same in groupby(heapq.merge(*map(_read, files)), key=lambda pair: pair[0]):
        yield item, sum(number for _, number in same)


def _merged_file(files: list[Path]) -> Path:
    path = files[0].with_suffix(".merged")
    with atomic(path) as file:
        for pair in _merge(files):
            file.write(msgspec.json.encode(pair) + b"\n")
    return path


_pair = msgspec.json.Decoder(tuple[Unmapped, int])


def _read(path: Path) -> Iterator[tuple[Unmapped, int]]:
    with path.open("rb") as file:
        for line in file:
            yield _pair.decode(line)


def bad_lines(replayed: Replayed) -> Iterator[tuple[str, int, str]]:
    """File, line number and reason of each bad line (of a chunk with more than 1000, the first 1000)."""
    for file, chunks in groupby(enumerate(replayed.chunks), key=lambda pair: pair[1].file):
        before = 0
        for number, _ in chunks:
            found = replayed.scanned[number]
            yield from ((file, before + row, reason) for row, reason in found.listed)
            before += found.rows
