"""What an EMG found, where the record says it in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from mappings.facts import DataGap, Finding
from mappings.from_fhir.vocabulary import NEURO_EXAM_ABNORMAL, NEURO_EXAM_NORMAL, NEURO_EXAM_UNLESS, plain
from terminology.concepts import concepts_of

EMG: Final = "emg_ncs"
"""The test, an id of `terminology`."""
ABNORMAL: Final = "emg_abnormality"


def read_emg(
    tests: Iterable[str], words: str, day: date | None, resource: str
) -> Iterator[Finding | DataGap]:
    """An EMG that its words call abnormal; words that say neither that nor that it is normal were not understood."""
    text = plain(words)
    if EMG not in tests or not text:
        return
    if text in NEURO_EXAM_ABNORMAL or ABNORMAL in concepts_of((), f"{text} EMG").concepts:
        yield Finding(
            ABNORMAL, present=True, objective=True, text=f"EMG: {words}", date=day, resource=resource
        )
    elif not NEURO_EXAM_NORMAL.match(text) or NEURO_EXAM_UNLESS.search(text):
        said_so = "the words of an EMG were not understood" + (f" ({day.isoformat()})" if day else "")
        yield DataGap(ABNORMAL, "not-readable", said_so, resource, day)
