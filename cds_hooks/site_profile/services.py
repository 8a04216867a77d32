"""The services as one site has them: hooks that are on, prefetch keys by other names, searches its server can answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cds_hooks.services import Prefetch, Service
from cds_hooks.site_profile.model import FhirDialect, SiteProfile

DATED = "labs"
"""The only key that a period may shorten: older findings, problems and medicines count, older results do not."""
SORTED = ("labs", "examination", "history")
TODAY = "{{today()}}"


def tailor_services(services: tuple[Service, ...], profile: SiteProfile) -> tuple[Service, ...]:
    """Those that are on, with the site's keys and searches. `problems_of_services` has nothing against it."""
    aliases = {alias: key for key, names in profile.prefetch_keys.items() for alias in names}
    return tuple(
        replace(service, aliases=aliases, prefetch=_prefetch(service.prefetch, profile.fhir))
        for service in services
        if profile.hooks.get(service.hook, True)  # type: ignore[call-overload]  # every hook of ours is one of the literals
    )


def problems_of_services(services: tuple[Service, ...], profile: SiteProfile) -> Iterator[str]:
    """What the types alone do not say."""
    if not any(profile.hooks.get(service.hook, True) for service in services):  # type: ignore[call-overload]
        yield "hooks: every hook is off; leave one on, or stop the service"
    ours = {key for service in services for key in service.prefetch}
    required = {key for service in services for key, wanted in service.prefetch.items() if wanted.required}
    owner: dict[str, str] = {}
    for key, names in profile.prefetch_keys.items():
        for name in names:
            if name in ours:
                yield f"prefetch_keys.{key}: `{name}` is one of our own keys; only other names belong here"
            elif owner.setdefault(name, key) != key:
                yield f"prefetch_keys.{key}: `{name}` is given to `{owner[name]}` already"
    for left_out in sorted(required & set(profile.fhir.leave_out)):
        yield f"fhir.leave_out: `{left_out}` is required; without it nobody knows whether twitching is documented"
    yield from _problems_of_searches(profile.fhir)


def _problems_of_searches(dialect: FhirDialect) -> Iterator[str]:
    for kind, allowed in dialect.parameters.items():
        if "patient" not in allowed:
            yield f"fhir.parameters.{kind}: needs `patient`; a search without it would read other patients"
    results = dialect.parameters.get("Observation")
    if results is not None and "category" not in results:
        yield "fhir.parameters.Observation: needs `category`, which tells results from findings and history"
    if (dialect.dates == "none") != (dialect.look_back_days is None):
        yield "fhir.look_back_days: goes together with `dates: open` or `dates: closed`; give both or neither"
    if dialect.today_token and dialect.dates == "none":
        yield "fhir.today_token: means nothing without `dates`"
    for wanted, parameter, field in (
        (dialect.dates != "none", "date", "dates"),
        (dialect.newest_first, "_sort", "newest_first"),
    ):
        if wanted and results is not None and parameter not in results:
            yield f"fhir.{field}: needs `{parameter}` in `fhir.parameters.Observation`"


def _prefetch(ours: Mapping[str, Prefetch], dialect: FhirDialect) -> Mapping[str, Prefetch]:
    if dialect == FhirDialect():
        return ours
    return {
        key: replace(
            wanted,
            template=_template(key, wanted, dialect, dated=dialect.today_token),
            query=_template(key, wanted, dialect, dated=True),
        )
        for key, wanted in ours.items()
        if key not in dialect.leave_out
    }


def _template(key: str, wanted: Prefetch, dialect: FhirDialect, *, dated: bool) -> str:
    """The search in this dialect."""
    kind, _, query = wanted.template.partition("?")
    if not query:
        return wanted.template
    allowed = dialect.parameters.get(wanted.resource_type)  # type: ignore[call-overload]  # a search of ours is one of the literals
    parts = [part.partition("=")[::2] for part in query.split("&")]
    codes = dialect.categories.get(key)  # type: ignore[call-overload]
    parts = [
        (name, ",".join(codes) if codes and name == "category" else value)
        for name, value in parts
        if allowed is None or name in allowed
    ]
    if key == DATED and dated and dialect.look_back_days:
        parts.append(("date", f"ge{{{{today() - {dialect.look_back_days} days}}}}"))
        if dialect.dates == "closed":
            parts.append(("date", f"le{TODAY}"))
    if key in SORTED and dialect.newest_first:
        parts.append(("_sort", "-date"))
    if dialect.count and (allowed is None or "_count" in allowed):
        parts.append(("_count", str(dialect.count)))
    return f"{kind}?{'&'.join('='.join(part) for part in parts)}"
