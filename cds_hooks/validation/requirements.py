"""The requirements that findings cite, and for each that no check covers the reason why not."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

FILE = Path(__file__).parent / "requirements.csv"


class Requirement(Struct, frozen=True):
    """One numbered requirement, HL7 invariant, or piece of advice, in our own words.

    `id` is the number in the requirement list of the Inferno test kits (`cds-hooks_2.0@83`), the name of an
    invariant in HL7's logical models (`cds-resp-1`), or, with a `#`, ours for what has no number.
    `not_checked` is empty if a check covers it.
    """

    id: str
    url: str
    conformance: str
    actors: str
    says: str
    not_checked: str


@cache
def requirements() -> Mapping[str, Requirement]:
    """All requirements by id. Raises TypeError if the file has other columns than Requirement has fields."""
    with FILE.open(encoding="utf-8", newline="") as file:
        found = {row["id"]: Requirement(**row) for row in csv.DictReader(file)}
    return MappingProxyType(found)
