"""Whether a resource is known on the day of the export as it stands, so that its history need not be read again."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from cds_hooks.replay.heads import Elements, Line
from cds_hooks.replay.tidy import Result
from mappings.from_fhir.dates import when
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.problems import UNDER_WAY
from mappings.from_fhir.shapes import Observation

OTHER_ABATEMENTS: Final = (b'"abatementPeriod', b'"abatementString')
MOST_DAYS: Final = 100_000
"""What is remembered, so that memory stays bounded."""


class _Times(msgspec.Struct, gc=False, rename="camel"):
    effective_date_time: str = ""
    issued: str = ""


_times: Final = msgspec.json.Decoder(_Times)


class Settled:
    """Answers for one day, by what `dated` would read of a resource; what is not settled is left to that."""

    def __init__(self, day: str) -> None:
        """`day` is empty if there are several."""
        self._day = day
        self._days: dict[str, bool] = {}

    def holds(self, line: Line, content: bytes) -> bool:
        """Whether the resource is known on the day as it stands."""
        head, known = line.head, self.is_known
        settled = False
        if self._day and head is not None:
            match line.kind:
                case b"E":
                    start, end = (head.period.start, head.period.end) if head.period else ("", "")
                    settled = (is_over(line) or known(start)) and (not end or known(end))
                    settled = settled and b'"actualPeriod' not in content
                case b"R":
                    settled = known(head.authored_on) and self._has_ended(head)
                    settled = settled and b'"effectivePeriod' not in content
                case b"C":
                    ended = head.abatement_date_time
                    settled = known(head.recorded_date) and (not ended or known(ended))
                    settled = settled and not any(name in content for name in OTHER_ABATEMENTS)
                case b"T":
                    settled = b'"deceased' not in content
                case b"S":
                    settled = head.status == "active" and known(head.date_asserted)
                case b"V":
                    settled = known(head.authored_on)
                case b"Q":
                    settled = known(head.authored)
                case b"O":
                    settled = self.holds_of_result(head)
                case _:
                    pass
        return settled

    def _has_ended(self, head: Elements) -> bool:
        """Whether a medicine that has ended had done so on the day."""
        if head.status == "active":
            return True
        known, period = self.is_known, head.dispense_request and head.dispense_request.validity_period
        ends = (head.status_changed, period.end if period else "")
        return all(known(end) for end in ends if end)

    def holds_of_line(self, result: bytes) -> bool:
        """Whether a result that waits is known on the day as it stands."""
        try:
            return self.holds_of_result(_times.decode(result))
        except DATA_ERRORS:
            return False

    def holds_of_result(self, head: Result | Observation | Elements | _Times) -> bool:
        """Whether a result is known on the day as it stands."""
        known = self.is_known
        return known(head.effective_date_time) and (not head.issued or known(head.issued))

    def is_known(self, time: str) -> bool:
        """Whether a stated time is not after the day; False if it cannot be read or there are several days."""
        start = time[:11]  # the day and what ends it, without the time of day, which hardly ever repeats
        try:
            return self._days[start]
        except KeyError:
            stated = when(start)
        if len(self._days) > MOST_DAYS:
            self._days.clear()
        known = bool(self._day and stated and stated.earliest.isoformat() <= self._day)
        self._days[start] = known
        return known


@lru_cache(4)
def settled_on(day: str) -> Settled:
    """The same for many patients, so that days are read once."""
    return Settled(day)


def is_over(line: Line) -> bool:
    """Whether a settled resource is an encounter that is not under way: no chart that is opened on the day is part of it."""
    head = line.head
    return line.kind == b"E" and head is not None and head.status.strip().lower() not in UNDER_WAY
