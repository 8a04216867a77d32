"""Reads a site profile; every mistake is named with its field and what to write instead."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from cds_hooks.site_profile.model import SiteProfile
from cds_hooks.wrong_value import in_words
from mappings.knowledge import StrictLoader

LARGEST = 1_000_000
"""Bytes; a profile has some thousands."""


class ProfileError(ValueError):
    """A profile that cannot be used; `problems` has one line per mistake, each beginning with its field."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ReadProfile(NamedTuple):
    """A profile as its file says; whether its names exist is for `tailor` to say."""

    profile: SiteProfile
    version: str
    """Six hexadecimal digits that change with every byte of the file."""


def read_profile(path: Path) -> ReadProfile:
    """The profile in a file. Raises ProfileError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProfileError([f"{path.name}: cannot be read ({error.strerror})"]) from None
    return profile_in(content, path.name)


def profile_in(content: bytes, name: str) -> ReadProfile:
    """The profile that a file of this name holds. Raises ProfileError."""
    if len(content) > LARGEST:
        raise ProfileError([f"{name}: larger than {LARGEST} bytes; a profile has some thousands"])
    try:
        values = yaml.load(content.decode("utf-8"), Loader=StrictLoader)  # noqa: S506 - a safe loader
    except UnicodeDecodeError as error:
        raise ProfileError([f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8"]) from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise ProfileError([f"{name}: {place}not valid YAML: {problem}"]) from None
    if not isinstance(values, dict):
        raise ProfileError([f"{name}: must hold names with values, as in `name: Example Hospital`"])
    try:
        profile = SiteProfile.model_validate(values)
    except ValidationError as error:
        raise ProfileError(sorted({_explain(problem) for problem in error.errors()})) from None
    return ReadProfile(profile, hashlib.sha256(content).hexdigest()[:6])


def _explain(problem: Mapping[str, Any]) -> str:
    """`limits.0.unit: is missing; …`: the place as it stands in the file."""
    place = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    said = in_words(problem)
    if problem["type"] == "extra_forbidden":
        said = f"there is no such field{_known(problem['loc'])}"
    return f"{place}: {said}"


def _known(place: tuple[Any, ...]) -> str:
    """`; known are …` for a field of the profile or of one of its sections."""
    fields: Any = SiteProfile.model_fields
    for part in place[:-1]:
        if isinstance(part, str) and part in fields:
            kind: Any = fields[part].annotation
            kinds = [kind, *getattr(kind, "__args__", ())]
            fields = next((k.model_fields for k in kinds if hasattr(k, "model_fields")), fields)
    return f"; known are {', '.join(sorted(fields))}"
