"""Order templates with the site's own codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds_hooks.service_request import OrderTemplate
from cds_hooks.site_profile.model import OrderCodes
from cds_hooks.site_profile.parts import SiteCode
from cds_hooks.wrong_value import meant
from mappings.rules import OrderRule

Templates = Mapping[str, tuple[OrderTemplate, ...]]


def with_site_codes(templates: Templates, rules: Mapping[str, OrderRule], orders: OrderCodes) -> Templates:
    """The templates with the codes of the profile; `problems_of_orders` has nothing against it."""
    return {test: tuple(_coded(test, group, rules, orders)) for test, group in templates.items()}


def _coded(
    test: str, group: tuple[OrderTemplate, ...], rules: Mapping[str, OrderRule], orders: OrderCodes
) -> Iterator[OrderTemplate]:
    whole = orders.codes.get(test)
    if whole is not None and len(group) > 1:
        title = rules[test].title
        resource = group[0].resource | {"code": {"coding": [_coding(whole)], "text": title}}
        if orders.keep_loinc:
            resource["code"]["coding"] += [
                coding for one in group for coding in one.resource["code"].get("coding", ())
            ]
        yield OrderTemplate(title, resource)
        return
    for template in group:
        code = whole or orders.codes.get(f"{test}.{template.covers}")
        if code is not None:
            yield _with(template, code, keep=orders.keep_loinc)
        elif orders.unmapped == "suggest":
            yield template


def _with(template: OrderTemplate, code: SiteCode, *, keep: bool) -> OrderTemplate:
    ours = template.resource["code"]
    codings = [_coding(code), *(ours.get("coding", ()) if keep else ())]
    return template._replace(resource=template.resource | {"code": ours | {"coding": codings}})


def _coding(code: SiteCode) -> dict[str, Any]:
    return {"system": code.system, "code": code.code, "display": code.display}


def tests_by_code(orders: OrderCodes) -> dict[tuple[str | None, str | None], tuple[str, ...]]:
    """What an order with one of the site's codes asks for: the test, or the part of it."""
    found: dict[tuple[str | None, str | None], tuple[str, ...]] = {}
    for place, code in orders.codes.items():
        test, _, part = place.partition(".")
        key = code.system, code.code
        found[key] = (*found.get(key, ()), part or test)
    return found


def problems_of_orders(rules: Mapping[str, OrderRule], orders: OrderCodes) -> Iterator[str]:
    """Names of tests that are not there."""
    suggested = {test: rule for test, rule in rules.items() if not rule.never_suggested}
    for place in orders.codes:
        test, _, part = place.partition(".")
        rule = suggested.get(test)
        if rule is None:
            yield f"orders.codes.{place}: no test `{test}`; {meant(test, suggested)}"
            continue
        parts = [request.covers for request in rule.requests if request.covers]
        if part and part not in parts:
            told = f"its parts are {', '.join(parts)}" if parts else "it has no parts"
            yield f"orders.codes.{place}: no part `{part}` of `{test}`; {told}"
        elif part and test in orders.codes:
            yield f"orders.codes.{place}: `{test}` has one code for the whole already; give that or the parts"
