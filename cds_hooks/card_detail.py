"""The Markdown of the cards: one function per part, every text of the record escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from cds_hooks.card_kit import CardKit, mid_sentence
from cds_hooks.markdown import escape
from mappings.assessment import Assessment, Contributor, Evidence, Proposal, RedFlag, SafetyItem, TestAdvice
from mappings.facts import DataGap

MOST_LINES = 5
MOST_GAPS = 12
SENTENCE = 600
"""Longest sentence of a rule; texts of the record are cut shorter."""


def red_flag_lines(flags: Sequence[RedFlag], kit: CardKit) -> list[str]:
    """Title, urgency, evidence, what to do, source; what several say is said by the first."""
    lines, said = [], set()
    for flag in flags:
        head = f"**{kit.linked(flag.id, flag.title)}** ({kit.say(f'urgency_{flag.urgency}')})"
        says = " ".join(filter(None, (flag.says if flag.says not in said else "", flag.also)))
        said.add(flag.says)
        lines.append("- " + _join(head, _evidence(flag.evidence, kit), says, _sources(flag.references, kit)))
    return lines


def contributor_lines(contributors: Sequence[Contributor], kit: CardKit) -> list[str]:
    """The ranked list, at most `MOST_LINES`; those ranked lower are named in one more line."""
    lines = []
    for number, contributor in enumerate(contributors[:MOST_LINES], start=1):
        head = f"**{kit.linked(contributor.id, contributor.title)}** ({kit.say(f'strength_{contributor.strength}')})"
        explained = [escape(mid_sentence(kit.title(cause))) for cause in contributor.explained_by]
        evidence = _evidence(contributor.evidence, kit)
        if explained:
            evidence = "; ".join(
                filter(None, (evidence, kit.say("explained_by", names=", ".join(explained))))
            )
        lines.append(
            f"{number}. " + _join(head, evidence, contributor.says, _sources(contributor.references, kit))
        )
    if lower := contributors[MOST_LINES:]:
        lines.append("\n" + kit.say("further", titles="; ".join(escape(item.title) for item in lower)))
    return lines


def safety_lines(items: Sequence[SafetyItem], kit: CardKit) -> list[str]:
    """Results that matter for safety, under a heading that says they are no cause."""
    if not items:
        return []
    return [f"**{kit.say('safety')}**\n"] + [
        "- "
        + _join(
            f"**{kit.linked(item.id, item.title)}**",
            _evidence(item.evidence, kit),
            item.says,
            _sources(item.references, kit),
        )
        for item in items
    ]


def proposal_lines(proposals: Sequence[Proposal], kit: CardKit) -> list[str]:
    """The medicines being ordered, by the order's own name, each with the results it would move."""
    lines = []
    for proposal in proposals:
        head = f"**{escape(proposal.drug)}** ({kit.linked(proposal.id, proposal.title)})"
        effects = "; ".join(escape(kit.printed(effect.text), SENTENCE) for effect in proposal.effects)
        lines.append("- " + _join(head, effects, proposal.says, _sources(proposal.references, kit)))
    return lines


def test_lines(suggested: Sequence[TestAdvice], kit: CardKit) -> list[str]:
    """The tests to order, each with its reason; those of one urgency and reason on one line."""
    together: dict[tuple[str, str], list[str]] = {}
    for test in suggested:
        together.setdefault((test.urgency, test.reason), []).append(f"**{kit.linked(test.id, test.title)}**")
    lines = []
    for (urgency, reason), titles in together.items():
        mark = "" if urgency == "routine" else f" ({kit.say(f'test_{urgency}')})"
        lines.append("- " + _join(f"{', '.join(titles)}{mark}", escape(kit.printed(reason), SENTENCE)))
    return lines


def context_paragraphs(assessment: Assessment, kit: CardKit) -> list[str]:
    """What every answer owes its reader: what could not be read, grounds, what was not supported or asked, whose rules."""
    gate = [_shown(item, kit) for item in assessment.gate.because]
    considered = [_considered(kit.title(item.id), kit.printed(item.why)) for item in assessment.considered]
    missing = [gap for gap in assessment.gaps if gap.reason == "not-provided"]
    unusable = [gap for gap in assessment.gaps if gap.reason != "not-provided"]
    paragraphs = [
        _listing("gaps", _gaps(unusable, kit), kit),
        _listing("not_provided", _gaps(missing, kit), kit),
        *(escape(kit.printed(note), SENTENCE) for note in assessment.notes),
        _listing("gate", list(dict.fromkeys(gate)), kit),
        _listing("considered", considered, kit),
        _listing("not_again", _settled(assessment.tests), kit),
        _listing("unanswered", [escape(title) for title in assessment.unanswered], kit),
        _listing("silent_rules", [escape(title) for title in kit.silent_rules], kit),
        footer(assessment, kit),
    ]
    return [paragraph for paragraph in paragraphs if paragraph]


def _considered(title: str, why: str) -> str:
    """What was considered and why not; the title is left out where the reason begins with it."""
    named = why.lower().startswith(title.lower())
    return escape(why, SENTENCE) if named else f"{escape(title)}: {escape(why, SENTENCE)}"


def _settled(tests: Iterable[TestAdvice]) -> list[str]:
    """The tests that are not suggested, together when the reason is the same."""
    by_reason: dict[str, list[str]] = {}
    for test in tests:
        if test.status != "suggested":
            by_reason.setdefault(test.reason, []).append(escape(test.title))
    return [f"{', '.join(titles)} ({escape(reason)})" for reason, titles in by_reason.items()]


def footer(assessment: Assessment, kit: CardKit) -> str:
    """Whose rules, how far reviewed, for whom."""
    return (
        "*"
        + escape(kit.say("footer", version=assessment.knowledge_version, status=kit.status), SENTENCE)
        + "*"
    )


def _gaps(gaps: Sequence[DataGap], kit: CardKit) -> list[str]:
    """Each gap in words, each once; beyond `MOST_GAPS` they are counted by reason, never dropped."""
    reasons = kit.wording.gap_reasons
    alone = [gap for gap in gaps if gap.reason != "spurious" or not gap.text]
    gaps = [*alone, *_of_one_pattern(gap for gap in gaps if gap not in alone)]
    texts = {escape(kit.gap(gap)): gap.reason for gap in gaps}
    shown = list(texts)[:MOST_GAPS]
    rest = Counter(list(texts.values())[MOST_GAPS:])
    return shown + [
        f"{kit.say('more_gaps', count=count)} ({reasons.get(reason, reason)})"
        for reason, count in rest.items()
    ]


def _of_one_pattern(gaps: Iterable[DataGap]) -> list[DataGap]:
    """The results that one pattern makes untrustworthy, named together."""
    together: dict[str, list[DataGap]] = {}
    for gap in gaps:
        together.setdefault(gap.text.rpartition(": ")[2], []).append(gap)
    return [
        replace(group[0], text=f"{', '.join(gap.text.rpartition(': ')[0] for gap in group)}: {pattern}")
        for pattern, group in together.items()
    ]


def _listing(heading: str, items: Sequence[str], kit: CardKit) -> str:
    """One paragraph, `**Heading:** one; two`; empty without items."""
    text = "; ".join(item.removesuffix(".") for item in items).replace("?; ", "? ")
    return f"**{kit.say(heading)}:** {_full_stop(text)}" if items else ""


def _join(head: str, evidence: str, says: str = "", sources: str = "") -> str:
    """`head: evidence. Says. Sources.`"""
    first = f"{head}: {evidence}" if evidence else head
    return " ".join(_full_stop(part) for part in (first, escape(says, SENTENCE), sources) if part)


def _evidence(evidence: Iterable[Evidence], kit: CardKit) -> str:
    return "; ".join(dict.fromkeys(_shown(item, kit) for item in evidence))


def _shown(item: Evidence, kit: CardKit) -> str:
    """The line of the evidence with its unit as clinicians write it."""
    return escape(kit.printed(item.text))


def _sources(references: Sequence[str], kit: CardKit) -> str:
    names = [escape(kit.references.get(name, name)) for name in references]
    return kit.say("sources", names="; ".join(names)) if names else ""


def _full_stop(text: str) -> str:
    return text if text.endswith((".", "?", "!", "…")) else text + "."
