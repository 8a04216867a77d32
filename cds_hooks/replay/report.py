"""The report: one HTML file without scripts and without anything to load, so that it can be sent and kept."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from cds_hooks.card_wording import card_wording
from cds_hooks.knowledge_pages.wording import words
from cds_hooks.replay.sides import made
from cds_hooks.replay.summary import Entry, Summary
from cds_hooks.replay.tally import BANDS, CHANGE, KEPT_BACK, SEVERITY
from cds_hooks.replay.titles import title_of

SHOWN: Final = 20
"""Bars of one chart; the tables hold them all."""
MODES: Final = {
    "as-of": "once, on the day",
    "each-encounter": "at the start of each encounter",
    "monthly": "at the end of each month",
}


class Bar(NamedTuple):
    """One line of a chart; of the second rule set, if there is one, `other`."""

    label: str
    entry: Entry
    rate: str
    other: Entry | None = None
    other_rate: str = ""
    tone: str = "info"


def report(summary: Summary) -> str:
    """The page."""
    told = summary.about()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            told=told,
            summary=summary,
            notices=list(summary.notices()),
            mode=MODES[told["mode"]],
            charts=[chart for chart in _charts(summary) if chart[2]],
            strata=_strata(summary),
            changes=[e for e in summary.table("change", CHANGE) if e.what[0] != "any"]
            if summary.compared
            else [],
            changed=summary.cell(CHANGE, "change", "any", ""),
            title=lambda what: title_of(summary, *what),
            months=_months(summary),
        )
    )


def _charts(summary: Summary) -> list[tuple[str, str, list[Bar]]]:
    """Title, explanation and bars of each chart."""
    desk = made(summary.replayed.options.sides[0]).desk
    knowledge, kit = desk.knowledge, desk.kit
    topics = {topic.code: topic.display for topic in card_wording().topics.values()}
    reasons = card_wording().gap_reasons
    tiers = {str(tier): says for tier, says in words().tiers.items()}

    def bars(table: str, label: Any, keep: Any = None) -> list[Bar]:
        entries = {e.what: e for e in summary.table(table) if keep is None or keep(e.what)}
        others = {e.what: e for e in summary.table(table, "1") if keep is None or keep(e.what)}
        for what in others:
            entries.setdefault(what, Entry(what, 0, 0, 0))
        return [
            _bar(summary, label(what), entry, others.get(what, Entry(what, 0, 0, 0)), what)
            for what, entry in list(entries.items())[:SHOWN]
        ]

    return [
        ("Patients by the most severe card", "Each patient once.", _highest(summary)),
        ("Cards", "By topic and indicator.", bars("card", lambda w: f"{topics.get(w[0], w[0])}: {w[1]}")),
        (
            "Contributors",
            "Patients for whom a card named it.",
            bars("contributor", lambda w: kit.title(w[0])),
        ),
        ("Tiers", "Ranks of evidence.", bars("tier", lambda w: f"{w[0]}: {tiers[w[0]]}")),
        ("Red flags", "Patients for whom a card raised it.", bars("redFlag", lambda w: kit.title(w[0]))),
        (
            "Suggested tests",
            "Patients whose cards asked for the test.",
            bars(
                "test",
                lambda w: knowledge.orders[w[0]].title if w[0] in knowledge.orders else w[0],
                lambda w: w[1] == "suggested",
            ),
        ),
        (
            "What could not be used, by reason",
            "Patients whose cards said so. With --gate assume-twitching it is asked of every patient.",
            bars("gapReason", lambda w: reasons.get(w[0], w[0])),
        ),
        (
            "What could not be used, by what it is",
            "The most frequent.",
            bars("gap", lambda w: f"{w[1].replace('_', ' ')}: {reasons.get(w[0], w[0])}"),
        ),
        ("Why there was no card", "Patients.", bars("silent", lambda w: w[0].replace("-", " "))),
        (
            "Kept back by the site: cards",
            "Patients to whom they would have been shown; the site profile does not let them through.",
            bars(KEPT_BACK["card"], lambda w: f"{topics.get(w[0], w[0])}: {w[1]} ({_why(w[2])})"),
        ),
        (
            "Kept back by the site: findings",
            "Patients for whom a card would have named it.",
            bars(KEPT_BACK["finding"], lambda w: f"{kit.title(w[0])}: {w[1]} ({_why(w[2])})"),
        ),
        ("Failures", "The service would have answered with an error.", bars("failed", lambda w: w[0])),
    ]


def _why(reason: str) -> str:
    return reason.replace("-", " ")


def _highest(summary: Summary) -> list[Bar]:
    cells = [(summary.cell("0", "highest", name), summary.cell("1", "highest", name)) for name in SEVERITY]
    return [
        _bar(summary, "no card" if name == "none" else name, one, other, (name,))
        for name, (one, other) in zip(SEVERITY, cells, strict=True)
    ]


def _bar(summary: Summary, label: str, entry: Entry, other: Entry, what: tuple[str, ...]) -> Bar:
    tone = next((word for word in reversed(what) if word in SEVERITY), "info")
    rate = summary.per_thousand(entry.patients)
    if not summary.compared:
        return Bar(label, entry, rate, tone=tone)
    return Bar(label, entry, rate, other, summary.per_thousand(other.patients), tone)


def _strata(summary: Summary) -> list[tuple[str, list[tuple[Entry, Entry]]]]:
    """Age band -> per sex the patients with and without cards."""
    ages = [name for _, name in reversed(BANDS)] + ["unknown"]
    sexes = ["female", "male", "other", "unknown"]
    return [
        (
            age,
            [
                (
                    summary.cell("0", "stratum", age, sex, "cards"),
                    summary.cell("0", "stratum", age, sex, "none"),
                )
                for sex in sexes
            ],
        )
        for age in ages
    ]


def _months(summary: Summary) -> list[tuple[str, Entry, Entry]]:
    months = sorted({entry.what[0] for entry in summary.table("month")})
    return [
        (month, summary.cell("0", "month", month, "cards"), summary.cell("0", "month", month, "none"))
        for month in months
    ]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cds_hooks.replay", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}" if isinstance(value, int) else value
    return environment
