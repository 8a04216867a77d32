"""Unwrap whatever stands under a prefetch key into single resources.

A Bundle of any type, with or without `type` and `entry`; a bare resource; `{response, resource}`; an array
of these; bundles inside bundles. What cannot be unwrapped is named by a trouble, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter
from typing import Final

import msgspec
from msgspec import Raw, Struct

from mappings.from_fhir import lenient, shapes
from mappings.from_fhir.bundle_shapes import (
    Content,
    Entry,
    Envelope,
    OperationOutcome,
    Plain,
    PlainBundle,
    PlainEntry,
    PlainOutcome,
    Response,
)
from mappings.from_fhir.datatypes import Resource
from mappings.from_fhir.details import DATA_ERRORS

MAX_DEPTH: Final = 8
"""Bundles inside responses inside arrays: deeper than any EHR nests them."""

NOT_NEEDED: Final = (
    "id",
    "contained",
    "note",
    "comment",
    "bodySite",
    "code.coding.extension",
    "hasMember",
    "gender",
    "performedString",
)
"""Elements whose loss leaves the rest of the resource true."""


class Item(Struct):
    """One resource and how it came."""

    type: str
    resource: Resource
    full_url: str = ""
    key: str = ""
    draft: bool = False
    alone: bool = False
    """The only one of its type under a key that asked for this type."""

    @property
    def label(self) -> str:
        """`Observation/123`, else its fullUrl, else empty."""
        return f"{self.type}/{self.resource.id}" if self.resource.id else self.full_url


class Unwrapped(Struct):
    """What stood under one key, `key`; `draft` says that it is not yet part of the record."""

    key: str = ""
    draft: bool = False
    items: list[Item] = []
    others: set[str] = set()
    """Types that were sent and are not read."""
    unreadable: list[tuple[str, str]] = []
    """Type and label of resources that cannot be read."""
    bundle: bool = False
    """There was a Bundle: the query was answered, even if with nothing."""
    null: bool = False
    failed: bool = False
    """An OperationOutcome with an error, an HTTP error or something that is no resource."""
    incomplete: bool = False
    """There is more than was sent: a next page, or a total above the number of entries."""
    next_links: list[str] = []


TYPE_NAME: Final = re.compile(r"[A-Z][A-Za-z]{3,63}")
"""What the names of FHIR's resource types look like."""

_IN_LOWER_CASE: Final = {type_.lower(): type_ for type_ in shapes.BY_TYPE}
_envelope: Final = msgspec.json.Decoder(Envelope)
_resource: Final = attrgetter("resource")
_full_url: Final = attrgetter("full_url")
_response: Final = attrgetter("response")
_array: Final = msgspec.json.Decoder(list[Raw])
_outcome: Final = msgspec.json.Decoder(OperationOutcome)
_plain: Final[msgspec.json.Decoder[Plain]] = msgspec.json.Decoder(Plain)


def unwrap(content: Content, key: str = "", *, draft: bool = False) -> Unwrapped:
    """Everything under one key, flat. Never raises on valid JSON."""
    found = Unwrapped(key, draft)
    if isinstance(content, Struct):
        _add_plain(content, "", found, 0)
    elif isinstance(content, Raw):
        _unwrap_value(content, found, 0)
    elif content is None:
        found.null = True
    elif isinstance(content, bytes):
        _unwrap_value(Raw(content.strip()), found, 0)
    else:
        found.failed = content != []
    return found


def is_empty(content: Content) -> bool:
    """Whether this is a Bundle that is answered with nothing, as most keys of most charts are."""
    return isinstance(content, PlainBundle) and not (content.entry or content.link or content.total)


def next_links(content: Content) -> list[str]:
    """URLs of the next pages of every Bundle in this content, unchecked: the caller decides what to follow."""
    return _next(content) if isinstance(content, PlainBundle) else unwrap(content).next_links


def _unwrap_value(content: Raw, found: Unwrapped, depth: int) -> None:
    start = bytes(memoryview(content)[:1])
    if start == b"[" and depth < MAX_DEPTH:
        for element in _elements(content, found):
            _unwrap_value(element, found, depth + 1)
    elif start == b"n":
        found.null = True
    else:
        _unwrap_object(content, "", found, depth)


def _elements(content: Raw, found: Unwrapped) -> list[Raw]:
    try:
        return _array.decode(content)
    except DATA_ERRORS:
        found.failed = True
        return []


def _unwrap_object(
    content: Raw, full_url: str, found: Unwrapped, depth: int, *, in_bundle: bool = False
) -> None:
    try:
        plain = _plain.decode(content)
    except DATA_ERRORS:
        _unwrap_untidy(content, full_url, found, depth, in_bundle=in_bundle)
    else:
        _add_plain(plain, full_url, found, depth, in_bundle=in_bundle)


def _add_plain(plain: Plain, full_url: str, found: Unwrapped, depth: int, *, in_bundle: bool = False) -> None:
    """A resource or a Bundle that has the shape it should have."""
    if isinstance(plain, PlainBundle):
        if depth > MAX_DEPTH:
            found.failed = True
            return
        _note_bundle(plain, found)
        if plain.entry:
            for response in filter(None, map(_response, plain.entry)):
                _note_response(response, found)
            _add_entries(plain.entry, found)
    elif isinstance(plain, PlainOutcome):
        found.failed |= not in_bundle or plain.is_error
    else:
        found.items.append(Item(shapes.TYPE[type(plain)], plain, full_url, found.key, found.draft))


def _add_entries(entries: Sequence[PlainEntry], found: Unwrapped) -> None:
    """The resources of a Bundle; the steps per entry are taken outside of Python's loops, a chart has hundreds."""
    resources: list[Resource] = list(map(_resource, entries))
    kinds = list(map(type, resources))
    if PlainOutcome in kinds:
        outcomes = [entry.resource for entry in entries if isinstance(entry.resource, PlainOutcome)]
        found.failed |= any(outcome.is_error for outcome in outcomes)
        _add_entries([entry for entry in entries if not isinstance(entry.resource, PlainOutcome)], found)
        return
    types, urls = map(shapes.TYPE.__getitem__, kinds), map(_full_url, entries)
    found.items += map(Item, types, resources, urls, repeat(found.key), repeat(found.draft))


def _unwrap_untidy(content: Raw, full_url: str, found: Unwrapped, depth: int, *, in_bundle: bool) -> None:
    """What is neither a resource in the shape it should have nor a Bundle of such."""
    envelope, left_out = _decode_envelope(content)
    if envelope is None or depth > MAX_DEPTH:
        found.failed = True
    elif envelope.resource_type == "Bundle" or (not envelope.resource_type and envelope.entry):
        found.failed |= "entry" in left_out
        _note_bundle(envelope, found)
        for entry in envelope.entry:
            _unwrap_entry(entry, found, depth + 1)
    elif envelope.resource_type == "OperationOutcome":
        found.failed |= not in_bundle or _is_error(content)
    elif envelope.resource_type:
        _add_untidy(content, full_url, envelope.resource_type, found)
    elif _has(envelope.resource) or envelope.response:
        _unwrap_entry(
            Entry(resource=envelope.resource, response=envelope.response), found, depth + 1, in_bundle=False
        )
    else:
        found.failed = True


def _note_bundle(bundle: Envelope | PlainBundle, found: Unwrapped) -> None:
    found.bundle = True
    if bundle.link:
        found.next_links += _next(bundle)
        found.incomplete |= bool(found.next_links)
    if bundle.total > len(bundle.entry):
        found.incomplete = True


def _next(bundle: Envelope | PlainBundle) -> list[str]:
    return [link.url for link in bundle.link if link.relation == "next" and link.url]


def _note_response(response: Response, found: Unwrapped) -> None:
    if response.status[:1] in ("4", "5"):
        found.failed = True


def _unwrap_entry(entry: Entry, found: Unwrapped, depth: int, *, in_bundle: bool = True) -> None:
    if entry.response:
        _note_response(entry.response, found)
    if _has(entry.resource):
        _unwrap_object(entry.resource, entry.full_url, found, depth, in_bundle=in_bundle)
    else:
        found.null |= not in_bundle


def _add_untidy(content: Raw, full_url: str, type_: str, found: Unwrapped) -> None:
    shape = shapes.BY_TYPE.get(type_) or shapes.BY_TYPE.get(_IN_LOWER_CASE.get(type_.lower(), ""))
    if shape is None:
        if TYPE_NAME.fullmatch(type_):
            found.others.add(type_)
        else:
            found.failed = True
        return
    type_ = shapes.TYPE[shape]
    try:
        resource, left_out = lenient.decode(content, shape)
    except DATA_ERRORS:
        found.unreadable.append((type_, full_url))
        return
    item = Item(type_, resource, full_url, found.key, found.draft)
    if all(path.startswith(NOT_NEEDED) for path in left_out):
        found.items.append(item)
    else:
        found.unreadable.append((type_, item.label))


def _decode_envelope(content: Raw) -> tuple[Envelope | None, frozenset[str]]:
    try:
        return _envelope.decode(content), frozenset()
    except DATA_ERRORS:
        pass
    try:
        return lenient.decode(content, Envelope)
    except DATA_ERRORS:
        return None, frozenset()


def _has(content: Raw) -> bool:
    return bytes(memoryview(content)[:4]) not in (b"", b"null")


def _is_error(outcome: Raw) -> bool:
    try:
        return _outcome.decode(outcome).is_error
    except DATA_ERRORS:
        return True
