"""What is asked in a replay: rules and a site's profile, made into the desk that the live service answers from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

from msgspec import Struct
from pydantic import SecretStr

from cds_hooks.desk import Desk, standard_desk
from cds_hooks.rule_sets import folder_of
from cds_hooks.services import SERVICE_BY_HOOK, Service
from cds_hooks.site_profile.load import ProfileError, profile_in
from cds_hooks.site_profile.model import SiteProfile
from cds_hooks.site_profile.services import tailor_services
from cds_hooks.site_profile.tailor import tailor
from mappings.knowledge import load_knowledge

Mode = Literal["as-of", "each-encounter", "monthly"]
Gate = Literal["documented", "assume-twitching"]
SUFFIXES: Final = (".yaml", ".yml")
ASSUMED_HOOK: Final = "problem-list-item-create"
HOOKS: Final[dict[Mode, tuple[str, ...]]] = {
    "as-of": ("patient-view",),
    "monthly": ("patient-view",),
    "each-encounter": ("encounter-start", "patient-view"),
}
"""Which call of the live service is replayed: the first hook that is on. A chart is opened in an encounter, too."""


class Side(Struct, frozen=True):
    """One of at most two ways to answer, as it travels to the machines that do the work."""

    folder: str = ""
    """Of the rules; empty for the shipped ones."""
    profile: bytes = b""
    """The site profile, as its file holds it; empty for none."""
    file: str = ""
    """The name of that file, for messages."""


class Made(NamedTuple):
    """A side ready to answer. `version` is that of the profile, empty without one."""

    desk: Desk
    profile: SiteProfile | None = None
    version: str = ""


class Asked(NamedTuple):
    """The service that is called; unless it is `on`, its site never sees what it would have answered."""

    service: Service
    on: bool


def sides_of(rules: str, config: str, other: str) -> tuple[Side, ...]:
    """The side of `rules` (a folder or a name) and `config` (a file), and beside it the one that differs in `other`.

    `other` is a site profile or rules; whichever it is not stays as it is. Raises RuleSetError, ProfileError.
    """
    first = Side(folder_of(rules), *(_content(Path(config)) if config else ()))
    if not other:
        return (first,)
    path = Path(other)
    if path.is_file() or path.suffix in SUFFIXES:
        second = Side(first.folder, *_content(path))
    else:
        second = Side(folder_of(other), first.profile, first.file)
    if config and second == first:
        raise ProfileError(
            [
                f"{other}: is what --config and --knowledge say already. What a profile changes: give it to --compare alone."
            ]
        )
    return first, second


def _content(path: Path) -> tuple[bytes, str]:
    try:
        return path.read_bytes(), path.name
    except OSError as error:
        raise ProfileError([f"{path}: cannot be read ({error.strerror})"]) from None


@cache
def made(side: Side) -> Made:
    """What the live service would answer with. Raises KnowledgeError, ProfileError."""
    knowledge = load_knowledge(Path(side.folder)) if side.folder else load_knowledge()
    if not side.profile:
        return Made(standard_desk(knowledge))
    read = profile_in(side.profile, side.file)
    desk, _ = tailor(read, knowledge, secret=SecretStr("nothing is quiet in a replay"))
    return Made(desk, read.profile, read.version)


def version_of(side: Side) -> str:
    """The version of the rules, and that of the profile if there is one."""
    found = made(side)
    version = found.desk.knowledge.version
    return f"{version} profile-{found.version}" if found.version else version


@cache
def asked(side: Side, mode: Mode, gate: Gate) -> Asked:
    """The service that the site's EHR would call. What would be if everybody twitched is asked of any site."""
    services = {service.hook: service for service in made(side).desk.services.values()}
    if gate == "documented":
        found = next((services[hook] for hook in HOOKS[mode] if hook in services), None)
        return Asked(found, on=True) if found else Asked(_switched_on(side, HOOKS[mode][0]), on=False)
    return Asked(services.get(ASSUMED_HOOK) or _switched_on(side, ASSUMED_HOOK), on=True)


def _switched_on(side: Side, hook: str) -> Service:
    """The service as this site would have it."""
    profile = made(side).profile
    assert profile is not None  # noqa: S101 - without a profile every hook is on
    (service,) = tailor_services((SERVICE_BY_HOOK[hook],), profile.model_copy(update={"hooks": {}}))
    return service
