"""The shapes of the reviewed files: contributors, orders, red flags and their companions; limits are in `limit_rules`."""

from __future__ import annotations

from datetime import date
from typing import Literal

from mappings.assessment import Indicator, Strength, Tier
from mappings.rule_language import Direction, Limit, PerUnit, Review, Rule, When


class TierRule(Rule, kw_only=True, frozen=True):
    """The first tier whose condition holds is the contributor's tier."""

    tier: Tier
    when: When
    says: str = ""
    indicator: Indicator | None = None
    strength: Strength | None = None


class Aside(Rule, kw_only=True, frozen=True):
    """A sentence that is added when a condition holds."""

    when: When
    says: str


class Mediator(Rule, kw_only=True, frozen=True):
    """An analyte a drug or condition acts through, and the direction it moves it in."""

    lab: str
    goes: Literal["low", "high"]
    explains_only: bool = False
    """True: explains an abnormal result, but an unknown one is not a reason to suspect the drug."""


class Through(Rule, kw_only=True, frozen=True):
    """Acts only through results: abnormal explains them, all normal clears it, unknown leaves it possible."""

    when: When
    """The exposure or the condition."""
    mediators: tuple[Mediator, ...]
    tier: Tier | None = None
    """Tier while a mediator is unknown; absent: only explains."""
    says: str = ""
    each_dose_counts: bool = False
    """True for injections: the effect begins anew with the latest dose, not with the first."""
    also_ranked: bool = False
    """True for conditions: ranked although its result is abnormal and ranked itself."""


class ContributorRule(Rule, kw_only=True, frozen=True):
    """One cause of twitching: when it is ranked, how strongly, why, and when not to trust the rule."""

    id: str
    title: str
    strength: Strength
    mechanism: str
    review: Review
    references: tuple[str, ...]
    misuse: str
    tiers: tuple[TierRule, ...] = ()
    through: Through | None = None
    considered: tuple[Aside, ...] = ()
    """When it is not ranked but was looked at: why not."""
    adds: tuple[Aside, ...] = ()
    """Sentences added to a ranked contributor."""
    suppresses: tuple[str, ...] = ()
    """Contributor or red-flag ids this one stands for when it is ranked."""
    never_ranked: bool = False
    safety: bool = False
    """A safety item: shown, never worded as a cause."""
    belief: str = ""
    """What popular sources claim beyond the evidence, and what is true."""


class RedFlagRule(Rule, kw_only=True, frozen=True):
    """An objective finding that changes the pathway, whatever the results say."""

    id: str
    title: str
    urgency: Literal["immediate", "urgent", "soon", "routine"]
    indicator: Indicator
    when: When
    says: str
    """What to do; a card says it once, however many red flags say the same."""
    review: Review
    references: tuple[str, ...]
    misuse: str
    also: str = ""
    """What is to be done about this finding alone."""


class Request(Rule, kw_only=True, frozen=True):
    """What to put on the ServiceRequest: one code, or only a text when no verified code exists."""

    text: str
    system: str = ""
    code: str = ""
    display: str = ""
    covers: str = ""
    """The part of the test it is (`albumin` of `calcium_albumin`); empty: the whole."""


class Suggest(Rule, kw_only=True, frozen=True):
    """A reason to order a test now."""

    when: When
    reason: str
    urgency: Literal["routine", "urgent", "immediate"] = "routine"
    repeat: bool = False
    """True: also when a current result exists."""


class OrderRule(Rule, kw_only=True, frozen=True):
    """A test: when it is indicated, what answers it already, and when not to order it."""

    id: str
    title: str
    requests: tuple[Request, ...]
    review: Review
    references: tuple[str, ...]
    first_line: bool = False
    answered_by: tuple[str, ...] = ()
    """Analytes (or derived ones) any of which, current and readable, answers it."""
    asks_again: tuple[str, ...] = ()
    """Analytes whose unreadable newest result is a reason to repeat."""
    covered_by: tuple[tuple[str, ...], ...] = ()
    """Orders that satisfy it: any group of which all are pending."""
    valid_days: int = 90
    """How long a result, or an order that is still pending, counts."""
    suggest: tuple[Suggest, ...] = ()
    not_when: tuple[Aside, ...] = ()
    do_not_order: str = ""
    never_suggested: bool = False


class SpuriousRule(Rule, kw_only=True, frozen=True):
    """A pattern that makes results untrustworthy: none of `invalidates` is asserted."""

    id: str
    title: str
    says: str
    review: Review
    references: tuple[str, ...]
    invalidates: tuple[str, ...]
    haemolysed: bool = False
    same_specimen: bool = False
    results: tuple[SpuriousResult, ...] = ()
    """All must hold; with `same_specimen` in one specimen (or, when unknown, on one day)."""
    any_of: tuple[SpuriousResult, ...] = ()
    """At least one must hold as well, when given."""
    exposure: When | None = None
    indicator: Indicator = "warning"
    repeat: tuple[str, ...] = ()
    """Tests to repeat."""


class SpuriousResult(Rule, kw_only=True, frozen=True, rename={"is_": "is"}):
    """One result of the pattern."""

    labs: tuple[str, ...]
    is_: Direction
    limit: Limit | None = None


class Reference(Rule, kw_only=True, frozen=True):
    """A source: what was cited, and how far it was read."""

    id: str
    cite: str
    year: int | None = None
    url: str = ""
    read: str
    """What of it was read when the rules were written; `[M]` and `[J]` are kept."""
    short: str
    """How a card names it."""


class DrugClass(Rule, kw_only=True, frozen=True):
    """How long a class counts after it was stopped."""

    id: str
    title: str
    washout_days: int


class Question(Rule, kw_only=True, frozen=True):
    """One question of the twitching history."""

    id: str
    text: str
    type: Literal["choice", "date", "string", "boolean"]
    core: bool
    """One of the five questions; the others are objective findings."""
    options: tuple[Option, ...] = ()
    repeats: bool = False
    """True: several answers may be given."""
    concept: str = ""
    """For a finding: the concept a yes stands for."""
    why: str = ""


class Option(Rule, kw_only=True, frozen=True):
    """One answer code, what the clinician reads, and the concept or site it stands for."""

    value: str
    text: str
    site: str = ""
    concept: str = ""


class GateRule(Rule, kw_only=True, frozen=True):
    """What counts as documented twitching, and whom the rules are for."""

    opens: tuple[str, ...]
    mimics: tuple[str, ...]
    adults_from: PerUnit
    under_age: str
    age_unknown: str
    known_mnd: tuple[str, ...]
    examination_refutes: tuple[str, ...]
    """Concepts that a later normal neurological examination takes back when only the problem list names them."""
    review: Review

    @property
    def heard(self) -> frozenset[str]:
        """The concepts of problems that tell one patient without documented twitching from another; see `assess`."""
        return frozenset({*self.opens, *self.mimics})


class Note(Rule, kw_only=True, frozen=True):
    """A sentence added to the assessment when its condition holds."""

    id: str
    when: When
    says: str
    references: tuple[str, ...]
    review: Review


class Ranking(Rule, kw_only=True, frozen=True):
    """The order of the tiers, and of contributors inside one."""

    tiers: tuple[Tier, ...]
    within_tier: tuple[str, ...]


class Release(Rule, kw_only=True, frozen=True):
    """The rule set as a whole: version, date and review status."""

    version: str
    date: date
    status: str


class SourceAttribute(Rule, kw_only=True, frozen=True):
    """One of the 13 source attributes of an evidence-based DSI, 45 CFR 170.315(b)(11)(iv)(A)."""

    number: int
    name: str
    value: str


class Publication(Rule, kw_only=True, frozen=True):
    """What a service tells about itself: intended use and source attributes."""

    use: str
    users: str
    population: str
    not_for: str
    tested: str
    attributes: tuple[SourceAttribute, ...]
    not_covered: tuple[str, ...]
    """What the rules leave out on purpose or for want of a source."""
    unsettled: tuple[str, ...]
    """On what sources or clinicians disagree; to be settled by whoever reviews the rules."""
    references: tuple[str, ...]
    review: Review
