"""Where the lines of one chunk go: to their patient, or to the id of a Medication, each in its partition."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import msgspec

from cds_hooks.replay import segments
from cds_hooks.replay.passed_over import plain_patient
from cds_hooks.replay.segments import KEY_BYTES, Held, Spill, partition_of
from cds_hooks.replay.unmapped import Unmapped

UNMAPPED: Final = b"U-"
WANTED: Final = b"W"
"""Beside the resources: what is not known, and who needs which Medication."""
MOST_SEEN: Final = 200_000
"""What is remembered of a chunk, so that memory stays bounded."""


class Destinations(dict[str, Held | None]):
    """By patient: where lines go. None if of nobody, or of one who is not in the sample.

    Held until they are many, then spilled. A `sample` of less than 1 keeps so many of the patients, chosen by `seed`.
    """

    def __init__(self, folder: Path, name: str, partitions: int, sample: float, seed: int) -> None:
        super().__init__()
        self.patients, self.medications = Spill(folder, f"{name}.p"), Spill(folder, f"{name}.m")
        self._partitions, self._sample, self._seed = partitions, sample, seed
        self._named: dict[str, Held | None] = {}
        self._seen: set[tuple[str, object]] = set()
        self._size = 0

    def __missing__(self, patient: str) -> Held | None:
        if not is_named(patient) or (self._sample < 1 and not self._is_sampled(patient)):
            return None
        held = self[patient] = self.patients.held(partition_of(patient, self._partitions), patient.encode())
        self._size += KEY_BYTES
        return held

    def plainly_named(self, reference: str) -> Held | None:
        """Where the lines go of whom a reference names; None if the record decides that, or lines go nowhere."""
        if reference not in self._named:
            self._named[reference] = self[plain_patient(reference)]
        return self._named[reference]

    def grow(self, size: int) -> None:
        """Bytes that were added to a patient."""
        self._size += size

    @property
    def are_full(self) -> bool:
        """Whether it is time to flush."""
        return self._size >= segments.RUN_BYTES

    def flush(self) -> None:
        """Write what is held; where lines went is no longer valid."""
        self.patients.flush()
        self.medications.flush()
        self.clear()
        self._named.clear()
        self._size = 0

    def medication(self, id_: str, kind: bytes, content: bytes) -> None:
        """A Medication, or who wants it: by its id."""
        if "\n" not in id_:
            self.medications.held(partition_of(id_, self._partitions), id_.encode()).of(kind).append(content)
            self._size += KEY_BYTES + len(content)

    def wanted(self, id_: str, patient: str) -> None:
        """Who needs which Medication."""
        if self._is_new(patient, id_):
            self.medication(id_, WANTED, patient.encode())

    def note(self, patient: str, unknown: Unmapped) -> None:
        """What is not known."""
        held = self[patient] if self._is_new(patient, unknown) else None
        if held is not None:
            held.of(UNMAPPED).append(msgspec.json.encode(unknown))

    def _is_new(self, patient: str, said: object) -> bool:
        """Whether this was not said of the patient in this chunk yet, as far as that is remembered."""
        if len(self._seen) > MOST_SEEN:
            self._seen.clear()
        before = len(self._seen)
        self._seen.add((patient, said))
        return len(self._seen) > before

    def _is_sampled(self, patient: str) -> bool:
        """By the id alone, so that every resource of a patient is in or out."""
        drawn = hashlib.blake2b(f"{self._seed}/{patient}".encode(), digest_size=4).digest()
        return int.from_bytes(drawn) < self._sample * 2**32


class Places(dict[str, list[Any]]):
    """Reference to the patient -> where results that wait go until the next flush, each with its id.

    With `unknown`, of results that say something which is not known; it is noted of each patient.
    """

    def __init__(self, flag: bytes, destinations: Destinations, unknown: Unmapped | None = None) -> None:
        super().__init__()
        self.tag, self._destinations = b"O" + flag, destinations
        self._noted = msgspec.json.encode(unknown) if unknown else b""
        self.together: tuple[Places, ...] = (self,)
        """Where the same references will be looked for."""

    def __missing__(self, reference: str) -> list[Any]:
        """Raises KeyError if results of this subject do not wait, or go nowhere."""
        held = self._destinations.plainly_named(reference)
        if held is None:
            raise KeyError(reference)
        if self._noted:
            held.of(UNMAPPED).append(self._noted)
        for places in self.together:
            places[reference] = held.waiting.setdefault(places.tag, [])
        return self[reference]


def is_named(patient: str) -> bool:
    """Whether this is the id of a patient that can be kept."""
    return bool(patient) and "\n" not in patient
