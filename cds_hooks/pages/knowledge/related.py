"""What else to read: the limits a rule asks for, the tests that measure them, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from msgspec import UNSET

from cds_hooks.knowledge_pages.wording import title_of
from mappings.knowledge import Knowledge, conditions
from mappings.knowledge_check.rules import cited, rules
from mappings.rules import ContributorRule

Link = tuple[str, str]
"""An id and its title."""


class Related(NamedTuple):
    """Links of one id, each list in the order of the rules."""

    limits: tuple[Link, ...] = ()
    tests: tuple[Link, ...] = ()
    rules: tuple[Link, ...] = ()
    """The rules that ask for this result, or name this source."""


@lru_cache(maxsize=2)
def related(knowledge: Knowledge) -> Mapping[str, Related]:
    """The links of every id that has some."""
    asked = {rule.id: tuple(dict.fromkeys(_labs(rule))) for rule in knowledge.contributors.values()}
    answers = {name: _measured(rule.answered_by, knowledge) for name, rule in knowledge.orders.items()}
    found: dict[str, Related] = {}
    for name, labs in asked.items():
        analytes = _measured(labs, knowledge)
        tests = [test for test, measured in answers.items() if set(measured) & set(analytes)]
        found[name] = Related(_links(analytes, knowledge), _links(_without(tests, analytes), knowledge))
    for analyte in (*knowledge.analytes, knowledge.calcium.id):
        asking = [
            name for name, labs in asked.items() if analyte in _measured(labs, knowledge) or analyte in labs
        ]
        tests = [test for test, measured in answers.items() if analyte in measured and analyte != test]
        found[analyte] = Related((), _links(tests, knowledge), _links(asking, knowledge))
    for test, measured in answers.items():
        before = found.get(test, Related())
        limits = [name for name in measured if name != test]
        found[test] = before._replace(limits=_links(limits, knowledge))
    for reference in knowledge.references:
        citing = [rule.id for _, rule in rules(knowledge) if reference in cited(rule)]
        found[reference] = Related(rules=_links(citing, knowledge))
    return found


def _labs(rule: ContributorRule) -> Iterator[str]:
    for tier in rule.tiers:
        yield from (str(when.lab) for _, when in conditions(tier) if when.lab is not UNSET)
    yield from (mediator.lab for mediator in (rule.through.mediators if rule.through else ()))


def _measured(labs: Iterable[str], knowledge: Knowledge) -> tuple[str, ...]:
    """The analytes; derived calcium stands for what it is derived from."""
    calcium = knowledge.calcium
    parts = (calcium.ionised, calcium.adjusted, calcium.total)
    named = [name for lab in labs for name in (parts if lab == calcium.id else (lab,))]
    return tuple(name for name in dict.fromkeys(named) if name in knowledge.analytes)


def _without(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """A test that has its limits on the same page is one link."""
    return [name for name in names if name not in known]


def _links(names: Iterable[str], knowledge: Knowledge) -> tuple[Link, ...]:
    analytes = knowledge.analytes
    return tuple(
        (name, analytes[name].title if name in analytes else title_of(name, knowledge))
        for name in dict.fromkeys(names)
    )
