"""Calls as an attacker, a broken interface or a careless client would send them, made from good ones."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from benchmarks.hostile.pools import (
    DATES,
    FORBIDDEN,
    NUMBERS,
    RAW,
    REFERENCES,
    STRUCTURES,
    TEXTS,
    TYPES,
    UNITS,
)
from benchmarks.hostile.verdict import MARKER

QUOTED = re.compile(f'"{RAW}([^"]*)"')
LARGE = 300_000
"""Calls are not swollen beyond about this many characters: many requests find more than large ones."""


def mutated(call: Any, chance: Random) -> bytes:
    """The body of one hostile call, made from a good one, which stays as it is."""
    call = copy.deepcopy(call)
    if chance.random() < 0.7:
        _mark(call, chance.choice((0.2, 0.6, 1.0)), chance)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        if _places(call):
            chance.choice(TREE)(call, chance)
    body = _text(call)
    return chance.choice(BYTES)(body, chance) if chance.random() < 0.15 else body


def _text(call: Any) -> bytes:
    """JSON, with raw text where it was asked for."""
    text = json.dumps(call, ensure_ascii=False)
    return QUOTED.sub(lambda found: found[1].replace("'", '"'), text).encode("utf-8", "surrogatepass")


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    found, waiting = [], [value] if isinstance(value, dict | list) else []
    while waiting:
        here = waiting.pop()
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        for key in keys:
            found.append((here, key))
            if isinstance(here[key], dict | list):
                waiting.append(here[key])
    return found


def _mark(call: Any, share: float, chance: Random) -> None:
    """Plant the marker in a share of all strings below `prefetch`, and in the names beside them."""
    for holder, key in _places(call.get("prefetch", call) if isinstance(call, dict) else call):
        if isinstance(holder[key], str) and chance.random() < share:
            holder[key] = chance.choice((f"{holder[key]}{MARKER}", MARKER, f"{MARKER} {holder[key]}"))
        if isinstance(holder, dict) and chance.random() < share / 20:
            holder[f"{MARKER}{len(holder)}"] = MARKER


def _replace(make: Callable[[Random], Any]) -> Callable[[Any, Random], None]:
    """A mutation that puts another value in some place."""

    def mutate(call: Any, chance: Random) -> None:
        holder, key = chance.choice(_places(call))
        holder[key] = copy.deepcopy(make(chance))

    return mutate


def _where(test: Callable[[Any, Any], bool], make: Callable[[Random], Any]) -> Callable[[Any, Random], None]:
    """A mutation that puts another value in a place of some kind."""

    def mutate(call: Any, chance: Random) -> None:
        places = [place for place in _places(call) if test(place[1], place[0][place[1]])]
        if places:
            holder, key = chance.choice(places)
            holder[key] = copy.deepcopy(make(chance))

    return mutate


def _remove(call: Any, chance: Random) -> None:
    holder, key = chance.choice(_places(call))
    del holder[key]


def _wrap(call: Any, chance: Random) -> None:
    holder, key = chance.choice(_places(call))
    holder[key] = chance.choice(([holder[key]], {"value": holder[key]}, [holder[key], holder[key]]))


def _transplant(call: Any, chance: Random) -> None:
    """A subtree in another place: resources in resources, values where lists belong."""
    (source, name), (target, key) = chance.choice(_places(call)), chance.choice(_places(call))
    target[key] = copy.deepcopy(source[name])


def _rename(call: Any, chance: Random) -> None:
    holder, key = chance.choice(_places(call))
    if not isinstance(holder, dict):
        return
    holder[chance.choice((key.upper(), f"_{key}", f"{key} ", MARKER, "", "resourceType", "value[x]"))] = (
        holder.pop(key)
    )


def _deepen(call: Any, chance: Random) -> None:
    depth = chance.choice((20, 200, 900, 5_000))
    open_, close = chance.choice((("[", "]"), ("{'a':", "}"), ("{'extension':[", "]}")))
    holder, key = chance.choice(_places(call))
    holder[key] = f"{RAW}{open_ * depth}1{close * depth}"


def _swell(call: Any, chance: Random) -> None:
    lists = [holder[key] for holder, key in _places(call) if isinstance(holder[key], list) and holder[key]]
    if lists:
        chosen = chance.choice(lists)
        room = LARGE // len(json.dumps(call))
        chosen.extend([copy.deepcopy(chosen[0])] * min(chance.choice((2, 50, 400)), room))


def _cut(body: bytes, chance: Random) -> bytes:
    return body[: chance.randrange(len(body))]


def _insert(body: bytes, chance: Random) -> bytes:
    place = chance.randrange(len(body))
    return body[:place] + chance.choice(FORBIDDEN) + body[place:]


def _flip(body: bytes, chance: Random) -> bytes:
    content = bytearray(body)
    for _ in range(chance.choice((1, 3, 20))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def _repeat_member(body: bytes, chance: Random) -> bytes:
    """The same member twice, with another value the second time."""
    name = chance.choice(
        (b'"hook"', b'"context"', b'"patientId"', b'"prefetch"', b'"resourceType"', b'"code"')
    )
    place = body.find(name)
    return body if place < 0 else body[:place] + name + b': "' + MARKER.encode() + b'", ' + body[place:]


TREE: tuple[Callable[[Any, Random], None], ...] = (
    _replace(lambda c: c.choice(STRUCTURES)),
    _replace(lambda c: c.choice(TEXTS) + MARKER),
    _replace(lambda c: c.choice(NUMBERS)),
    _where(
        lambda key, _: "date" in str(key).lower() or key in ("start", "end", "issued"),
        lambda c: c.choice(DATES),
    ),
    _where(lambda _, value: isinstance(value, int | float), lambda c: c.choice(NUMBERS)),
    _where(lambda key, _: key in ("unit", "code", "system"), lambda c: c.choice(UNITS)),
    _where(lambda key, _: key == "resourceType", lambda c: c.choice(TYPES)),
    _where(lambda key, _: key in ("reference", "fullUrl", "url", "id"), lambda c: c.choice(REFERENCES)),
    _where(lambda _, value: isinstance(value, str), lambda c: c.choice(TEXTS)),
    _where(
        lambda _, value: isinstance(value, dict | list), lambda c: c.choice((MARKER, 7, None, *STRUCTURES))
    ),
    _remove,
    _remove,
    _wrap,
    _transplant,
    _rename,
    _deepen,
    _swell,
)
BYTES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _cut,
    _insert,
    _flip,
    _repeat_member,
    lambda body, _: b"\xef\xbb\xbf" + body,
    lambda body, _: body.decode("utf-8", "replace").encode("utf-16"),
    lambda body, _: body + body,
    lambda body, _: b"[" + body + b"]",
    lambda body, chance: body.replace(b" ", chance.choice((b"\t\r\n", b"\x0b", b"\xc2\xa0"))),
)
