"""Rules about the prefetch templates of a service (CDS Hooks 2.0, Prefetch Template)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from cds_hooks.validation.findings import Path, quoted
from cds_hooks.validation.hooks import hook_named
from cds_hooks.validation.rule import Rule, Violation
from cds_hooks.validation.walk import Node

USER_TOKENS = ("userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId")
TOKEN = re.compile(r"\{\{([^{}]*)\}\}")
_FIELD = re.compile(r"context\.([A-Za-z][A-Za-z0-9_-]*)")
_SOME_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_QUERY = re.compile(r"(?:[A-Z][A-Za-z]+|\{\{\}\})(?:/[^/?\s]+)?(?:\?\S*)?")
"""`Type/id` or `Type?parameters`, after every token was replaced by `{{}}`."""
_CONTROL = (
    "_id",
    "_lastUpdated",
    "_tag",
    "_profile",
    "_security",
    "_source",
    "_count",
    "_sort",
    "_maxresults",
)
_DATE_PREFIX = re.compile(r"(?:ne|sa|eb|ap)[0-9]{4}(?:-|$|T|\{)")
_OPEN_DATE = re.compile(r"(?:gt|ge|lt|le)(?:[0-9]{4}|\{\{)")


def _templates(node: Node) -> Iterator[tuple[Path, str]]:
    prefetch = node.value.get("prefetch")
    for name, template in prefetch.items() if isinstance(prefetch, dict) else ():
        if isinstance(template, str) and template:
            yield ("prefetch", name), template


def _braces_close(node: Node) -> Iterator[Violation]:
    for at, template in _templates(node):
        rest = TOKEN.sub("", template)
        if "{" in rest or "}" in rest:
            problem = f"{quoted(template)} has braces that are no token."
            yield Violation(at, problem, "Write a token as {{context.patientId}}.")


def _tokens_are_paths(node: Node) -> Iterator[Violation]:
    """2.0 allows context fields and user identifiers; expressions are for services that say they are of the 3.0 ballot."""
    hook = hook_named(node.value.get("hook"))
    of_3 = str(node.value.get("version", "")).startswith("3.")
    for at, token in _tokens(node):
        name = _FIELD.fullmatch(token)
        if token in USER_TOKENS or _SOME_FIELD.fullmatch(token):
            continue
        if name and hook and name[1] not in hook.fields:
            problem = f"`{hook.name}` has no context field `{name[1]}`."
            fix = f"Use one of its fields: {', '.join(f for f, spec in hook.fields.items() if spec.token)}."
            yield Violation(at, problem, fix)
        elif not name and _nested(token) is None and not (of_3 and _is_expression(token)):
            problem = f"{quoted(token)} is neither a context field nor a user identifier."
            fix = (
                "Write {{context.field}} without spaces or expressions. Expressions belong to the 3.0 ballot; a service "
                "that wants them says so by its `version`."
            )
            yield Violation(at, problem, fix)


def _is_expression(token: str) -> bool:
    return "(" in token or token.strip().startswith("%")


def _expressions_belong_to_3(node: Node) -> Iterator[Violation]:
    for at, token in _tokens(node):
        if _is_expression(token):
            problem = f"{quoted(token)} is an expression of the 3.0 ballot; clients of 2.0 do not replace it."
            yield Violation(at, problem, "Ask for more and filter in the service.")


def _tokens_say_context(node: Node) -> Iterator[Violation]:
    for at, token in _tokens(node):
        if _SOME_FIELD.fullmatch(token) and token not in USER_TOKENS:
            yield Violation(
                at,
                f"The token {quoted(token)} does not begin with context.",
                f"Write {{{{context.{token}}}}}.",
            )


def _tokens_are_primitive(node: Node) -> Iterator[Violation]:
    hook = hook_named(node.value.get("hook"))
    for at, token in _tokens(node):
        name = _FIELD.fullmatch(token)
        field = hook.fields.get(name[1]) if hook and name else None
        if field and not field.token:
            problem = f"`{token}` is not a primitive value, so it cannot be a token."
            yield Violation(
                at,
                problem,
                "Read it from the context in the service.",
                None,
                (*PRIMITIVE, *field.ids_for("token")),
            )
        elif _nested(token):
            problem = (
                f"{quoted(token)} leads into a field; only fields at the root of the context can be tokens."
            )
            yield Violation(at, problem, "Use a field at the root of the context.")


def _query_is_relative(node: Node) -> Iterator[Violation]:
    for at, template in _templates(node):
        if not _QUERY.fullmatch(TOKEN.sub("{{}}", template)):
            problem = f"{quoted(template)} is no FHIR query relative to the server's base URL."
            yield Violation(at, problem, "Write Type/{{context.field}} or Type?parameter={{context.field}}.")


def _query_keeps_to_the_subset(node: Node) -> Iterator[Violation]:
    for at, template in _templates(node):
        for problem in _outside_subset(template):
            yield Violation(
                at, problem, "Ask for more, so that every client can answer, and filter in the service."
            )


def _outside_subset(template: str) -> Iterator[str]:
    place, _, _ = template.partition("?")
    if "$" in place:
        yield f"{quoted(place)} is an operation, which few clients can run."
    for name, value in _parameters(template):
        base, _, modifier = name.partition(":")
        if base.startswith("_") and base not in _CONTROL:
            yield f"{quoted(base)} is not in the subset of FHIR search that is recommended for prefetch."
        elif "." in base:
            yield f"{quoted(name)} is a chained parameter, which is not in the recommended subset."
        elif modifier and modifier != "in":
            yield f"The modifier {quoted(':' + modifier)} is not in the recommended subset; only :in is."
        elif "quantity" in base or "$" in value:
            yield f"{quoted(name)} is neither a reference, a token nor a date."
        elif _DATE_PREFIX.match(value):
            yield f"The prefix {quoted(value[:2])} is not in the recommended subset: eq, lt, gt, ge and le are."


def _parameters(template: str) -> list[tuple[str, str]]:
    """The parameters of a search, decoded."""
    _, _, query = template.partition("?")
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in pairs]


def _oracle_can_answer(node: Node) -> Iterator[Violation]:
    for at, template in _templates(node):
        parameters = _parameters(template)
        names = [name for name, _ in parameters]
        if "_sort" in names:
            yield Violation(
                at, "Oracle Health does not know _sort.", "Do not rely on the order of the results."
            )
        for name, value in parameters:
            if _OPEN_DATE.match(value) and names.count(name) < 2:
                problem = f"The range of {quoted(name)} has one end; Oracle Health wants two."
                yield Violation(at, problem, "Do not rely on the filter.")


def _epic_can_answer(node: Node) -> Iterator[Violation]:
    for at, template in _templates(node):
        names = {name.partition(":")[0] for name, _ in _parameters(template)}
        if template.startswith("Observation?") and not ("patient" in names and names & {"code", "category"}):
            problem = "Epic searches Observation only by patient and code or category."
            yield Violation(at, problem, "Add them.")


def _tokens(node: Node) -> Iterator[tuple[Path, str]]:
    for at, template in _templates(node):
        for found in TOKEN.finditer(template):
            yield at, found[1]


def _nested(token: str) -> re.Match[str] | None:
    """`context.field.more`"""
    return re.fullmatch(r"context(?:\.[A-Za-z][A-Za-z0-9_-]*){2,}", token)


PRIMITIVE = ("cds-hooks_2.0@57",)

RULES = (
    Rule("service", "error", ("cds-hooks_2.0@55",), _braces_close),
    Rule("service", "error", ("cds-hooks_2.0@56",), _tokens_are_paths),
    Rule("service", "information", ("cds-hooks_3.0-ballot#prefetch-expression",), _expressions_belong_to_3),
    Rule("service", "error", ("cds-hooks_2.0@59",), _tokens_say_context),
    Rule("service", "error", PRIMITIVE, _tokens_are_primitive),
    Rule("service", "error", ("cds-hooks_2.0@36", "cds-hooks_2.0@11"), _query_is_relative),
    Rule("service", "warning", ("cds-hooks_2.0@58",), _query_keeps_to_the_subset),
    Rule("service", "information", ("client/oracle#search",), _oracle_can_answer),
    Rule("service", "information", ("client/epic#observation-search",), _epic_can_answer),
)
