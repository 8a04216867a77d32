"""Which Observations a call without documented twitching makes nothing of, by their codes and by what they say in words.

The reader sorts Observations by their code. Unless twitching is documented it does not read those whose code names an
analyte; and of those whose codes say nothing to it, it makes nothing if their values are numbers, or words that say
nothing either: a blood pressure, whether somebody smokes.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from cds_hooks.replay.passed_over import NOTHING, UNREAD
from cds_hooks.replay.unmapped import analyte_of
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import Chart
from mappings.from_fhir.datatypes import CodeableConcept
from mappings.from_fhir.details import DATA_ERRORS
from mappings.from_fhir.limits import Person
from mappings.from_fhir.meaning import meaning_of
from mappings.from_fhir.memory import LONGEST, MOST
from mappings.from_fhir.observation import read_observation
from mappings.from_fhir.shapes import Observation, Result

MOST_REMEMBERED: Final = 20_000
"""Of a chunk, so that memory stays bounded."""


class Code(NamedTuple):
    """What the code of an Observation decides, as JSON; `flag` is empty if the Observation has to be read."""

    flag: bytes
    analyte: str | None
    """As `unmapped.analyte_of`."""


class Codes(dict[bytes, Code]):
    """By code; looked up when it is first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._words: dict[_Words, bool] = {}

    def __missing__(self, written: bytes) -> Code:
        code = Code(_flag(written), analyte_of(written))
        if len(written) <= LONGEST:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[written] = code
        return code

    def may_wait(self, observation: Observation, flag: bytes) -> bool:
        """Whether an Observation whose code has this flag is a plain result, about nobody but its subject.

        One that says something in words has to have the elements that the reader leaves as JSON; see `needs_all`.
        """
        if not flag or observation.has_member or observation.focus or observation.patient:
            return False
        if flag == UNREAD:
            return not observation.component
        parts = observation.component
        if not all(self[b"" + part.code_json].flag == NOTHING for part in parts):
            return False
        return all(self._say_nothing(part, observation) for part in (observation, *parts) if _is_worded(part))

    def _say_nothing(self, part: Result, observation: Observation) -> bool:
        """Whether the reader makes nothing of what a part says in words: asked of the reader itself."""
        said = _Words(
            observation.status,
            b"" + observation.category_json,
            b"" + part.code_json,
            b"" + part.interpretation_json,
            part.value_string,
            part.value_codeable_concept,
            part.value_boolean,
            part.data_absent_reason,
        )
        known = self._words.get(said)
        if known is None:
            known = not _facts_in(said)
            if len(msgspec.json.encode(said)) <= LONGEST:
                if len(self._words) >= MOST:
                    self._words.clear()
                self._words[said] = known
        return known and _names_performers(observation)


class _Words(NamedTuple):
    """All of a part that the reader looks at, but for who reported it."""

    status: str
    category: bytes
    code: bytes
    interpretation: bytes
    string: str
    concept: CodeableConcept | None
    boolean: bool | None
    absent: CodeableConcept | None


def _facts_in(said: _Words) -> list[object]:
    observation = Observation(
        status=said.status,
        category_json=Raw(said.category),
        code_json=Raw(said.code),
        interpretation_json=Raw(said.interpretation),
        value_string=said.string,
        value_codeable_concept=said.concept,
        value_boolean=said.boolean,
        data_absent_reason=said.absent,
    )
    try:
        return list(read_observation(Item("Observation", observation), Chart(), Person(), {}))
    except DATA_ERRORS as error:
        return [error]


def _names_performers(observation: Observation) -> bool:
    with suppress(*DATA_ERRORS):
        return isinstance(observation.performer, tuple)
    return False


def needs_all(observation: Observation, flag: bytes) -> bool:
    """Whether `may_wait` looks at words."""
    return flag == NOTHING and any(map(_is_worded, (observation, *observation.component)))


def _is_worded(part: Result) -> bool:
    return bool(part.value_string or part.value_codeable_concept)


def _flag(written: bytes) -> bytes:
    observation = Observation(code_json=Raw(written))
    try:
        meaning, named = meaning_of(observation), observation.code
    except DATA_ERRORS:
        meaning = named = None
    if meaning is None or named is None or meaning.pregnancy_status:
        return b""
    if meaning.lab.analyte:
        return UNREAD
    says_nothing = bool(named.coding or named.text) and not meaning.history
    return NOTHING if says_nothing else b""
