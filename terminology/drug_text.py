"""Which medicines a free text names, which it denies, and by which route it says they are taken.

A text is cut into words once. One lexicon, keyed by first word, holds everything that is looked for; at each place the
longest entry wins, so that "ethinyl estradiol" is never read as estradiol. Words are whole: nystatin is no statin.
What the words are is data: names.yaml, routes.yaml, ingredients.csv and brands.csv under terminology/drugs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Literal, TypeAlias

from msgspec import Struct

from terminology.drug_names import Names, Routes, read_routes
from terminology.drug_tables import DrugTables, Member, drug_tables

# A medicine is named at the start of a text; no instruction is this long.
LONGEST = 2_000
CACHED = 300
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|[0-9]+(?:[.,][0-9]+)*|[^\sa-z0-9'-]|\n")


class Entry(Struct, frozen=True, eq=False):
    """What a sequence of words means."""

    words: tuple[str, ...]
    kind: Literal["drug", "route", "denial", "ignored"]
    members: tuple[Member, ...] = ()
    route: str = ""
    """Of a route word: its route group. Of a brand name: how the brand is taken."""
    denies: frozenset[str] = frozenset()
    """Of a denial: what it denies, a name `before` it, `after` it or as the `next` word."""


Lexicon: TypeAlias = dict[str, tuple[Entry, ...]]


class Reading(Struct, frozen=True):
    """What one text says. `members` are named and not denied; `amount`: a plain strength in mg is stated."""

    members: tuple[Member, ...] = ()
    route: str = ""
    brand_route: str = ""
    amount: bool = False


class _Named(Struct):
    entry: Entry
    start: int
    end: int
    joined: bool
    """To the name before it, by "and", "or", a slash."""
    denied: bool


def words(text: str) -> list[str]:
    """Lower-case words, numbers and single signs of a text; accents and hyphens do not matter."""
    text = text[:LONGEST].lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
        text = "".join(sign for sign in text if not unicodedata.combining(sign))
    return _WORD.findall(text)


@lru_cache(maxsize=1024)
def order_route(text: str) -> str:
    """The route group that an order's own route names, "" if it is not understood."""
    found = {entry.route for _, entry in _entries_in(words(text), _order_lexicon())}
    return _narrowest(found, drug_tables().routes)


def read(text: str) -> Reading:
    """What `text` names, denies and says about the route. Never raises."""
    return _read_and_keep(text) if len(text) <= CACHED else _read(text)


def says_no_medicine(text: str) -> bool:
    """Whether `text` states that the patient takes no medicine: "No current medications"."""
    rules = drug_tables().names.no_medicine
    left = [word for word in words(text) if word not in rules.fillers]
    if len(left) == 1:
        return left[0] in rules.alone
    return len(left) == 2 and left[0] in rules.denials and left[1] in rules.things


def route_in(text: str) -> str:
    """The route group that the dose form in a product's name says, "" if it says none. Needs routes.yaml only."""
    routes, lexicon = _route_lexicon()
    return _narrowest({entry.route for _, entry in _entries_in(words(text), lexicon)}, routes)


def _read(text: str) -> Reading:
    tables = drug_tables()
    names = tables.names
    said = words(text)
    named: list[_Named] = []
    groups: set[str] = set()
    denial = -1  # where the last word that denies what follows it ended
    for place, entry in _entries_in(said, _lexicon()):
        end = place + len(entry.words)
        if entry.kind == "route":
            groups.add(entry.route)
        elif entry.kind == "drug" and not _is_salt(said, place, end, names):
            last = named[-1] if named else None
            joined = last is not None and names.negation.joins.issuperset(said[last.end : place])
            denied = _reaches(said, denial, place, names) or (joined and named[-1].denied)
            named.append(_Named(entry, place, end, joined, denied))
        elif (
            entry.kind == "denial"
            and not _deny_back(named, said, place, entry, names)
            and "after" in entry.denies
        ):
            denial = end
    return _reading(text, said, [name.entry for name in named if not name.denied], groups, tables)


_read_and_keep = lru_cache(maxsize=2048)(_read)


def _reading(
    text: str, said: list[str], entries: list[Entry], groups: set[str], tables: DrugTables
) -> Reading:
    members = dict.fromkeys(
        _beside(member, said, tables.names) for entry in entries for member in entry.members
    )
    if text.count(" / ") + 1 >= tables.names.minor_from_components:
        members = dict.fromkeys(tables.as_minor.get(member, member) for member in members)
    routes = tables.routes
    route = _narrowest(groups, routes) or (routes.percent if "%" in said else "")
    brands = {entry.route for entry in entries}
    return Reading(
        tuple(members), route, brands.pop() if len(brands) == 1 else "", _states_amount(said, routes)
    )


def _beside(member: Member, said: list[str], names: Names) -> Member:
    """The member without a class that it has alone but not next to some other words of the text."""
    for rule in names.beside.get(member.ingredient, ()):
        line = f" {' '.join(said)} "
        if any(f" {other} " in line for other in rule.next_to):
            member = _without(member, rule.is_not)
    return member


@lru_cache(maxsize=256)
def _without(member: Member, class_id: str) -> Member:
    return Member(
        member.ingredient, tuple(rule for rule in member.rules if rule.drug_class != class_id), member.minor
    )


def _states_amount(said: list[str], routes: Routes) -> bool:
    """Whether a strength such as "20 mg" stands there, and not only "20 mg/mL" or "0.5 mg/2 mL"."""
    for place, word in enumerate(said):
        if word in routes.amount_units and place and said[place - 1][0].isdigit():
            per = [other for other in said[place + 1 : place + 4] if not other[0].isdigit()]
            if per[:1] != ["/"] or routes.concentration_per.isdisjoint(per[1:2]):
                return True
    return False


def _is_salt(said: list[str], start: int, end: int, names: Names) -> bool:
    """Whether a mineral's name only makes a salt of the word before it, or another compound with the word after it."""
    name = " ".join(said[start:end])
    if name not in names.salts:
        return False
    beside = said[start - 1 : start] if start else []
    if name in names.bare_minerals:
        beside = beside + said[end : end + 1]
    return any(word[0].isalpha() and word not in names.beside_a_mineral for word in beside)


def _reaches(said: list[str], denial: int, place: int, names: Names) -> bool:
    """Whether a denial that ended at `denial` still holds at `place`."""
    rules = names.negation
    return denial >= 0 and place - denial <= rules.reach and rules.clause_end.isdisjoint(said[denial:place])


def _deny_back(named: list[_Named], said: list[str], place: int, entry: Entry, names: Names) -> bool:
    """Deny the last name of this sentence, and those joined to it, if this word denies what stands before it."""
    if not named or not names.negation.sentence_end.isdisjoint(said[named[-1].end : place]):
        return False
    if "before" not in entry.denies and not ("next" in entry.denies and named[-1].end == place):
        return False
    first = len(named) - 1
    while named[first].joined:
        first -= 1
    for name in named[first:]:
        name.denied = True
    return True


def _narrowest(groups: set[str], routes: Routes) -> str:
    """Which of several route groups is meant: a "vaginal tablet" is vaginal."""
    return next((group for group in routes.precedence if group in groups), "")


def _entries_in(said: list[str], lexicon: Lexicon) -> Iterator[tuple[int, Entry]]:
    """Every entry found, with the place of its first word, from left to right and without overlap."""
    place, last = 0, len(said)
    while place < last:
        for entry in lexicon.get(said[place], ()):
            size = len(entry.words)
            if size == 1 or tuple(said[place : place + size]) == entry.words:
                yield place, entry
                place += size
                break
        else:
            place += 1


@cache
def _lexicon() -> Lexicon:
    tables = drug_tables()
    return _by_first_word(
        [
            *_ignored(tables.names),
            *_drug_names(tables),
            *_denials(tables.names),
            *_routes(tables.routes.groups),
        ]
    )


@cache
def _order_lexicon() -> Lexicon:
    routes = drug_tables().routes
    return _by_first_word([*_routes(routes.groups), *_routes(routes.order_only)])


@cache
def _route_lexicon() -> tuple[Routes, Lexicon]:
    routes = read_routes()
    return routes, _by_first_word(_routes(routes.groups))


def _by_first_word(entries: Iterable[Entry]) -> Lexicon:
    """Longest first; of two entries with the same words the first one stays."""
    unique: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        unique.setdefault(entry.words, entry)
    found: dict[str, list[Entry]] = {}
    for entry in sorted(unique.values(), key=lambda entry: -len(entry.words)):
        found.setdefault(entry.words[0], []).append(entry)
    return {first: tuple(those) for first, those in found.items()}


def _routes(groups: dict[str, list[str]]) -> Iterator[Entry]:
    for group, phrases in groups.items():
        for phrase in phrases:
            yield Entry(tuple(words(phrase)), "route", route=group)


def _ignored(names: Names) -> Iterator[Entry]:
    for phrase in (*names.not_the_drug, *names.negation.harmless):
        yield Entry(tuple(words(phrase)), "ignored")


def _denials(names: Names) -> Iterator[Entry]:
    """A phrase such as "not taking" denies what stands before it and, for its first word, what follows it."""
    rules = names.negation
    for phrase in dict.fromkeys([*rules.before, *rules.after, *rules.next]):
        said = tuple(words(phrase))
        denies = {
            "after": phrase in rules.before or said[0] in rules.before,
            "before": phrase in rules.after,
            "next": phrase in rules.next,
        }
        yield Entry(said, "denial", denies=frozenset(where for where, holds in denies.items() if holds))


def _drug_names(tables: DrugTables) -> Iterator[Entry]:
    for name in tables.drug_names:
        yield Entry(tuple(words(name.text)), "drug", members=name.members, route=name.route)
