"""Rules about the services of a discovery, and about names that discovery and request share."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_hooks.validation.findings import quoted
from cds_hooks.validation.hooks import hook_named, meant
from cds_hooks.validation.rule import Rule, Violation, objects, text
from cds_hooks.validation.walk import Node

_PATH_SEGMENT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+")
"""RFC 3986, section 3.3."""


def _one_service_per_id_and_hook(node: Node) -> Iterator[Violation]:
    seen = set()
    for position, service in objects(node.value, "services"):
        pair = text(service, "id"), text(service, "hook")
        if all(pair) and pair in seen:
            problem = f"Service {quoted(pair[0])} is listed twice for the hook {quoted(pair[1])}."
            yield Violation(("services", position, "id"), problem, "Give every service its own id.")
        seen.add(pair)


def _one_hook_per_id(node: Node) -> Iterator[Violation]:
    hooks: dict[str, str] = {}
    for position, service in objects(node.value, "services"):
        name, hook = text(service, "id"), text(service, "hook")
        if name and hook and hooks.setdefault(name, hook) != hook:
            problem = (
                f"Service {quoted(name)} has several hooks; the official sandbox calls only one of them."
            )
            fix = "Give every hook its own id, unless later cards shall replace earlier ones."
            yield Violation(("services", position, "id"), problem, fix)


def _id_fits_into_a_path(node: Node) -> Iterator[Violation]:
    name = text(node.value, "id")
    if name and not _PATH_SEGMENT.fullmatch(name):
        problem = f"{quoted(name)} does not fit into a URL path."
        yield Violation(("id",), problem, "Use letters, digits and hyphens.")


def _hook_is_known(node: Node) -> Iterator[Violation]:
    hook = text(node.value, "hook")
    if hook and not hook_named(hook):
        published = meant(hook)
        if published:
            problem = f"There is no hook {quoted(hook)}; the published hook is `{published}`."
            yield Violation(("hook",), problem, f"Send {published}.", "warning")
        else:
            problem = f"{quoted(hook)} is not one of the published hooks, so its context is not checked."
            yield Violation(("hook",), problem, "Name a custom hook uniquely, such as com.example.hook.")


def _hook_is_not_deprecated(node: Node) -> Iterator[Violation]:
    hook = hook_named(node.value.get("hook"))
    if hook and hook.replaced_by:
        problem = f"The hook `{hook.name}` is deprecated."
        yield Violation(("hook",), problem, f"Use {hook.replaced_by}.")


def _extension_keys_are_unique(node: Node) -> Iterator[Violation]:
    extension = node.value.get("extension")
    for name in extension if isinstance(extension, dict) else ():
        if "." not in name and "/" not in name:
            problem = f"The extension {quoted(name)} may clash with another of the same name."
            yield Violation(
                ("extension", name), problem, "Name it like a domain in reverse: com.example.name."
            )


HOOK_NAME = ("cds-hooks-library#hook-name",)
DEPRECATED = ("cds-hooks-library#deprecated-hook",)
SHARED_ID = ("client/sandbox#duplicate-service-id", "cds-hooks_2.0@211")

RULES = (
    Rule("discovery", "error", ("cds-hooks_2.0@10",), _one_service_per_id_and_hook),
    Rule("discovery", "information", SHARED_ID, _one_hook_per_id),
    Rule("service", "error", ("cds-hooks_2.0@16",), _id_fits_into_a_path),
    Rule("service", "information", HOOK_NAME, _hook_is_known),
    Rule("request", "information", HOOK_NAME, _hook_is_known),
    Rule("service", "warning", DEPRECATED, _hook_is_not_deprecated),
    Rule("request", "warning", DEPRECATED, _hook_is_not_deprecated),
    Rule("", "warning", ("cds-hooks_2.0@215",), _extension_keys_are_unique),
)
