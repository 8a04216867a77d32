"""A condition of a rule file as a sentence for a clinician."""

from __future__ import annotations

from collections.abc import Callable

from cds_hooks.knowledge_pages.wording import bounds, listing, name_of, title_of, words
from mappings.knowledge import Knowledge
from mappings.rule_language import Limit, When


def in_words(when: When, knowledge: Knowledge) -> str:
    """The condition in words; nothing of it is left out. Raises ValueError when it has no leading word."""
    return _WORDS[when.word()](when, knowledge)


def _all(when: When, knowledge: Knowledge) -> str:
    return words().condition["and"].join(_part(part, knowledge) for part in _parts(when.all))


def _any(when: When, knowledge: Knowledge) -> str:
    parts = [_part(part, knowledge) for part in _parts(when.any)]
    say = words().condition
    return say["either"].format(parts=say["or_else"].join(parts)) if len(parts) > 1 else parts[0]


def _none(when: When, knowledge: Knowledge) -> str:
    parts = [in_words(part, knowledge) for part in _parts(when.none)]
    say = words().condition
    if len(parts) == 1:
        return say["not"].format(part=parts[0])
    return say["either"].format(parts=say["none"].format(parts="; ".join(parts)))


def _part(when: When, knowledge: Knowledge) -> str:
    text = in_words(when, knowledge)
    return words().condition["either"].format(parts=text) if when.word() == "all" else text


def _parts(parts: object) -> tuple[When, ...]:
    return parts if isinstance(parts, tuple) else ()


def _lab(when: When, knowledge: Knowledge) -> str:
    say = words().condition
    text = say["lab"].format(
        analyte=_analyte(str(when.lab), knowledge),
        direction=words().directions[str(when.is_)],
    )
    if when.band:
        text += say["band"].format(bands=listing(when.band))
    if when.within_days is not None:
        text += say["within_days"].format(days=when.within_days)
    if when.older_than_days is not None:
        text += say["older_than_days"].format(days=when.older_than_days)
    return text


def _analyte(identifier: str, knowledge: Knowledge) -> str:
    rule = knowledge.analytes.get(identifier)
    return rule.title if rule else knowledge.calcium.title


def _exposure(when: When, knowledge: Knowledge) -> str:
    say, names = words().condition, _names(when.exposure)
    classes = listing(_class(name, knowledge) for name in names)
    text = say["agents" if when.agents > 1 else "exposure"].format(classes=classes, count=when.agents)
    if when.routes:
        text += say["routes"].format(routes=listing(map(name_of, when.routes)))
    if when.min_days:
        text += say["min_days"].format(days=when.min_days)
    if when.before_onset:
        text += say["before_onset"]
    if when.dose_mg is not None:
        text += say["dose_mg"].format(dose=when.dose_mg)
    return text


def _class(identifier: str, knowledge: Knowledge) -> str:
    rule = knowledge.drug_classes.get(identifier)
    return rule.title if rule else name_of(identifier)


def _problem(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    say = words().condition
    text = say["suspected" if when.suspected else "problem"].format(
        concepts=listing(map(name_of, _names(when.problem)))
    )
    return text + (say["past"] if when.past else "") + _recent(when)


def _finding(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    kind = "reported" if when.reported else "finding"
    text = words().condition[kind].format(concepts=listing(map(name_of, _names(when.finding))))
    return text + _recent(when) + (words().condition["since_onset"] if when.since_onset else "")


def _recent(when: When) -> str:
    return "" if when.within_days is None else words().condition["recent"].format(days=when.within_days)


def _measure(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    item, say = name_of(str(when.measure)), words().condition
    said = []
    if when.limit is not None:
        said.append(say["measure"].format(item=item, bounds=bounds(when.limit)))
    if when.text:
        said.append(say["measure_text"].format(item=item, words=listing(when.text)))
    return say["bounds"].join(said)


def _answer(when: When, knowledge: Knowledge) -> str:
    question = knowledge.questions.get(str(when.answer))
    text = question.text if question else str(when.answer)
    say = words().condition
    if not when.values:
        return say["answer"].format(question=text)
    options = {option.value: option.text for option in question.options} if question else {}
    answers = "; ".join(options.get(value, value) for value in when.values)
    return say["answer_values"].format(question=text, answers=answers)


def _site(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    kind = "site_of_findings" if when.of_findings else "site"
    return words().condition[kind].format(words=listing(_names(when.site)))


def _onset_days(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    return words().condition["onset_days"].format(bounds=_plain_bounds(when.onset_days))


def _age(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    return words().condition["age"].format(bounds=_plain_bounds(when.age))


def _plain_bounds(limit: object) -> str:
    return bounds(limit, units=False) if isinstance(limit, Limit) else ""


def _pregnant(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    return words().condition["pregnant" if when.pregnant is True else "not_pregnant"]


def _ranked(when: When, knowledge: Knowledge) -> str:
    titles = listing(title_of(name, knowledge) for name in _names(when.ranked))
    say = words().condition
    if when.tiers:
        return say["ranked_tiers"].format(titles=titles, tiers=listing(when.tiers))
    return say["ranked"].format(titles=titles)


def _ranked_in(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    return words().condition["ranked_in"].format(tiers=listing(_names(when.ranked_in)))


def _red_flag(when: When, knowledge: Knowledge) -> str:
    names = _names(when.red_flag)
    if "any" in names:
        return words().condition["any_red_flag"]
    return words().condition["red_flag"].format(titles=listing(title_of(name, knowledge) for name in names))


def _first_line(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    return words().condition[f"first_line_{when.first_line}"]


def _unsupported(when: When, knowledge: Knowledge) -> str:
    return words().condition["unsupported"].format(title=title_of(str(when.unsupported), knowledge))


def _unread(when: When, knowledge: Knowledge) -> str:  # noqa: ARG001
    return words().condition["unread"].format(names=listing(map(name_of, _names(when.unread))))


def _names(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


_WORDS: dict[str, Callable[[When, Knowledge], str]] = {
    "all": _all,
    "any": _any,
    "none": _none,
    "lab": _lab,
    "exposure": _exposure,
    "problem": _problem,
    "finding": _finding,
    "measure": _measure,
    "answer": _answer,
    "site": _site,
    "onset_days": _onset_days,
    "age": _age,
    "pregnant": _pregnant,
    "ranked": _ranked,
    "ranked_in": _ranked_in,
    "red_flag": _red_flag,
    "first_line": _first_line,
    "unsupported": _unsupported,
    "unread": _unread,
}
