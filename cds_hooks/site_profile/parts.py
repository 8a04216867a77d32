"""The types that the sections of a site profile are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cds_hooks.trust.settings import absolute

URN = ("urn:", "http://", "https://")


class Section(BaseModel):
    """Base of all sections: a name that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _system(system: str) -> str:
    if not system.startswith(URN):
        raise ValueError("write the code system as a URI, beginning with urn:, http:// or https://")
    return system


def _https(url: str) -> str:
    found = absolute(url)
    if not found.startswith("https://"):
        raise ValueError("write an https URL")
    return found


Text = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(?:[^\n\r]*\S)?$")]
"""One line without a blank at either end."""
HttpsUrl = Annotated[str, AfterValidator(_https)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.\-]+$")]
"""A prefetch key, a number of a trigger or a code: no blank, nothing that could be a sentence."""


class SiteCode(Section):
    """A code of the site's own system."""

    system: Annotated[str, Field(max_length=200), AfterValidator(_system)]
    """The code system, as a URI."""
    code: Annotated[str, Field(max_length=100, pattern=r"^[^\s]+( [^\s]+)*$")]
    """The code."""
    display: Text
    """What users of this system call it."""
