"""One feedback call, checked: what is required is there, the rest is read as far as it can be.

Accepted although the specification says otherwise: Epic's `overrideReasons` (an object or an array, the reasons of a
site's own build in `extension`), a reason without display, as a CodeableConcept or without `reason` around it, a card
id that is no UUID, `null` for an optional field, unknown fields, times with an offset. Text that a user wrote, and text
that is shown to users, is not read at all.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from math import isinf
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from cds_hooks.errors import IssueCode, Refused, issue, not_json, not_text

PLACE = re.compile(r"(?P<problem>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
MISSING = re.compile(r"Object missing required field `(\w+)`")
"""How msgspec says it."""
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")
"""What is kept of a reason's code: nothing that could be a sentence."""
SYSTEM = re.compile(r"[a-z][a-z0-9+.\-]{1,20}:[!-~]{1,179}")
EPIC_CATEGORY = "com.epic.cdshooks.feedback.overrideReason.reasonCategory"
"""Where Epic sends the number of a reason that the site itself has built (its CDS Hooks tutorial, Feedback)."""
WANTED = {
    "": "a JSON object with the array `feedback`",
    "feedback": "an array, one object per card that the user acted on",
    "feedback[]": "an object with `card`, `outcome` and `outcomeTimestamp`",
    "card": "the uuid of the card, a string",
    "outcome": "`accepted` or `overridden`",
    "outcomeTimestamp": "the time of the action with its zone, as in 2026-01-31T09:30:00Z (RFC 3339)",
    "acceptedSuggestions": "an array, one object with an `id` per accepted suggestion",
    "acceptedSuggestions[]": "an object with the `id` of a suggestion",
    "id": "the uuid of the suggestion, a string",
    "overrideReason": "an object with `reason`, `userComment` or both",
    "overrideReasons": "an object with `reason`, `userComment` or both",
    "overrideReasons[]": "an object with `reason`, `userComment` or both",
    "reason": "a coding, an object with `code` and `system`",
    "coding": "an array of codings",
    "coding[]": "a coding, an object with `code` and `system`",
    "code": "a string",
    "system": "a string",
}
"""What each member must be. The error about any other member does not repeat its name."""

NOTHING = Raw(b"null")
Id = Annotated[str, Meta(min_length=1, max_length=500)]


class _Suggestion(Struct, frozen=True):
    id: Id


class _Coding(Struct, frozen=True):
    code: str | None = None
    system: str | None = None
    coding: list[_Coding] | None = None
    """Of a CodeableConcept."""


class _OverrideReason(_Coding, frozen=True, rename="camel"):
    """What it has of a coding is the reason, sent without `reason` around it."""

    reason: _Coding | None = None
    user_comment: Raw = NOTHING
    extension: Raw = NOTHING


class _Item(Struct, frozen=True, rename="camel"):
    card: Id
    outcome: Literal["accepted", "overridden"]
    outcome_timestamp: Annotated[datetime, Meta(tz=True)]
    accepted_suggestions: list[_Suggestion] | None = None
    override_reason: _OverrideReason | None = None
    override_reasons: _OverrideReason | list[_OverrideReason] | None = None


class _Message(Struct, frozen=True):
    feedback: list[_Item]


class Reason(NamedTuple):
    """Why a card was dismissed; empty when nothing was said that may be kept."""

    system: str = ""
    code: str = ""


class Outcome(NamedTuple):
    """What a user did with one card. `at` is UTC; `suggestions` are the ids of those accepted."""

    card: str
    outcome: Literal["accepted", "overridden"]
    at: datetime
    suggestions: tuple[str, ...]
    reason: Reason
    commented: bool


_decoder = msgspec.json.Decoder(_Message)
_members = msgspec.json.Decoder(dict[str, Raw])
_number_or_text = msgspec.json.Decoder(int | str)


def read_feedback(body: bytes) -> tuple[Outcome, ...]:
    """Decode and check a feedback call. Raises Refused (400) naming the first field at fault, but no value."""
    try:
        if not body.isascii():
            str(body, "utf-8")  # the decoder does not look into the strings it passes over
        message = _decoder.decode(body)
        json.loads(body, object_pairs_hook=_once_and_finite, parse_int=_integer)
    except UnicodeDecodeError:
        raise Refused(400, not_text(body)) from None
    except RecursionError:
        raise Refused(400, issue("structure", "The body is nested too deeply.")) from None
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from None
    except msgspec.DecodeError as error:
        raise Refused(400, not_json(body, error)) from None
    return tuple(_outcome(item, f"feedback[{number}]") for number, item in enumerate(message.feedback))


def _outcome(item: _Item, path: str) -> Outcome:
    """What is kept of one item. Raises Refused (400)."""
    accepted = item.outcome == "accepted"
    if accepted and not item.accepted_suggestions:
        raise _wrong(f"{path}.acceptedSuggestions", missing=True)
    try:
        at = item.outcome_timestamp.astimezone(UTC)
    except OverflowError:
        raise _wrong(f"{path}.outcomeTimestamp") from None
    several = item.override_reasons if isinstance(item.override_reasons, list) else [item.override_reasons]
    reasons = [] if accepted else [said for said in (item.override_reason, *several) if said]
    return Outcome(
        card=item.card,
        outcome=item.outcome,
        at=at,
        suggestions=tuple(one.id for one in item.accepted_suggestions or ()) if accepted else (),
        reason=next(filter(any, map(_reason, reasons)), Reason()),
        commented=any(bytes(said.user_comment) not in (b"null", b'""') for said in reasons),
    )


def _reason(said: _OverrideReason) -> Reason:
    """The reason as a code; what is no code is left out."""
    for coding in (said.reason, *((said.reason and said.reason.coding) or ()), said):
        if coding and CODE.fullmatch(coding.code or ""):
            system = coding.system or ""
            return Reason(system if SYSTEM.fullmatch(system) else "", coding.code or "")
    try:
        category = str(_number_or_text.decode(_members.decode(said.extension)[EPIC_CATEGORY]))
    except (KeyError, msgspec.DecodeError):
        return Reason()
    return Reason(EPIC_CATEGORY, category) if CODE.fullmatch(category) else Reason()


def _once_and_finite(pairs: list[tuple[str, Any]]) -> None:
    """Refuse what the typed decoder lets pass in members it does not know. Raises Refused (400)."""
    seen: set[str] = set()
    for name, value in pairs:
        if name in seen:
            raise _unclear(name, "appears more than once in one object.")
        if any(isinstance(v, float) and isinf(v) for v in (value if isinstance(value, list) else [value])):
            raise _unclear(name, "holds a number that is too large.")
        seen.add(name)


def _integer(digits: str) -> float:
    """Its size only, because nothing here reads it; Python refuses to read thousands of digits."""
    return float(digits)


def _unclear(name: str, problem: str) -> Refused:
    """The refusal of a member somewhere in the body; a name that is not ours is not repeated."""
    known = name if WANTED.get(name) else ""
    member = f"`{known}`" if known else "A member"
    return Refused(400, issue("value", f"{member} {problem}", known or "feedback"))


def _refused(message: str) -> Refused:
    """The refusal of what does not fit the types, from msgspec's message."""
    found = PLACE.fullmatch(message)
    path = (found and found["path"]) or ""
    missing = MISSING.match(message)
    return _wrong(".".join(filter(None, (path, missing and missing[1]))), missing=missing is not None)


def _wrong(path: str, *, missing: bool = False) -> Refused:
    """The refusal of the member at `path`, which is made of our names and of positions."""
    name = re.sub(r"\[\d+\]$", "[]", path.rpartition(".")[2])
    subject = f"`{path}`" if path else "The body"
    problem = "is missing; it must be" if missing else "must be"
    text = f"{subject} {problem} {WANTED.get(name, 'as CDS Hooks defines it')}."
    code: IssueCode = "structure" if not path else "required" if missing else "value"
    return Refused(400, issue(code, text, *filter(None, (path,))))
