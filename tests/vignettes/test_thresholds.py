"""The threshold table of the clinical knowledge page (section 2c): what a result alone makes of an adult, value by value.

`-` is nothing, `said` is considered and not ranked; a letter is the tier; `safety` comes before the tier of a safety item.
On a limit counts as the table has it; limits themselves are normal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mappings.assessment import Assessment

TABLE = {
    "potassium mmol/L": "2.5 A, 2.6 C1, 2.9 C1, 3.0 C2, 3.4 C2, 3.5 -, 5.4 -, 5.5 said, 5.9 said, 6.0 safety C1, 6.4 safety C1, "
    "6.5 safety A",
    "potassium meq/L": "2.5 A, 2.6 C1, 2.9 C1, 3.0 C2, 3.4 C2, 3.5 -, 6.5 safety A",
    "magnesium mmol/L": "0.40 A, 0.41 C1, 0.49 C1, 0.50 C1, 0.69 C1, 0.70 -",
    "magnesium mg/dL": "0.97 A, 0.98 C1, 1.19 C1, 1.69 C1, 1.7 -",
    "magnesium meq/L": "0.80 A, 0.81 C1, 0.99 C1, 1.39 C1, 1.4 -",
    "calcium_ionised mmol/L": "0.89 A, 0.90 C1, 1.11 C1, 1.12 -",
    "calcium_ionised mg/dL": "3.59 A, 3.6 C1, 4.49 C1, 4.5 -",
    "calcium_total mmol/L": "1.89 A, 1.90 C1, 2.11 C1, 2.12 -, 2.61 C2, 2.99 C2, 3.0 C1, 3.5 C1, 3.51 safety A",
    "calcium_total mg/dL": "7.5 A, 7.6 C1, 8.4 C1, 8.5 -, 10.5 C2, 11.9 C2, 12 C1, 14 C1, 14.1 safety A",
    "calcium_adjusted mmol/L": "1.89 A, 1.90 C1, 2.11 C1, 2.12 -, 2.61 C2, 2.99 C2, 3.0 C1, 3.5 C1, 3.51 safety A",
    "sodium mmol/L": "120 A, 121 C1, 124 C1, 125 C2, 129 C2, 130 said, 134 said, 135 -",
    "phosphate mmol/L": "0.30 A, 0.31 C2, 0.79 C2, 0.80 -",
    "phosphate mg/dL": "0.93 A, 0.94 C2, 2.49 C2, 2.5 -",
    "bicarbonate mmol/L": "30 -, 31 C2",
    "egfr mL/min/{1.73_m2}": "14 C1, 15 C2, 29 C2, 30 said, 59 said, 60 -",
    "tsh m[IU]/L": "0.09 C2, 0.1 said, 0.39 said, 0.4 -, 4.0 -, 4.1 said, 10 said, 10.1 C2",
    "vitamin_d_25oh ng/mL": "11 F, 12 F, 19 F, 19.9 F, 20 said, 29 said",
    "vitamin_d_25oh nmol/L": "29 F, 30 F, 49 F, 50 said, 74 said",
    "vitamin_b12 ng/L": "179 C2, 180 said, 349 said, 351 -",
    "vitamin_b12 pmol/L": "132 C2, 133 said, 257 said, 259 -",
    "active_b12 pmol/L": "24 C2, 25 said, 69 said, 71 -",
    "plp nmol/L": "19 C2, 20 said, 30 said",
    "lithium mmol/L": "1.0 -, 1.01 C1, 1.49 C1, 1.5 A",
    "ck U/L": "4999 said, 5000 safety A",
    "glucose mmol/L": "2.9 said, 3.8 said, 3.9 -",
}
CASES = [
    pytest.param(name.split(), row.strip().partition(" "), id=f"{row.strip()} of {name}")
    for name, rows in TABLE.items()
    for row in rows.split(",")
]


@pytest.mark.parametrize(("name", "row"), CASES)
def test_a_threshold(
    name: list[str], row: tuple[str, str, str], assessed: Callable[[dict[str, Any]], Assessment]
) -> None:
    (analyte, unit), (value, _, wanted) = name, row
    interval = " [30-200]" if analyte == "ck" else ""
    labs = [f"{analyte} {value} {unit}{interval} 2026-02-27"]
    labs += ["albumin 42 g/L 2026-02-27"] if analyte == "calcium_total" else []
    patient = {
        "patient": {"age": 50},
        "twitching": {"onset": "2026-01-10", "site": "calves"},
        "labs": labs,
        "today": "2026-03-01",
    }
    answer = assessed(patient)
    found = [item.tier for item in answer.contributors] + [f"safety {item.tier}" for item in answer.safety]
    assert found == ([wanted] if wanted not in ("-", "said") else [])
    if not found:
        assert bool([item for item in answer.considered if item.id != "benign_fasciculation"]) == (
            wanted == "said"
        )
