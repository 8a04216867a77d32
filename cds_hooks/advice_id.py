"""Identifiers of cards and suggestions that say what they identify, so that feedback needs no memory of what was sent.

A UUID of version 8 (RFC 9562, section 5.8): 24 bits name the subject (`topic:twitching-tests`, `test:magnesium`), the
other 98 are random. Nothing in it is about the patient, the client or the time, unless a site lets overridden advice
stay quiet: then 96 of them hold a masked key of the patient (cds_hooks/quiet).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

OURS = re.compile(r"([0-9a-f]{6})[0-9a-f]{2}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
VARIANT = "89ab"
TOPIC, TEST = "topic:", "test:"
"""How the subjects begin: what kind of advice a card is, which test a suggestion orders."""


class AmbiguousSubjectsError(ValueError):
    """Two subjects with the same 24 bits; one of them needs another name."""


def new_id(subject: str, content: bytes = b"") -> str:
    """A new identifier of something about `subject`; `content` stands for the first of its random bytes, 12 at most."""
    random = (content + os.urandom(13 - len(content))).hex()
    variant = VARIANT[int(random[25], 16) & 3]
    return f"{_tag(subject)}{random[:2]}-{random[2:6]}-8{random[6:9]}-{variant}{random[9:12]}-{random[12:24]}"


def content_of(identifier: str) -> bytes:
    """The 12 bytes that `new_id` was given, or random ones; empty for an identifier that is not ours."""
    ours = OURS.fullmatch(identifier.strip().lower())
    if ours is None:
        return b""
    digits = ours[0].replace("-", "")
    return bytes.fromhex(digits[6:12] + digits[13:16] + digits[17:])


def subject_of(identifier: str, subjects: Mapping[str, str]) -> str:
    """What the identifier is about, of `subjects` (made by `by_tag`); empty for an identifier that is not ours."""
    ours = OURS.fullmatch(identifier.strip().lower())
    return subjects.get(ours[1], "") if ours else ""


def by_tag(subjects: Iterable[str]) -> dict[str, str]:
    """The subjects by the bits that stand for them. Raises AmbiguousSubjectsError."""
    found: dict[str, str] = {}
    for subject in subjects:
        if found.setdefault(_tag(subject), subject) != subject:
            raise AmbiguousSubjectsError(f"`{subject}` and `{found[_tag(subject)]}` cannot be told apart")
    return found


@lru_cache(maxsize=1024)
def _tag(subject: str) -> str:
    """Six hexadecimal digits, the same in every release."""
    return hashlib.blake2b(subject.encode(), digest_size=3).hexdigest()
