"""Compiles the conditions of rule files into functions from a `Case` to evidence.

A compiled condition answers with the evidence that makes it true (possibly none), or None when it is
not true. Unknown is never true, except where a condition asks for exactly that.
"""

from __future__ import annotations

from collections.abc import Callable

from mappings.assess import context_words, record_words
from mappings.assess.case import Case
from mappings.assess.record_words import NOTHING, Condition, Proof
from mappings.assessment import Evidence
from mappings.knowledge import Knowledge
from mappings.rule_language import When

__all__ = ["Condition", "Proof", "compile_condition"]


def compile_condition(when: When, knowledge: Knowledge) -> Condition:
    """The condition as a function."""
    return _COMPILERS[when.word()](when, knowledge)


def _all(when: When, knowledge: Knowledge) -> Condition:
    parts = [compile_condition(part, knowledge) for part in _parts(when.all)]

    def holds(case: Case) -> Proof | None:
        proofs: list[Evidence] = []
        for part in parts:
            proof = part(case)
            if proof is None:
                return None
            proofs.extend(proof)
        return tuple(proofs)

    return holds


def _any(when: When, knowledge: Knowledge) -> Condition:
    parts = [compile_condition(part, knowledge) for part in _parts(when.any)]

    def holds(case: Case) -> Proof | None:
        proofs = [proof for part in parts if (proof := part(case)) is not None]
        return tuple(dict.fromkeys(item for proof in proofs for item in proof)) if proofs else None

    return holds


def _none(when: When, knowledge: Knowledge) -> Condition:
    parts = [compile_condition(part, knowledge) for part in _parts(when.none)]
    return lambda case: None if any(part(case) is not None for part in parts) else NOTHING


def _parts(parts: object) -> tuple[When, ...]:
    assert isinstance(parts, tuple)  # noqa: S101 - word() has seen to it
    return parts


_COMPILERS: dict[str, Callable[[When, Knowledge], Condition]] = {
    "all": _all,
    "any": _any,
    "none": _none,
    **{
        name: getattr(record_words, name)
        for name in ("lab", "exposure", "problem", "finding", "measure", "answer")
    },
    **{
        name: getattr(context_words, name)
        for name in (
            "site",
            "onset_days",
            "age",
            "pregnant",
            "ranked",
            "ranked_in",
            "red_flag",
            "first_line",
            "unsupported",
            "unread",
        )
    },
}
