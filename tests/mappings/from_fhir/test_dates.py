from __future__ import annotations

from datetime import date

import pytest

from mappings.from_fhir.datatypes import Period
from mappings.from_fhir.dates import end_or_start, first_readable, when


@pytest.mark.parametrize(
    ("text", "earliest", "latest", "moment"),
    [
        ("2026-02-25", "2026-02-25", "2026-02-25", ""),
        ("2026-02", "2026-02-01", "2026-02-28", ""),
        ("2024-02", "2024-02-01", "2024-02-29", ""),
        ("2026", "2026-01-01", "2026-12-31", ""),
        ("2026-02-25T09:20:00Z", "2026-02-25", "2026-02-25", "2026-02-25T09:20:00.000000"),
        ("2026-02-25T09:20", "2026-02-25", "2026-02-25", "2026-02-25T09:20:00.000000"),
        ("2026-02-25 09:20:00", "2026-02-25", "2026-02-25", "2026-02-25T09:20:00.000000"),
        ("2026-02-25T09:20:00.5+01:00", "2026-02-25", "2026-02-25", "2026-02-25T08:20:00.500000"),
        ("2026-02-25T23:30:00-05:00", "2026-02-25", "2026-02-25", "2026-02-26T04:30:00.000000"),
        (" 2026-02-25 ", "2026-02-25", "2026-02-25", ""),
        ("2026-02-25T99:99", "2026-02-25", "2026-02-25", ""),
        ("2026-02-25 (reported)", "2026-02-25", "2026-02-25", ""),
    ],
)
def test_the_day_is_the_day_as_written(text: str, earliest: str, latest: str, moment: str) -> None:
    read = when(text)
    assert read
    assert (read.earliest.isoformat(), read.latest.isoformat(), read.moment) == (earliest, latest, moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "25.02.2026",
        "02/25/2026",
        "2026-13",
        "2026-02-30",
        "0000",
        "20260225",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_names_no_calendar_day_is_no_date(text: str) -> None:
    assert when(text) is None


def test_the_first_readable_of_several_counts() -> None:
    read = first_readable("", "soon", "2026-02-25", "2026-03-01")
    assert read
    assert read.earliest == date(2026, 2, 25)
    assert first_readable("", "soon") is None


def test_a_period_ends_before_it_starts_to_count() -> None:
    assert end_or_start(Period("2026-01-01", "2026-02-01")) == ("2026-02-01", "2026-01-01")
    assert end_or_start(None) == ("", "")
