"""All resources of one call, each once, with the references between them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct, field

from mappings.facts import DataGap
from mappings.from_fhir import shapes
from mappings.from_fhir.bundle import Item, Unwrapped, is_empty, unwrap
from mappings.from_fhir.bundle_shapes import Content
from mappings.from_fhir.datatypes import Meta, Reference, Resource
from mappings.from_fhir.dates import when
from mappings.from_fhir.details import DATA_ERRORS

FORMER_NAMES: Final = {"MedicationOrder": "MedicationRequest", "ProcedureRequest": "ServiceRequest"}
"""What a type of DSTU2 or STU3 has been called since R4."""

REPORTERS: Final = frozenset({"Patient", "RelatedPerson"})
"""Who reports, where a clinician would observe."""

Shape = TypeVar("Shape", bound=Resource)

_type: Final = attrgetter("type")
_id: Final = attrgetter("resource.id")
_full_url: Final = attrgetter("full_url")
_contained: Final = msgspec.json.Decoder(shapes.AnyResource)


class Source(Struct):
    """What the EHR sent under one prefetch key or context field.

    A key that was not sent has no Source.
    """

    key: str
    content: Content
    expects: tuple[str, ...] = ()
    """Resource types that the key was asked for."""
    draft: bool = False
    """Not yet part of the record: `context.draftOrders`, `context.conditions`."""


class Chart(Struct):
    """Every readable resource once, whoever it belongs to, and what went wrong on the way."""

    items: defaultdict[str, dict[str, Item]] = field(default_factory=partial(defaultdict, dict))
    """By type and by id, or by what stands in for an id."""
    sent: list[Item] = []
    """All of them, those that came twice included."""
    by_full_url: dict[str, Item] | None = None
    read: set[str] = set()
    gaps: list[DataGap] = []
    specimens: dict[str, tuple[str, bool]] = {}
    """Key and haemolysis of the specimens looked up so far, by reference."""

    def find(self, reference: str) -> Item | None:
        """The resource a relative, absolute or urn:uuid reference names; versions are ignored."""
        if self.by_full_url is None:
            self.by_full_url = dict(zip(map(_full_url, self.sent), self.sent, strict=True))
        named = self.by_full_url.get(reference) if reference else None
        type_, id_ = (named.type, _key(named)) if named else local_key(reference)
        return self.items[type_].get(id_) if type_ in self.items else None

    def resolve(self, reference: str, contained: Iterable[Raw], shape: type[Shape]) -> Shape | None:
        """The referenced resource, contained ones included, if it was sent and is of this shape."""
        if reference.startswith("#"):
            found = _contained_resource(reference[1:], contained)
        else:
            item = self.find(reference)
            found = item.resource if item else None
        return found if isinstance(found, shape) else None

    def is_reporter(self, who: Reference) -> bool:
        """Whether the reference names a patient or a relative, by what it leads to, its address or its type."""
        item = self.find(who.reference)
        type_ = item.type if item else local_key(who.reference)[0] or who.type.rpartition("/")[2]
        return type_ in REPORTERS


def local_key(reference: str) -> tuple[str, str]:
    """`("Patient", "1")` of `Patient/1`, `https://ehr/fhir/Patient/1` or `Patient/1/_history/2`."""
    parts = reference.partition("/_history/")[0].rsplit("/", 2)
    return (parts[-2], parts[-1]) if len(parts) > 1 else ("", reference)


def _contained_resource(id_: str, contained: Iterable[Raw]) -> Resource | None:
    for content in contained:
        try:
            resource: Resource = _contained.decode(content)
        except DATA_ERRORS:
            continue
        if resource.id.removeprefix("#") == id_:
            return resource
    return None


def collect(sources: Sequence[Source]) -> Chart:
    """Unwrap all sources; of two versions of a resource keep the later one."""
    chart = Chart()
    missing: dict[str, str] = {}
    for source in sources:
        if is_empty(source.content):
            chart.read.update(source.expects)
            continue
        found = unwrap(source.content, source.key, draft=source.draft)
        _note(source, found, chart, missing)
        if found.items:
            _keep(found.items, chart)
    chart.gaps += [
        DataGap(type_, "not-provided", f"the EHR sent no {type_}", key)
        for type_, key in missing.items()
        if type_ not in chart.read
    ]
    return chart


def _note(source: Source, found: Unwrapped, chart: Chart, missing: dict[str, str]) -> None:
    """Record what was obtained and what was not."""
    expects, items = source.expects, found.items
    sent = _count(items) if items else {}
    if not source.draft:
        chart.read.update(sent)
        if found.others or found.unreadable:
            chart.read.update(found.others, [type_ for type_, _ in found.unreadable])
    if not found.failed:
        if found.bundle:
            chart.read.update(expects)
        if not found.null:
            for type_ in expects:
                missing.setdefault(type_, source.key)
    for type_ in expects if sent else ():
        if sent.get(type_) == 1:
            (only,) = [item for item in items if FORMER_NAMES.get(item.type, item.type) == type_]
            only.alone = True
    if found.unreadable or found.null or found.failed or found.incomplete:
        chart.gaps += _gaps(source, found, sent)


def _gaps(source: Source, found: Unwrapped, sent: Iterable[str]) -> Iterator[DataGap]:
    """What was not obtained under this key, wholly or in part."""
    key, names = source.key, source.expects or (source.key,)
    for type_, label in found.unreadable:
        yield DataGap(type_, "not-readable", f"one {type_} could not be read", label or key)
    for name in names if found.null else ():
        yield DataGap(name, "not-provided", f"the EHR sent nothing for {name}", key)
    for name in names if found.failed else ():
        text = f"what the EHR sent for {name} is an error or cannot be read"
        yield DataGap(name, "not-readable", text, key)
    if found.incomplete:
        types = sorted({*sent, *found.others, *(type_ for type_, _ in found.unreadable)})
        for name in source.expects or types or (key,):
            yield DataGap(name, "incomplete", f"only a part of {name} was sent", key)


def _count(items: Sequence[Item]) -> dict[str, int]:
    """How many there are of each type, by its name of today."""
    types = list(map(_type, items))
    if types.count(types[0]) == len(types):  # as nearly always
        return {FORMER_NAMES.get(types[0], types[0]): len(types)}
    return Counter(FORMER_NAMES.get(type_, type_) for type_ in types)


def _keep(items: Sequence[Item], chart: Chart) -> None:
    chart.sent += items
    ids, types = list(map(_id, items)), set(map(_type, items))
    if len(types) == 1 and all(ids) and len(set(ids)) == len(ids):
        of_type = chart.items[types.pop()]
        if of_type.keys().isdisjoint(ids):  # as nearly always
            of_type.update(zip(ids, items, strict=True))
            return
    for item in items:
        id_, of_type = _key(item), chart.items[item.type]
        of_type[id_] = _later(item, of_type[id_]) if id_ in of_type else item


def _key(item: Item) -> str:
    """The id, or what stands in for one."""
    return item.resource.id or item.full_url or _content(item).decode()


def _later(item: Item, known: Item) -> Item:
    """Of two versions of a resource the later one."""
    later = item if _version(item) > _version(known) else known
    later.draft = item.draft and known.draft
    later.alone = item.alone or known.alone
    return later


def _version(item: Item) -> tuple[int, str, int, bytes]:
    """Sorts the versions of one resource; without version or time the fuller copy is the later one."""
    meta = item.resource.meta or Meta()
    number = int(meta.version_id) if meta.version_id.isdecimal() and len(meta.version_id) < 19 else -1
    updated = when(meta.last_updated)
    content = _content(item)
    return number, f"{updated.earliest} {updated.moment}" if updated else "", len(content), content


def _content(item: Item) -> bytes:
    """What was read of it, to tell resources without id apart and to order copies without version."""
    return msgspec.json.encode(item.resource)
