"""The site profile: its sections and what each field takes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cds_hooks.site_profile.parts import HttpsUrl, Name, Section, SiteCode, Text

Hook = Literal["patient-view", "encounter-start", "problem-list-item-create", "order-select", "order-sign"]
Key = Literal[
    "patient",
    "encounter",
    "conditions",
    "labs",
    "examination",
    "history",
    "medications",
    "statements",
    "orders",
    "procedures",
    "answers",
]
Searched = Literal[
    "Condition",
    "Observation",
    "MedicationRequest",
    "MedicationStatement",
    "ServiceRequest",
    "Procedure",
    "QuestionnaireResponse",
]
Parameter = Literal["patient", "category", "date", "_count", "_sort"]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    """A number that YAML read as one."""
    return {str(key): on for key, on in value.items()} if isinstance(value, dict) else value


Names = Annotated[tuple[Name, ...], BeforeValidator(_as_list), Field(min_length=1)]
Searches = dict[Searched, Annotated[tuple[Parameter, ...], Field(min_length=1)]]


class OrderCodes(Section):
    """How the tests that the cards suggest are called in the site's order catalogue."""

    keep_loinc: bool = False
    """Send our own code beside the site's; false: instead of it."""
    unmapped: Literal["suggest", "name"] = "suggest"
    """A test without a code of the site: `suggest` it with our own code, or only `name` it on the card."""
    codes: dict[Name, SiteCode] = {}
    """Our test id -> the site's code; `calcium_albumin.albumin` is one part of a test that has parts."""


class FhirDialect(Section):
    """What the site's FHIR server can be asked; it shapes the published prefetch templates and our own reads."""

    leave_out: tuple[Key, ...] = ()
    """Prefetch keys that are neither published nor read, because the server does not have them."""
    parameters: Searches = {}
    """The search parameters that a type may be asked with; a type that is not named may be asked with all of them."""
    categories: dict[
        Literal["labs", "examination", "history"], Annotated[tuple[Name, ...], Field(min_length=1)]
    ] = {}
    """The codes of `category` that this server uses, per key."""
    dates: Literal["none", "open", "closed"] = "none"
    """How a period is asked for: not at all, from a day on, or with two bounds."""
    look_back_days: Annotated[int, Field(ge=365, le=3650)] | None = None
    """How old laboratory results may be; only with `dates`."""
    today_token: bool = False
    """The client replaces `{{today()}}` in prefetch templates (CDS Hooks 3.0); else only our own reads name a day."""
    count: Annotated[int, Field(ge=1, le=1000)] | None = None
    """`_count` of every search."""
    newest_first: bool = False
    """Add `_sort=-date` to searches for results."""


class CardDialect(Section):
    """What the site's EHR makes of a card."""

    selection_behavior: bool = True
    """Send `selectionBehavior: any` with suggestions, as CDS Hooks 2.0 requires; false for clients before 2.0."""
    actions: Literal["one", "all"] = "one"
    """`one` action per suggestion, what Epic accepts; or `all` requests of one test in one suggestion."""
    detail: Literal["markdown", "html", "plain"] = "markdown"
    """The format of `detail`."""
    content_type_extension: bool = False
    """Name HTML or plain text in Epic's extension `com.epic.cdshooks.card.detail.content-type`."""
    plain_topic_codes: bool = False
    """Send `source.topic.code` in letters and digits only, as Epic wants it; reports and metrics keep the hyphens."""
    max_detail: Annotated[int, Field(ge=1000)] | None = None
    """Most characters of `detail`; what is left out is said, never what could not be read."""
    links: tuple[HttpsUrl, ...] | None = None
    """Addresses that the EHR lets through; a `source.url` below none of them is left out. Absent: all."""
    source_label: Text | None = None
    """Who speaks, in place of our name."""
    source_icon: HttpsUrl | None = None
    """An image for `source.icon`."""
    override_reasons: bool = True
    """Offer reasons for dismissing a card."""
    override_codes: dict[Name, SiteCode] = {}
    """Our reason code -> the site's own, which the card carries in its place."""


class Gate(Section):
    """When documented twitching brings a card."""

    only_if_abnormal: tuple[Name, ...] = ()
    """Kinds of documentation that alone bring no card, such as `eyelid_myokymia`, unless there is a warning, a critical
    result, a red flag, a medicine being ordered or something that could not be read. Never plain fasciculation."""


class Limit(Section):
    """One limit of the site in place of ours."""

    analyte: Name
    """The analyte, by its id here."""
    side: Literal["low", "high"]
    """Which end: what is too low, or what is too high."""
    band: Name
    """`reference`, which counts when the laboratory states none, or a severity such as `critical`."""
    value: Annotated[Decimal, Field(gt=0)]
    """The limit; whether it counts as kept when a result equals it is as in the rules."""
    unit: Text
    """The unit of `value`, in any spelling the reader knows."""
    source: Annotated[Text, Field(max_length=80)]
    """Where the site has laid this down; the card shows it."""
    approved_by: Text
    """Who approved it, by role."""
    reviewed: date
    """The day of the last review."""
    review_due: date
    """The day of the next; the card shows it, and `config check` objects when it is past."""


class Silent(Section):
    """Assessed and counted, not shown."""

    everything: bool = False
    """The whole site, critical results included: a trial run before anybody relies on the cards."""
    contributors: tuple[str, ...] = ()
    """Contributor ids; what is critical is shown all the same."""
    red_flags: tuple[str, ...] = ()
    """Red-flag ids; what is critical is shown all the same."""


class Quiet(Section):
    """Advice that was overridden for a patient stays away for a while."""

    days: Annotated[int, Field(ge=1, le=365)]
    """How long."""
    scope: Literal["user", "site"] = "user"
    """For the user who overrode it, or for everybody at the site."""
    reasons: Annotated[tuple[Name, ...], Field(min_length=1)] = ("not-fasciculation", "goals-of-care")
    """Our codes of the override reasons that mean `does not apply`."""


class SiteProfile(Section):
    """One file per site; a section that is absent changes nothing."""

    name: Text
    """What the site calls itself, for `config check`."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}(?:-[A-Z]{2})?$")] = "en"
    """The language of the cards' own sentences."""
    hooks: dict[Hook, bool] = {}
    """`off` takes a service out: it is not published and answers 404."""
    triggers: Annotated[
        dict[Annotated[str, Field(pattern=r"^[0-9]{1,4}$")], bool], BeforeValidator(_as_text)
    ] = {}
    """Epic's number of what set the hook off; `off` answers without cards."""
    prefetch_keys: dict[Key, Names] = {}
    """Our prefetch key -> the names under which this EHR sends it."""
    orders: OrderCodes = OrderCodes()
    fhir: FhirDialect = FhirDialect()
    cards: CardDialect = CardDialect()
    gate: Gate = Gate()
    limits: tuple[Limit, ...] = ()
    silent: Silent = Silent()
    quiet: Quiet | None = None
