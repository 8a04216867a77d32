"""What of a record the EHR of a site sends: the prefetch keys that its services publish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from cds_hooks.envelope import Member
from cds_hooks.prefetch import NOTHING_MORE, Completion
from cds_hooks.replay.unmapped import categories_in
from cds_hooks.services import PATIENT_RECORD, Prefetch, Service
from mappings.from_fhir.bundle_shapes import PlainBundle
from mappings.from_fhir.details import DATA_ERRORS

OBSERVATIONS: Final = ("labs", "examination", "history")
"""Keys that share a type, and that a category tells apart. All Observations go under the first that is published."""
ALL_OBSERVATIONS: Final = frozenset(OBSERVATIONS)
ANSWERED: Final = {key: Completion(obtained=ALL_OBSERVATIONS - {key}) for key in OBSERVATIONS}
"""By the key under which all Observations are: the others are answered with it."""
EMPTY: Final = PlainBundle()


class _Categorised(Struct):
    category: Raw = Raw()


class _Entry(Struct):
    resource: Raw = Raw()


class _Bundle(Struct):
    entry: list[_Entry] = []


_categorised: Final = msgspec.json.Decoder(_Categorised)
_bundle: Final = msgspec.json.Decoder(_Bundle)


def bundle(resources: Sequence[bytes]) -> Raw | PlainBundle:
    """A Bundle of resources, as JSON unless it is empty."""
    if not resources:
        return EMPTY
    return Raw(b'{"resourceType":"Bundle","entry":[{"resource":' + b'},{"resource":'.join(resources) + b"}]}")


def sent_to(service: Service, record: Mapping[str, Member]) -> Mapping[str, Member]:
    """The keys of `record` that the service publishes; all Observations of the record are under `labs`."""
    if record.keys() <= service.prefetch.keys() and service.prefetch.keys() >= ALL_OBSERVATIONS:
        return record
    sent = {key: content for key, content in record.items() if key in service.prefetch}
    published = [key for key in OBSERVATIONS if key in service.prefetch]
    if "labs" in record and 0 < len(published) < len(OBSERVATIONS):
        sent[published[0]] = bundle(list(_kept(record["labs"], service.prefetch)))
    return sent


def answered_with(sent: Mapping[str, Member]) -> Completion:
    """The keys of Observations that need not be sent besides the one that is."""
    return next((ANSWERED[key] for key in OBSERVATIONS if key in sent), NOTHING_MORE)


def _kept(observations: Member, published: Mapping[str, Prefetch]) -> Iterator[bytes]:
    """All but what only a key would bring that is not published."""
    left_out = _categories(PATIENT_RECORD[key] for key in OBSERVATIONS if key not in published)
    asked_for = _categories(
        found[key] for found in (PATIENT_RECORD, published) for key in OBSERVATIONS if key in published
    )
    for entry in _bundle.decode(observations).entry if isinstance(observations, Raw) else ():
        try:
            stated = categories_in(bytes(_categorised.decode(entry.resource).category))
        except DATA_ERRORS:
            stated = frozenset()
        if stated & asked_for or not stated & left_out:
            yield bytes(entry.resource)


def _categories(searches: Iterable[Prefetch]) -> set[str]:
    """The codes of `category` in searches."""
    found: set[str] = set()
    for search in searches:
        for part in search.template.partition("?")[2].split("&"):
            name, _, codes = part.partition("=")
            found |= set(codes.split(",")) if name == "category" else set()
    return found
