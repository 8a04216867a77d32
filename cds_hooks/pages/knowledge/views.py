"""The list of rules with its search, the page of one, the change log, and the FHIR artifacts."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches

from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.pages.knowledge.artifacts import archive, artifacts, as_json
from cds_hooks.pages.knowledge.catalogue import all_pages, kind_of, overview, search
from cds_hooks.pages.knowledge.changes import versions
from cds_hooks.pages.knowledge.related import Related, related
from cds_hooks.pages.knowledge.text import cited, marked, rich, sentence
from cds_hooks.pages.pages import Pages
from cds_hooks.pages.rendering import environment, render

LONGEST_QUERY = 200
HELPERS = {"rich": rich, "marked": marked, "cited": cited, "sentence": sentence}


def index(request: Request, pages: Pages) -> Response:
    """Every rule, or those on whose page the words of `q` stand."""
    query = request.query_params.get("q", "")[:LONGEST_QUERY].strip()
    groups = search(query, pages.knowledge)
    return _render(
        "knowledge/index.html",
        request,
        pages,
        query=query,
        groups=groups,
        found=sum(len(group.entries) for group in groups),
        overview=overview(pages.knowledge),
        release=pages.knowledge.release,
    )


def rule(request: Request, pages: Pages) -> Response:
    """Everything about one id; for an id that is not there, what comes close."""
    name = request.path_params["id"]
    known = all_pages(pages.knowledge)
    if name not in known:
        close = get_close_matches(name, known, n=5)
        return _render(
            "knowledge/missing.html",
            request,
            pages,
            status=404,
            close=[(other, known[other][0].title) for other in close],
        )
    found = known[name]
    links: Related = related(pages.knowledge).get(name, Related())
    return _render(
        "knowledge/rule.html",
        request,
        pages,
        name=name,
        found=found,
        title=sentence(found[0].title),
        kind=kind_of(name, pages.knowledge),
        links=links,
    )


def changes(request: Request, pages: Pages) -> Response:
    """What changed, clinical effects first."""
    return _render(
        "knowledge/changes.html", request, pages, versions=versions(), release=pages.knowledge.release
    )


def artifact_list(request: Request, pages: Pages) -> Response:
    """The FHIR artifacts, by kind."""
    found = artifacts(pages.knowledge)
    kinds: dict[str, list[tuple[str, str]]] = {}
    for name, resource in found.items():
        title = str(resource.get("title") or resource.get("name") or resource["id"])
        kinds.setdefault(resource["resourceType"], []).append((name, title))
    counts = Counter({kind: len(members) for kind, members in kinds.items()})
    return _render("knowledge/artifacts.html", request, pages, kinds=kinds, total=counts.total())


def artifact(request: Request, pages: Pages) -> Response:
    """One artifact as a file."""
    name = request.path_params["name"]
    resource = artifacts(pages.knowledge).get(name)
    if resource is None:
        return _render("knowledge/missing.html", request, pages, status=404, close=[])
    return Response(as_json(resource), media_type="application/fhir+json", headers=_attached(name))


def artifact_archive(_: Request, pages: Pages) -> Response:
    """All artifacts in one file."""
    name = f"twitching-cds-{pages.knowledge.version}-fhir.zip"
    return Response(archive(pages.knowledge), media_type="application/zip", headers=_attached(name))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _render(
    template: str, request: Request, pages: Pages, *, status: int = 200, **values: object
) -> Response:
    environment().filters.update(HELPERS)
    references = pages.knowledge.references
    return render(template, request, pages, status=status, references=references, **values)
