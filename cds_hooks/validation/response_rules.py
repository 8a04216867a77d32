"""Rules about the cards and actions of a response."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_hooks.validation.findings import Path, quoted
from cds_hooks.validation.rule import Rule, Violation, objects, text
from cds_hooks.validation.shapes import formats
from cds_hooks.validation.walk import Node

_ELEMENT = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>")
"""An HTML element; `<https://…>` is a Markdown link and passes."""
_CODE_SPAN = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{9,}", re.IGNORECASE)
"""A UUID, a date, a long number: something that is different every time."""
_EPIC_CODE = re.compile(r"[A-Za-z0-9]{1,100}")


def _one_recommended(node: Node) -> Iterator[Violation]:
    recommended = [n for n, found in objects(node.value, "suggestions") if found.get("isRecommended") is True]
    if node.value.get("selectionBehavior") == "at-most-one" and len(recommended) > 1:
        problem = f"{len(recommended)} suggestions are recommended, but the user can select only one."
        fix = "Recommend one of them, or send selectionBehavior any."
        yield Violation(("suggestions", recommended[1], "isRecommended"), problem, fix)


def _card_uuids_differ(node: Node) -> Iterator[Violation]:
    places: list[tuple[str, Path]] = [
        (text(card, "uuid"), ("cards", n, "uuid")) for n, card in objects(node.value, "cards")
    ]
    yield from _repeated(places)


def _suggestion_uuids_differ(node: Node) -> Iterator[Violation]:
    places: list[tuple[str, Path]] = [
        (text(suggestion, "uuid"), ("cards", n, "suggestions", m, "uuid"))
        for n, card in objects(node.value, "cards")
        for m, suggestion in objects(card, "suggestions")
    ]
    yield from _repeated(places)


def _repeated(places: list[tuple[str, Path]]) -> Iterator[Violation]:
    seen = set()
    for uuid, at in places:
        if uuid and uuid in seen:
            yield Violation(at, f"The uuid {quoted(uuid)} stands here again.", "Make a new UUID for each.")
        seen.add(uuid)


def _uuid_for_feedback(node: Node) -> Iterator[Violation]:
    asks = "suggestions" in node.value or "overrideReasons" in node.value
    if asks and "uuid" not in node.value:
        problem = "Without `uuid` no client can send feedback on this card."
        yield Violation(("uuid",), problem, "Send a UUID if the service takes feedback.")


def _suggestion_has_a_uuid(node: Node) -> Iterator[Violation]:
    if "uuid" not in node.value:
        problem = "Without `uuid` no client can say that this suggestion was accepted."
        yield Violation(("uuid",), problem, "Send a UUID.")


def _uuid_is_a_uuid(node: Node) -> Iterator[Violation]:
    for name in ("uuid", "card", "id"):
        found = text(node.value, name)
        if found and not re.fullmatch(formats()["uuid"].pattern, found):
            problem = f"{quoted(found)} is not a UUID; HL7's model of this document wants one."
            yield Violation((name,), problem, "Send a UUID, 8-4-4-4-12 hexadecimal digits.")


def _detail_has_no_html(node: Node) -> Iterator[Violation]:
    element = _ELEMENT.search(_CODE_SPAN.sub("", text(node.value, "detail")))
    if element:
        problem = f"The detail contains HTML ({quoted(element[0])}), which clients escape, strip or refuse."
        yield Violation(("detail",), problem, "Write GitHub Flavored Markdown.")


def _crd_topic(node: Node) -> Iterator[Violation]:
    if "topic" not in node.value:
        problem = "The source has no `topic`; Da Vinci CRD clients require one."
        yield Violation(("topic",), problem, "Send a coding that names the kind of advice.")


def _epic_any(node: Node) -> Iterator[Violation]:
    if node.value.get("selectionBehavior") == "at-most-one":
        problem = "Epic supports only selectionBehavior any."
        yield Violation(("selectionBehavior",), problem, "Send any where users may combine the suggestions.")


def _epic_one_action(node: Node) -> Iterator[Violation]:
    actions = node.value.get("actions")
    if isinstance(actions, list) and len(actions) > 1:
        problem = f"The suggestion has {len(actions)} actions; Epic takes one."
        yield Violation(("actions",), problem, "Split it into suggestions with one action each.")


def _epic_topic_code(node: Node) -> Iterator[Violation]:
    code = _topic_code(node)
    if code and not _EPIC_CODE.fullmatch(code):
        problem = f"Epic wants topic codes of at most 100 letters and digits, not {quoted(code)}."
        yield Violation(("topic", "code"), problem, "Map the code for Epic sites.")


def _epic_static_topic(node: Node) -> Iterator[Violation]:
    code = _topic_code(node)
    if _CHANGING.search(code):
        problem = (
            f"The topic code {quoted(code)} looks different every time; clients suppress and count by it."
        )
        yield Violation(("topic", "code"), problem, "Send the same code for the same kind of advice.")


def _topic_code(node: Node) -> str:
    topic = node.value.get("topic")
    return text(topic, "code") if isinstance(topic, dict) else ""


def _update_names_its_resource(node: Node) -> Iterator[Violation]:
    resource = node.value.get("resource")
    if node.value.get("type") == "update" and isinstance(resource, dict) and not resource.get("id"):
        problem = "The updated resource has no `id`, so the client cannot tell which one it is."
        yield Violation(("resource", "id"), problem, "Send the whole resource with its id.")


UUID = ("hl7-model#uuid",)
UPDATE = ("cds-hooks_2.0@132",)

RULES = (
    Rule("card", "error", ("cds-hooks_2.0@122", "cds-resp-1"), _one_recommended),
    Rule("response", "error", ("cds-hooks_2.0@80",), _card_uuids_differ),
    Rule("response", "error", ("cds-hooks_2.0@119",), _suggestion_uuids_differ),
    Rule("card", "information", ("cds-hooks_2.0@163",), _uuid_for_feedback),
    Rule("suggestion", "information", ("client/crd#suggestion-uuid",), _suggestion_has_a_uuid),
    Rule("card", "information", UUID, _uuid_is_a_uuid),
    Rule("suggestion", "information", UUID, _uuid_is_a_uuid),
    Rule("outcome", "information", UUID, _uuid_is_a_uuid),
    Rule("acceptedSuggestion", "information", UUID, _uuid_is_a_uuid),
    Rule("card", "information", ("advice#html-in-detail",), _detail_has_no_html),
    Rule("source", "information", ("client/crd#source-topic",), _crd_topic),
    Rule("card", "information", ("client/epic#any",), _epic_any),
    Rule("suggestion", "information", ("client/epic#one-action",), _epic_one_action),
    Rule("source", "information", ("client/epic#topic-code",), _epic_topic_code),
    Rule("source", "information", ("client/epic#static-topic",), _epic_static_topic),
    Rule("action", "warning", UPDATE, _update_names_its_resource),
    Rule("systemAction", "warning", UPDATE, _update_names_its_resource),
)
