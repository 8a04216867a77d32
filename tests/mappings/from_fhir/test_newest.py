"""Of each analyte the newest usable result is read, and what is newer; the answer is the same as with all of them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mappings.assess.assess import assess
from mappings.facts import PatientFacts
from mappings.from_fhir.read import Source, read_patient_facts
from mappings.knowledge import load_knowledge

TODAY = date(2026, 3, 1)
Json = dict[str, Any]


def potassium(day: str, value: float | None = 4.0, unit: str | None = "mmol/L", number: int = 0) -> Json:
    quantity = {"value": value} | ({"unit": unit} if unit else {})
    return {
        "resourceType": "Observation",
        "id": f"k{number}-{day}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "effectiveDateTime": day,
    } | ({"valueQuantity": quantity} if value is not None else {})


def facts(observations: list[Json], *, until: date | None = TODAY) -> PatientFacts:
    twitching = {
        "resourceType": "Condition",
        "id": "t",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}]},
    }
    entries = [{"resource": resource} for resource in (twitching, *observations)]
    bundle = json.dumps({"resourceType": "Bundle", "entry": entries}).encode()
    return read_patient_facts("p", [Source("all", bundle, ("Condition", "Observation"))], until)


def days(read: PatientFacts) -> list[str]:
    return sorted(result.date.isoformat() for result in read.labs)


def test_superseded_results_are_not_read() -> None:
    assert days(facts([potassium("2026-02-01"), potassium("2026-02-20"), potassium("2025-01-01")])) == [
        "2026-02-20"
    ]


def test_all_results_of_the_newest_day_are_read() -> None:
    assert len(days(facts([potassium("2026-02-20", number=1), potassium("2026-02-20", 2.4, number=2)]))) == 2


def test_an_unreadable_newer_result_leaves_its_gap_and_the_older_one_is_read() -> None:
    read = facts([potassium("2026-02-20", unit=None), potassium("2026-02-01")])
    assert days(read) == ["2026-02-01"]
    assert [gap.reason for gap in read.gaps if gap.what == "potassium"] == ["no-unit"]


def test_a_result_from_the_future_supersedes_nothing() -> None:
    assert days(facts([potassium("2027-01-01"), potassium("2026-02-01")])) == ["2026-02-01", "2027-01-01"]


def test_without_a_day_everything_is_read() -> None:
    assert len(days(facts([potassium("2026-02-01"), potassium("2026-02-20")], until=None))) == 2


@given(
    st.lists(
        st.tuples(
            st.dates(date(2025, 6, 1), date(2026, 3, 3)),
            st.sampled_from([2.3, 2.8, 3.3, 4.1, 6.7, None]),
            st.sampled_from(["mmol/L", "mmol/L", "mmol/L", None, "K/uL"]),
        ),
        max_size=8,
    )
)
def test_the_ranking_is_the_same_as_with_all_results(
    sent: list[tuple[date, float | None, str | None]],
) -> None:
    observations = [potassium(day.isoformat(), value, unit, n) for n, (day, value, unit) in enumerate(sent)]
    newest, everything = facts(observations), facts(observations, until=None)
    first, second = (assess(read, load_knowledge(), TODAY) for read in (newest, everything))
    assert (first.contributors, first.safety, first.indicator) == (
        second.contributors,
        second.safety,
        second.indicator,
    )
    assert [test.id for test in first.tests] == [test.id for test in second.tests]
