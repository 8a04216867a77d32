"""What a card's identifier tells about its patient, to this site only: a keyed digest and the situation, masked."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Final, NamedTuple

from cds_hooks.advice_id import content_of
from cds_hooks.quiet.situation import Situation

NONCE: Final = 3
"""Bytes that differ from card to card, so that two cards of one patient look unrelated."""
MASKED: Final = 9
"""Bytes of patient (44 bits) and situation (28 bits)."""
SITUATION_BITS: Final = 28


class Note(NamedTuple):
    """Which patient (11 hexadecimal digits of an HMAC), and how the situation was."""

    patient: str
    situation: Situation


class Keys:
    """All that needs the site's secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def patient(self, *parts: str) -> str:
        """What stands for a patient (and a user): the first 44 bits of an HMAC-SHA-256 over `parts`."""
        return self._digest(b"patient", "\x1f".join(parts).encode()).hex()[:11]

    def sealed(self, note: Note) -> bytes:
        """The note as the content of an identifier (`advice_id.new_id`)."""
        nonce = os.urandom(NONCE)
        plain = int(note.patient, 16) << SITUATION_BITS | note.situation.number
        return nonce + (plain ^ self._mask(nonce)).to_bytes(MASKED)

    def opened(self, identifier: str) -> Note | None:
        """The note in an identifier of ours. One that holds none opens to a patient that nobody is."""
        content = content_of(identifier)
        if not content:
            return None
        nonce, masked = content[:NONCE], content[NONCE:]
        plain = int.from_bytes(masked) ^ self._mask(nonce)
        situation = Situation.of_number(plain & (1 << SITUATION_BITS) - 1)
        return Note(f"{plain >> SITUATION_BITS:011x}", situation)

    def _mask(self, nonce: bytes) -> int:
        return int.from_bytes(self._digest(b"mask", nonce)[:MASKED])

    def _digest(self, purpose: bytes, content: bytes) -> bytes:
        return hmac.digest(self._secret, purpose + b"\x1f" + content, hashlib.sha256)
