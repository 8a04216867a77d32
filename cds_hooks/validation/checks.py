"""All checks in one place: which requirement is covered by what."""

from __future__ import annotations

from functools import cache

from cds_hooks.validation import (
    context_rules,
    discovery_rules,
    feedback_rules,
    prefetch_rules,
    request_rules,
    response_rules,
)
from cds_hooks.validation.detect import UNKNOWN_KIND
from cds_hooks.validation.hooks import hooks
from cds_hooks.validation.json_text import CITED
from cds_hooks.validation.rule import Rule
from cds_hooks.validation.shapes import EXTENSION, NO_EMPTIES, shapes
from cds_hooks.validation.structure import UNKNOWN

RULES: tuple[Rule, ...] = (
    *discovery_rules.RULES,
    *prefetch_rules.RULES,
    *request_rules.RULES,
    *context_rules.RULES,
    *response_rules.RULES,
    *feedback_rules.RULES,
)


def strict_rules() -> tuple[Rule, ...]:
    """The rules of the strict check, which load the FHIR classes (more than a second)."""
    from cds_hooks.validation import strict_fhir  # noqa: PLC0415 - see the docstring

    return strict_fhir.RULES


@cache
def covered() -> frozenset[str]:
    """The requirements that some check can report."""
    ids = {*UNKNOWN_KIND, *EXTENSION, *NO_EMPTIES, *UNKNOWN, *CITED}
    for shape in shapes().values():
        for field in shape.fields.values():
            ids.update(
                field.ids, field.ids_if_missing, field.ids_of_value, field.notice.ids if field.notice else ()
            )
        for condition in shape.conditions:
            ids.update(condition.ids)
    for hook in hooks().values():
        for context_field in hook.fields.values():
            ids.update(context_field.ids_for("token"))
    for rule in (*RULES, *strict_rules()):
        ids.update(rule.ids)
    return frozenset(ids)
