"""Which Observations change nothing unless twitching is documented, by their codes and by what they say in words.

The reader sorts Observations by their code. Unless twitching is documented it does not read those whose code names an
analyte. Of the others it makes findings, measures and tests that were carried out, or nothing: a pulse, a blood pressure,
whether somebody smokes. None of these matters then, but for twitching itself and for what could not be read.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from cds_hooks.replay.passed_over import NOTHING, UNREAD
from cds_hooks.replay.tidy import NO_QUANTITY
from cds_hooks.replay.unmapped import analyte_of
from mappings.facts import Finding, Measure, Order
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.datatypes import CodeableConcept, Quantity
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.limits import Person
from mappings.from_fhir.meaning import meaning_of
from mappings.from_fhir.memory import LONGEST, MOST
from mappings.from_fhir.observation import read_observation
from mappings.from_fhir.shapes import Observation, Result

MOST_REMEMBERED: Final = 20_000
"""Of a chunk, so that memory stays bounded."""
UNHEARD: Final = (Finding, Measure, Order)
"""Facts that matter only beside documented twitching."""
NO_QUANTITIES: Final = (None, NO_QUANTITY)
ONE: Final = Quantity(value=Decimal(1))


class Code(NamedTuple):
    """What the code of an Observation decides, as JSON."""

    flag: bytes
    """Under which results wait; empty if they have to be read."""
    suffices: bool
    """Nothing else decides about a result that says nothing in words and has no components."""
    analyte: str | None
    """As `unmapped.analyte_of`."""


class Codes(dict[bytes, Code]):
    """By code; looked up when it is first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[_Said, bool] = {}

    def __missing__(self, written: bytes) -> Code:
        code = Code(*_decided(written), analyte_of(written))
        if len(written) <= LONGEST:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[written] = code
        return code

    def may_wait(self, observation: Observation, code: Code) -> bool:
        """Whether an Observation with this code changes nothing, and is about nobody but its subject."""
        if not code.flag or observation.has_member or observation.focus or observation.patient:
            return False
        if code.flag == UNREAD:
            return not observation.component
        for part in observation.component:
            if not self._changes_nothing(part, observation):
                return False
        return self._changes_nothing(observation, observation)

    def _changes_nothing(self, part: Result, observation: Observation) -> bool:
        written = b"" + part.code_json
        code = self[written]
        if code.suffices and not (part.value_string or part.value_codeable_concept):
            return code.flag == NOTHING
        said = _Said(
            observation.status,
            b"" + observation.category_json,
            written,
            b"" + part.interpretation_json,
            part.value_string,
            part.value_codeable_concept,
            part.value_boolean,
            part.value_integer is not None or part.value_quantity not in NO_QUANTITIES,
            part.data_absent_reason,
        )
        try:
            known = self._said[said]
        except KeyError:
            known = code.flag == NOTHING and _is_unheard(said)
            if len(msgspec.json.encode(said)) <= LONGEST:
                if len(self._said) >= MOST:
                    self._said.clear()
                self._said[said] = known
        return known and _names_performers(b"" + observation.performer_json)


class _Said(NamedTuple):
    """All of a part that decides which kinds of facts the reader makes of it."""

    status: str
    category: bytes
    code: bytes
    interpretation: bytes
    string: str
    concept: CodeableConcept | None
    boolean: bool | None
    number: bool
    absent: CodeableConcept | None


def _is_unheard(said: _Said) -> bool:
    """Asked of the reader itself."""
    observation = Observation(
        status=said.status,
        category_json=Raw(said.category),
        code_json=Raw(said.code),
        interpretation_json=Raw(said.interpretation),
        value_string=said.string,
        value_codeable_concept=said.concept,
        value_boolean=said.boolean,
        value_quantity=ONE if said.number else None,
        data_absent_reason=said.absent,
    )
    try:
        facts = list(read_observation(Item("Observation", observation), Chart(), Person(), {}))
    except DATA_ERRORS:
        return False
    return all(isinstance(fact, UNHEARD) for fact in facts)


def _names_performers(written: bytes) -> bool:
    try:
        Observation.performer.read(written)
    except DATA_ERRORS:
        return False
    return True


def _decided(written: bytes) -> tuple[bytes, bool]:
    observation = Observation(code_json=Raw(written))
    try:
        meaning, named = meaning_of(observation), observation.code
    except DATA_ERRORS:
        meaning = named = None
    if meaning is None or named is None or meaning.pregnancy_status or not (named.coding or named.text):
        return b"", False
    if meaning.lab.analyte:
        return UNREAD, True
    return NOTHING, not meaning.history
