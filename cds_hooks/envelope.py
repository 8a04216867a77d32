"""The JSON of a CDS Hooks call: well-formed, of the right types, no field twice (CDS Hooks 2.0, HTTP Request).

The body is decoded at once, down to the resources, if all that stands under its members has the shape it should have.
Of any other the members stay undecoded, to be read one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from cds_hooks.errors import Issue, Refused, issue, not_json, not_text
from cds_hooks.services import SERVICES
from mappings.from_fhir.bundle_shapes import Plain
from mappings.from_fhir.details import DATA_ERRORS


class Name(str):
    """A member's name that equals nothing but itself, so that a repeated member survives decoding."""

    __slots__ = ()
    __hash__ = object.__hash__  # never equal for two objects that live at once


T = TypeVar("T")
Text = str | int | float | list[str] | None
Member = Plain | Text | Raw
"""A value two levels down. JSON that is not decoded stands for what does not have the shape of the others."""
Value = bool | int | float | str | dict[Name, Member] | list[Raw] | None


def _decoder(member: Any) -> msgspec.json.Decoder[dict[Name, Value]]:
    value = bool | int | float | str | dict[Name, member] | list[Raw] | None
    return msgspec.json.Decoder(dict[Name, value], dec_hook=lambda kind, name: kind(name))


_at_once: Final = _decoder(Plain | Text)
_by_member: Final = _decoder(Raw)
_text: Final[msgspec.json.Decoder[Text]] = msgspec.json.Decoder(Text)


class Envelope(Struct, frozen=True):
    """The fields of a call; optional ones are empty when absent or `null`."""

    hook: str
    hook_instance: str
    context: Mapping[str, Member]
    fhir_server: str
    fhir_authorization: Mapping[str, Member]
    prefetch: Mapping[str, Member]
    extension: Mapping[str, Member]


class Field(NamedTuple):
    """What a field must be, and how to say so."""

    kind: type
    required: bool
    send: str


FIELDS = {
    "hook": Field(str, True, "a string, the name of the hook"),
    "hookInstance": Field(str, True, "a string, a UUID that is new for every call"),
    "context": Field(dict, True, "an object, the context that the hook defines"),
    "fhirServer": Field(str, False, "a string, the base URL of the FHIR server"),
    "fhirAuthorization": Field(dict, False, "an object, the access token and its particulars"),
    "prefetch": Field(dict, False, "an object with one member per prefetch key"),
    "extension": Field(dict, False, "an object"),
}
PUBLIC_NAMES = frozenset(FIELDS) | {"patientId", "userId", "encounterId", "selections"}.union(
    *(s.prefetch for s in SERVICES), *(s.resources for s in SERVICES)
)
"""Names that an error may repeat; any other name is the caller's and could be data."""


def read_envelope(body: bytes) -> Envelope:
    """Decode the envelope. Raises Refused (400) naming every field at fault, but no value and no unknown name."""
    problems: list[Issue] = []
    fields: dict[str, Value] = _members(_decode(body), "", problems)
    objects: dict[str, dict[str, Member]] = {}
    for name, field in FIELDS.items():
        value = fields.get(name)
        if value is None:
            if field.required:
                problems.append(issue("required", f"`{name}` is missing; it must be {field.send}.", name))
        elif not isinstance(value, field.kind):
            problems.append(issue("value", f"`{name}` must be {field.send}.", name))
        elif isinstance(value, dict):
            objects[name] = _members(value, f"{name}.", problems)
    if problems:
        raise Refused(400, *problems)
    return Envelope(
        hook=str(fields["hook"]),
        hook_instance=str(fields["hookInstance"]),
        context=objects["context"],
        fhir_server=str(fields.get("fhirServer") or ""),
        fhir_authorization=objects.get("fhirAuthorization", {}),
        prefetch=objects.get("prefetch", {}),
        extension=objects.get("extension", {}),
    )


def text_of(member: Member) -> Member:
    """A text, a number or a list of texts, decoded; anything else as it is."""
    if isinstance(member, Raw):
        with suppress(*DATA_ERRORS):
            return _text.decode(member)
    return member


def _decode(body: bytes) -> dict[Name, Value]:
    try:
        if not body.isascii():
            str(body, "utf-8")  # the decoder does not look into the strings it passes over
        try:
            return _at_once.decode(body)
        except DATA_ERRORS:
            return _by_member.decode(body)
    except UnicodeDecodeError:
        raise Refused(400, not_text(body)) from None
    except RecursionError:
        raise Refused(400, issue("structure", "The body is nested too deeply.")) from None
    except msgspec.ValidationError as error:
        if "out of range" in str(error):
            raise Refused(
                400, issue("value", "A member of the body is a number that is too large.")
            ) from None
        raise Refused(400, issue("structure", "The body must be a JSON object.")) from None
    except msgspec.DecodeError as error:
        raise Refused(400, not_json(body, error)) from None


def _members(decoded: Mapping[Name, T], path: str, problems: list[Issue]) -> dict[str, T]:
    """The members by name; one that stands there more than once is a problem."""
    members = {str(name): value for name, value in decoded.items()}
    if len(members) < len(decoded):
        repeated = {name for name, times in Counter(map(str, decoded)).items() if times > 1}
        problems += [
            issue("value", f"`{path}{name}` appears more than once.", f"{path}{name}")
            for name in sorted(repeated & PUBLIC_NAMES)
        ]
        if path and repeated - PUBLIC_NAMES:
            problems.append(issue("value", f"A member of `{path[:-1]}` appears more than once.", path[:-1]))
    return members
