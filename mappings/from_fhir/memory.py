"""What short texts and codes were found to mean, remembered: charts repeat the same few thousand of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

import msgspec

LONGEST: Final = 1000
"""Bytes as JSON. What a stranger sends must not fill the memory."""
MOST: Final = 4096

_all: Final[list[dict[Any, Any]]] = []

Asked = TypeVar("Asked")
Found = TypeVar("Found")


def remember(find: Callable[[Asked], Found]) -> Callable[[Asked], Found]:
    """Keeps what a pure function found for short arguments; starts anew when there are too many."""
    known: dict[Asked, Found] = {}
    _all.append(known)

    @wraps(find)
    def recall(asked: Asked) -> Found:
        try:
            return known[asked]
        except KeyError:
            found = find(asked)
        if len(msgspec.json.encode(asked)) <= LONGEST:
            if len(known) >= MOST:
                known.clear()
            known[asked] = found
        return found

    return recall


def forget() -> None:
    """Look everything up anew from now on: what codes mean has changed."""
    for known in _all:
        known.clear()
