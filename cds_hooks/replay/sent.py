"""What of a record the EHR of a site sends: the prefetch keys that its services publish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from cds_hooks.replay.unmapped import categories_in
from cds_hooks.services import PATIENT_RECORD, Prefetch, Service
from mappings.from_fhir.details import DATA_ERRORS

OBSERVATIONS: Final = ("labs", "examination", "history")
"""Keys that share a type, and that a category tells apart."""
EMPTY: Final = Raw(b'{"resourceType":"Bundle"}')


class _Categorised(Struct):
    category: Raw = Raw()


class _Entry(Struct):
    resource: Raw = Raw()


class _Bundle(Struct):
    entry: list[_Entry] = []


_categorised: Final = msgspec.json.Decoder(_Categorised)
_bundle: Final = msgspec.json.Decoder(_Bundle)


def bundle(resources: Sequence[bytes]) -> Raw:
    """A Bundle of resources, as JSON."""
    if not resources:
        return EMPTY
    return Raw(b'{"resourceType":"Bundle","entry":[{"resource":' + b'},{"resource":'.join(resources) + b"}]}")


def sent_to(service: Service, record: Mapping[str, Raw]) -> Mapping[str, Raw]:
    """The keys of `record` that the service publishes; all Observations of it are under `labs`."""
    if record.keys() <= service.prefetch.keys():
        return record
    sent: dict[str, Raw] = {key: content for key, content in record.items() if key in service.prefetch}
    published = [key for key in OBSERVATIONS if key in sent]
    if "labs" in record and len(published) < len(OBSERVATIONS):
        kept = bundle(list(_kept(record["labs"], service.prefetch)))
        for number, key in enumerate(published):
            sent[key] = EMPTY if number else kept
    return sent


def _kept(observations: Raw, published: Mapping[str, Prefetch]) -> Iterator[bytes]:
    """All but what only a key would bring that is not published."""
    left_out = _categories(PATIENT_RECORD[key] for key in OBSERVATIONS if key not in published)
    asked_for = _categories(
        found[key] for found in (PATIENT_RECORD, published) for key in OBSERVATIONS if key in published
    )
    for entry in _bundle.decode(observations).entry:
        try:
            stated = categories_in(bytes(_categorised.decode(entry.resource).category))
        except DATA_ERRORS:
            stated = set()
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
