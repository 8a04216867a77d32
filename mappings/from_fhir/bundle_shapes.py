"""The shapes of what stands under a prefetch key: Bundles, their entries, errors, and resources wrapped otherwise."""

from __future__ import annotations

from msgspec import Raw, Struct

from mappings.from_fhir import shapes


class Link(Struct, gc=False):
    """`Bundle.link`; also matches `Patient.link`, which has neither element."""

    relation: str = ""
    url: str = ""


class Response(Struct, gc=False):
    """`Bundle.entry.response`: the HTTP status of a batch entry."""

    status: str = ""


class Entry(Struct, gc=False, rename="camel"):
    """`Bundle.entry`."""

    full_url: str = ""
    resource: Raw = Raw()
    response: Response | None = None


class Issue(Struct, gc=False):
    """`OperationOutcome.issue`."""

    severity: str = "error"


class OperationOutcome(Struct, gc=False):
    """https://hl7.org/fhir/R4/operationoutcome.html"""

    issue: tuple[Issue, ...] = (Issue(),)

    @property
    def is_error(self) -> bool:
        """Whether it says that something failed: an empty search (`warning`) did not."""
        return any(issue.severity in ("error", "fatal") for issue in self.issue)


class PlainOutcome(OperationOutcome, gc=False, tag_field="resourceType", tag="OperationOutcome"):
    """One that has the shape it should have; many servers put one into every Bundle."""


class PlainEntry(Struct, gc=False, rename="camel"):
    """`Bundle.entry` with a resource that has the shape it should have."""

    resource: shapes.AnyResource | PlainOutcome
    full_url: str = ""
    response: Response | None = None


class PlainBundle(Struct, gc=False, tag_field="resourceType", tag="Bundle"):
    """A Bundle of such resources, as nearly all are: decoded at once."""

    link: tuple[Link, ...] = ()
    total: int = 0
    entry: tuple[PlainEntry, ...] = ()


class Envelope(Struct, gc=False, rename="camel"):
    """The elements that tell a Bundle, a wrapped resource and a bare one apart."""

    resource_type: str = ""
    link: tuple[Link, ...] = ()
    total: int = 0
    entry: tuple[Entry, ...] = ()
    resource: Raw = Raw()
    response: Response | None = None


Plain = shapes.AnyResource | PlainBundle | PlainOutcome
"""What a key should hold."""

Content = bytes | Raw | Plain | str | float | list[str] | None
"""What stands under a key: JSON, or decoded already. None is JSON null."""
